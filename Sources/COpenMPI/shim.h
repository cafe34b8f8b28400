#ifndef LMCONV_COPENMPI_SHIM_H
#define LMCONV_COPENMPI_SHIM_H

#include <mpi.h>

// MPI's constants are macros that cast addresses of linker symbols; Swift cannot import them.
static inline MPI_Comm lmconv_mpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype lmconv_mpi_byte(void) { return MPI_BYTE; }
static inline MPI_Datatype lmconv_mpi_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype lmconv_mpi_double(void) { return MPI_DOUBLE; }
static inline MPI_Datatype lmconv_mpi_int64(void) { return MPI_INT64_T; }
static inline MPI_Datatype lmconv_mpi_datatype_null(void) { return MPI_DATATYPE_NULL; }
static inline MPI_Op lmconv_mpi_max(void) { return MPI_MAX; }
static inline void *lmconv_mpi_in_place(void) { return MPI_IN_PLACE; }
static inline MPI_Errhandler lmconv_mpi_errors_return(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Request lmconv_mpi_request_null(void) { return MPI_REQUEST_NULL; }
static inline MPI_Status *lmconv_mpi_status_ignore(void) { return MPI_STATUS_IGNORE; }
static inline int lmconv_mpi_any_source(void) { return MPI_ANY_SOURCE; }
static inline int lmconv_mpi_any_tag(void) { return MPI_ANY_TAG; }
static inline int lmconv_mpi_success(void) { return MPI_SUCCESS; }
static inline int lmconv_mpi_thread_serialized(void) { return MPI_THREAD_SERIALIZED; }
static inline int lmconv_mpi_max_error_string(void) { return MPI_MAX_ERROR_STRING; }
static inline int lmconv_mpi_max_processor_name(void) { return MPI_MAX_PROCESSOR_NAME; }
static inline int lmconv_mpi_max_library_version_string(void) { return MPI_MAX_LIBRARY_VERSION_STRING; }

#endif
