#ifndef LMCONV_ALLOCATION_COUNTER_H
#define LMCONV_ALLOCATION_COUNTER_H

/// Whether the calling thread's allocations count from now on; none do at first.
void lmconv_count_allocations_of_this_thread(int counts);

/// Allocations counted so far, of all threads together.
long lmconv_counted_allocations(void);

#endif
