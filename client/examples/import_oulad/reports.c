/* SPDX-License-Identifier: Apache-2.0 */
#include "client/examples/import_oulad/reports.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "client/examples/import_oulad/patience.h"
#include "edu/v1/edu_service.client.h"

enum { REPORT_ARENA_MAX = 64 << 10 };

/* A round of one batch: all of its sessions that are not durable yet, sent once. */
struct round {
	struct report_pool *pool;
	const struct report_batch *batch;
	pthread_cond_t over;
	unsigned pending;
	unsigned *again; /* those that another try may cure */
	unsigned n_again, n_fatal;
	int r; /* of a fatal failure when there is one, else of one that may be cured */
	struct error err;
};

/* Room for one report under way. */
struct report {
	struct report *next; /* free */
	struct round *round;
	unsigned session; /* index into the data's */
	struct arena arena;
};

struct report_pool {
	struct import *im;
	pthread_mutex_t lock; /* of what follows, and of every round */
	pthread_cond_t returned;
	struct report *free;
	unsigned n;
	struct report reports[];
};

int report_pool_new(struct import *im, unsigned in_flight, struct report_pool **ret, struct error *err)
{
	struct report_pool *pool = calloc(1, sizeof(*pool) + in_flight * sizeof(pool->reports[0]));

	if (!pool)
		return error_internal(err, "memory is short");
	pool->im = im;
	pool->n = in_flight;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->returned, NULL);
	for (unsigned i = 0; i < in_flight; i++) {
		arena_init(&pool->reports[i].arena, REPORT_ARENA_MAX);
		pool->reports[i].next = pool->free;
		pool->free = &pool->reports[i];
	}
	*ret = pool;
	return 0;
}

void report_pool_free(struct report_pool *pool)
{
	if (!pool)
		return;
	for (unsigned i = 0; i < pool->n; i++)
		arena_done(&pool->reports[i].arena);
	pthread_cond_destroy(&pool->returned);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* --- one report --- */

static struct report *report_take(struct round *round, unsigned session)
{
	struct report_pool *pool = round->pool;

	pthread_mutex_lock(&pool->lock);
	while (!pool->free)
		pthread_cond_wait(&pool->returned, &pool->lock);
	struct report *report = pool->free;
	pool->free = report->next;
	round->pending++;
	pthread_mutex_unlock(&pool->lock);
	report->round = round;
	report->session = session;
	arena_reset(&report->arena);
	return report;
}

static void round_fail(struct round *round, unsigned session, int r, const struct error *err)
{
	const struct oulad_session *s = &round->pool->im->data.sessions[session];
	bool curable = patience_curable(r, err);

	if (curable)
		round->again[round->n_again++] = session;
	if (round->r == 0 || (!curable && round->n_fatal == 0)) {
		round->r = r;
		round->err = *err;
		connection_keep_error(&round->err);
		error_add_metadata(&round->err, "id_site", "%" PRId64, s->material_id);
		error_add_metadata(&round->err, "date", "%" PRId32, s->day);
	}
	round->n_fatal += !curable;
}

static void report_done(void *arg, int r, const RecordProgressResponse *reply, const struct error *err)
{
	struct report *report = arg;
	struct round *round = report->round;
	struct report_pool *pool = round->pool;

	pthread_mutex_lock(&pool->lock);
	if (r == 0)
		tally_add(&pool->im->tally, THING_SESSION, FATE_MADE, 1);
	else
		round_fail(round, report->session, r, err);
	report->next = pool->free;
	pool->free = report;
	pthread_cond_signal(&pool->returned);
	if (--round->pending == 0)
		pthread_cond_signal(&round->over);
	pthread_mutex_unlock(&pool->lock);
}

/* Its time is now: the service takes no report that is more than 30 days old. */
static void report_send(struct report *report)
{
	const struct report_batch *batch = report->round->batch;
	struct import *im = report->round->pool->im;
	const struct oulad_session *s = &im->data.sessions[report->session];
	const struct client_call_options options = {.token = batch->token};
	RecordProgressRequest request = RECORD_PROGRESS_REQUEST_INIT;
	Google__Protobuf__Timestamp now = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	char session_id[UUID_TEXT_MAX];
	struct timespec clock;
	struct error err;

	clock_gettime(CLOCK_REALTIME, &clock);
	now.seconds = clock.tv_sec;
	now.nanos = (int32_t)clock.tv_nsec;
	request.lesson_id = im->lesson_ids[s->material];
	request.epoch = batch->epoch;
	request.session_id = key_uuid(session_id, "session/%s/%" PRId64 "/%" PRId32, batch->user_name,
				      s->material_id, s->day);
	request.client_time = &now;
	request.session_start_time = &now;
	request.interactions = s->clicks;
	tally_calls(&im->tally, 1);
	int r = edu_service_record_progress_start(im->channel, &request, &options, &report->arena,
						  report_done, report, &err);
	if (r < 0)
		report_done(report, r, NULL, &err);
}

/* --- a batch --- */

static int round_run(struct round *round, const unsigned *sessions, unsigned n, struct error *err)
{
	for (unsigned i = 0; i < n; i++)
		report_send(report_take(round, sessions[i]));
	pthread_mutex_lock(&round->pool->lock);
	while (round->pending)
		pthread_cond_wait(&round->over, &round->pool->lock);
	pthread_mutex_unlock(&round->pool->lock);
	if (round->r < 0)
		*err = round->err;
	return round->r;
}

int report_pool_send(struct report_pool *pool, const struct report_batch *batch, struct error *err)
{
	struct round round = {.pool = pool, .batch = batch};
	struct patience p = PATIENCE;
	unsigned *own = calloc(batch->n_sessions, sizeof(*own));
	unsigned *todo = batch->sessions, *spare = own;
	unsigned n = batch->n_sessions;
	int r;

	if (!own)
		return error_internal(err, "memory is short");
	pthread_cond_init(&round.over, NULL);
	for (;;) {
		round.again = spare;
		round.n_again = 0;
		round.r = 0;
		r = round_run(&round, todo, n, err);
		if (round.n_fatal || !patience_again(&p, r, err))
			break;
		spare = todo;
		todo = round.again;
		n = round.n_again;
	}
	tally_add(&pool->im->tally, THING_SESSION, FATE_FAILED, round.n_fatal + round.n_again);
	pthread_cond_destroy(&round.over);
	free(own);
	return r;
}
