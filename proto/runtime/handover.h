/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_HANDOVER_H
#define RUNTIME_HANDOVER_H

/*
 * What one thread wrote before it gave a pointer to a library, another may read once the library has handed
 * the pointer out: gRPC's core orders a batch before its event. ThreadSanitizer sees nothing of a library
 * that is not built with it, and has to be told. Otherwise these do nothing.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HANDOVER_TOLD 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define HANDOVER_TOLD 1
#endif

#ifdef HANDOVER_TOLD
#include <sanitizer/tsan_interface.h>
static inline void handover_give(void *p)
{
	__tsan_release(p);
}
static inline void handover_take(void *p)
{
	__tsan_acquire(p);
}
#else
static inline void handover_give(void *p)
{
}
static inline void handover_take(void *p)
{
}
#endif

#endif
