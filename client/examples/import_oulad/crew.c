/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "client/examples/import_oulad/import.h"
#include "client/examples/import_oulad/reports.h"

enum { LOOK_EVERY_MS = 50 };

/* Threads that take one learner after the other, until there is none left or one of them fails. */
struct crew {
	struct import *im;
	struct report_pool *pool;
	atomic_uint next, done, at_work;
	atomic_bool stop;
	pthread_mutex_t lock; /* of what follows */
	int r;
	struct error err;
};

static void crew_fail(struct crew *crew, int r, const struct error *err)
{
	pthread_mutex_lock(&crew->lock);
	if (crew->r == 0) {
		crew->r = r;
		crew->err = *err;
	}
	pthread_mutex_unlock(&crew->lock);
	atomic_store(&crew->stop, true);
}

static void *crew_work(void *arg)
{
	struct crew *crew = arg;
	struct import *im = crew->im;
	struct arena arena;
	struct error err;

	arena_init(&arena, IMPORT_ARENA_MAX);
	while (!atomic_load(&crew->stop)) {
		unsigned i = atomic_fetch_add(&crew->next, 1);
		if (i >= im->data.n_learners)
			break;
		arena_reset(&arena);
		error_clear(&err);
		int r = learner_import(im, crew->pool, &im->data.learners[i], &arena, &err);
		if (r < 0)
			crew_fail(crew, r, &err);
		else
			atomic_fetch_add(&crew->done, 1);
	}
	arena_done(&arena);
	atomic_fetch_sub(&crew->at_work, 1);
	return NULL;
}

static void crew_watch(struct crew *crew)
{
	const struct timespec rest = {.tv_nsec = LOOK_EVERY_MS * 1000000};

	while (atomic_load(&crew->at_work)) {
		nanosleep(&rest, NULL);
		progress_bar_move(&crew->im->bar, atomic_load(&crew->done));
	}
}

static void crew_run(struct crew *crew)
{
	pthread_t threads[OPTION_WORKERS_MAX];
	unsigned n = 0;
	int r = 0;

	for (; n < crew->im->options->workers && r == 0; n += r == 0) {
		atomic_fetch_add(&crew->at_work, 1);
		r = pthread_create(&threads[n], NULL, crew_work, crew);
		if (r != 0) {
			struct error err;
			atomic_fetch_sub(&crew->at_work, 1);
			error_clear(&err);
			crew_fail(crew, error_internal(&err, "no thread: %s", strerror(r)), &err);
		}
	}
	crew_watch(crew);
	while (n > 0)
		pthread_join(threads[--n], NULL);
}

int crew_import(struct import *im, struct error *err)
{
	struct crew crew = {.im = im};
	int r = report_pool_new(im, im->options->in_flight, &crew.pool, err);

	if (r < 0)
		return r;
	pthread_mutex_init(&crew.lock, NULL);
	progress_bar_begin(&im->bar, "learners", im->data.n_learners);
	crew_run(&crew);
	progress_bar_end(&im->bar, atomic_load(&crew.done));
	pthread_mutex_destroy(&crew.lock);
	report_pool_free(crew.pool);
	if (crew.r < 0)
		*err = crew.err;
	return crew.r;
}
