#include "allocation_counter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

// Storage that is there before the thread's first allocation.
static _Thread_local int counts_here __attribute__((tls_model("initial-exec")));
static atomic_long counted;

static void note(void) {
  if (counts_here) atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
}

void lmconv_count_allocations_of_this_thread(int counts) { counts_here = counts; }

long lmconv_counted_allocations(void) { return atomic_load_explicit(&counted, memory_order_relaxed); }

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)

// A sanitizer takes the place of glibc's functions itself, and tells of what is allocated.

extern int __sanitizer_install_malloc_and_free_hooks(
    void (*allocated)(const volatile void *, size_t), void (*freed)(const volatile void *));

static void note_allocated(const volatile void *pointer, size_t size) {
  (void)pointer;
  (void)size;
  note();
}

static void ignore_freed(const volatile void *pointer) { (void)pointer; }

__attribute__((constructor)) static void listen_to_sanitizer(void) {
  __sanitizer_install_malloc_and_free_hooks(note_allocated, ignore_freed);
}

#else

// Takes the place of glibc's functions in the program this is linked into, and in the libraries that it loads.

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  note();
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  note();
  return __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size) {
  note();
  return __libc_realloc(pointer, size);
}

void *memalign(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **pointer, size_t alignment, size_t size) {
  note();
  void *memory = __libc_memalign(alignment, size);
  if (memory == NULL) return ENOMEM;
  *pointer = memory;
  return 0;
}

#endif
