/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/auth/password.h"
#include "server/base/clock.h"

/* Password hashes per second of the hash alone, with the parameters the server ships with. */
enum { THREADS_MAX = 64 };

static struct passwords passwords;
static int64_t stop_us; /* monotonic */

static void *run(void *arg)
{
	unsigned long *made = arg;
	char hash[PASSWORD_HASH_SIZE];
	struct error err;

	for (; monotonic_us() < stop_us; ++*made) {
		if (password_hash(&passwords, "correct horse battery", hash, &err) < 0)
			exit(EXIT_FAILURE);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 2, seconds = argc > 2 ? (unsigned)atoi(argv[2]) : 3;
	unsigned long made[THREADS_MAX] = {0}, total = 0;
	pthread_t threads[THREADS_MAX];
	struct error err;
	int64_t start_us;

	if (n == 0 || n > THREADS_MAX || seconds == 0 ||
	    passwords_init(&passwords, PASSWORD_MEMORY_KIB, PASSWORD_PASSES, &err) < 0) {
		fprintf(stderr, "usage: argon2_direct [THREADS (2, at most %d)] [SECONDS (3)]\n",
			THREADS_MAX);
		return 2;
	}
	start_us = monotonic_us();
	stop_us = start_us + (int64_t)seconds * 1000000;
	for (unsigned i = 0; i < n; i++) {
		if (pthread_create(&threads[i], NULL, run, &made[i]))
			return EXIT_FAILURE;
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		total += made[i];
	}
	printf("{\"threads\": %u, \"hashes\": %lu, \"per_second\": %.1f}\n", n, total,
	       (double)total * 1e6 / (double)(monotonic_us() - start_us));
	return 0;
}
