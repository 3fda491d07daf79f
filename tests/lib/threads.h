/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_THREADS_H
#define TESTS_THREADS_H

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* Runs `body` on n threads at once, each with its element of an array, and waits for all. */
static inline void threads_run(unsigned n, void *(*body)(void *), void *elements, size_t size)
{
	pthread_t *threads = calloc(n, sizeof(*threads));
	for (unsigned i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, body, (char *)elements + i * size) != 0)
			abort();
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	free(threads);
}

#endif
