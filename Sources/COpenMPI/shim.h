#ifndef LMCONV_COPENMPI_SHIM_H
#define LMCONV_COPENMPI_SHIM_H

#include <mpi.h>

// MPI's constants are macros that cast addresses of linker symbols; Swift cannot import them.
static inline MPI_Comm lmconv_mpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype lmconv_mpi_byte(void) { return MPI_BYTE; }
static inline MPI_Errhandler lmconv_mpi_errors_return(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Request lmconv_mpi_request_null(void) { return MPI_REQUEST_NULL; }
static inline MPI_Status *lmconv_mpi_status_ignore(void) { return MPI_STATUS_IGNORE; }
static inline int lmconv_mpi_success(void) { return MPI_SUCCESS; }
static inline int lmconv_mpi_thread_serialized(void) { return MPI_THREAD_SERIALIZED; }
static inline int lmconv_mpi_max_error_string(void) { return MPI_MAX_ERROR_STRING; }
static inline int lmconv_mpi_max_processor_name(void) { return MPI_MAX_PROCESSOR_NAME; }

#endif
