/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_WORKER_H
#define LOAD_WORKER_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "tests/load/histogram.h"
#include "tests/load/requests.h"

enum { LOAD_CODES = 17, LOAD_MESSAGE_MAX = 200 };

/* One run: what all workers share. Constant while they run, but for the atomics. */
struct run {
	const char *target, *path;
	struct requests requests;
	unsigned connections, concurrency, threads;
	uint64_t limit; /* calls to make; 0: as many as the time allows */
	int timeout_ms;
	double rate; /* calls that begin in a second, whatever becomes of them; 0: as soon as another ended */
	bool fail_fast;
	int64_t count_from_us, end_us; /* monotonic; calls that begin before count_from_us are a warm-up */
	_Atomic uint64_t next;         /* calls drawn */
	_Atomic bool stop;
};

/* One thread with its own queue, connections and calls in flight. */
struct worker {
	struct run *run;
	pthread_t thread;
	unsigned connections, concurrency;
	struct histogram latencies;     /* of the calls that count */
	struct histogram refused;       /* of those among them that are UNAVAILABLE */
	uint64_t codes[LOAD_CODES];     /* by status; warm-up included, since every call is checked */
	uint64_t empty;                 /* answered OK without a message */
	char message[LOAD_MESSAGE_MAX]; /* of the first that failed */
	int64_t last_us;                /* when the last call that counts ended */
};

int64_t load_now_us(void);

/* The thread's function. */
void *worker_main(void *worker);

#endif
