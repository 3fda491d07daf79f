/* SPDX-License-Identifier: Apache-2.0 */
#include "server/jobs/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/db/guard.h"
#include "server/jobs/line.h"

enum {
	POLL_MS = 500,
	TIME_MS = 10000,
	LOCK_WAIT_S = 1,    /* then others that were to be done with it wait no longer */
	LOOK_MAX = 1 << 20, /* bytes */
	KINDS = 1 << 16,
};

#define MEASURE_US (10 * SECOND_US)

struct worker {
	struct jobs *jobs;
	struct db_conn *conn;
	pthread_t thread;
	bool started, first;
	bool in_trouble;    /* the database is away, and the log says so */
	int64_t measure_us; /* monotonic: when to */
};

struct jobs {
	struct jobs_config config;
	struct db_config db;
	struct job_line *lines;
	struct worker *workers;
	_Atomic bool stopping;
	pthread_mutex_t lock; /* for waiting */
	pthread_cond_t wake;
	pthread_mutex_t slow;       /* of the one thread that works on slow kinds */
	uint8_t unknown[KINDS / 8]; /* kinds the log has named; the first worker's */
	struct metric *unknown_rows;
};

/* --- a round: a look, and a turn for each kind that is due --- */

static struct job_line *find_line(struct jobs *j, int kind)
{
	for (unsigned i = 0; i < j->config.n_jobs; i++)
		if (j->lines[i].kind->number == kind)
			return &j->lines[i];
	return NULL;
}

struct round {
	int done;         /* turns that did something */
	int64_t pause_us; /* until something is due that is not yet, or the next look */
};

/* How long the first row has been due, or minus how long it is not yet. Whatever stands in the rows: one from
 * before the epoch is due since then. */
static int64_t lag_us(const struct due_line *seen)
{
	return seen->now_us - (seen->first_us > 0 ? seen->first_us : 0);
}

/* Slow kinds share one of the threads. */
static int run_line(struct worker *w, struct job_line *line, struct error *err)
{
	if (!atomic_load(&line->slow))
		return job_line_turn(line, w->conn, err);
	if (pthread_mutex_trylock(&w->jobs->slow) != 0)
		return 0;
	int r = job_line_turn(line, w->conn, err);
	pthread_mutex_unlock(&w->jobs->slow);
	return r;
}

static int take_turn(struct worker *w, const struct due_line *seen, struct round *round, struct error *err)
{
	struct job_line *line = find_line(w->jobs, seen->kind);
	const int64_t lag = lag_us(seen);
	if (!line)
		return 0;
	metric_set(line->lag, lag > 0 ? lag / 1000000 : 0);
	if (lag < 0) {
		if (-lag < round->pause_us)
			round->pause_us = -lag;
		return 0;
	}
	int r = run_line(w, line, err);
	round->done += r > 0;
	return r < 0 ? r : 0;
}

/* A kind that nobody waits in has no lag. */
static void clear_lags(struct jobs *j, const struct due_line *seen, unsigned n)
{
	for (unsigned i = 0; i < j->config.n_jobs; i++) {
		bool waits = false;
		for (unsigned k = 0; k < n; k++)
			waits |= seen[k].kind == j->lines[i].kind->number;
		if (!waits)
			metric_set(j->lines[i].lag, 0);
	}
}

static int count_unknown(struct worker *w, const struct due_line *seen, unsigned n, struct error *err)
{
	struct jobs *j = w->jobs;
	int64_t rows = 0, sum = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned at = (uint16_t)seen[i].kind;
		if (find_line(j, seen[i].kind))
			continue;
		int r = due_count(w->conn, seen[i].kind, &rows, err);
		if (r < 0)
			return r;
		sum += rows;
		if (!(j->unknown[at / 8] & (1u << at % 8)))
			log_warning("jobs kind=%d is not known to this server: its rows wait for another",
				    seen[i].kind);
		j->unknown[at / 8] |= (uint8_t)(1u << at % 8);
	}
	metric_set(j->unknown_rows, sum);
	return 0;
}

static int measure(struct worker *w, const struct due_line *seen, unsigned n, struct error *err)
{
	struct jobs *j = w->jobs;
	int64_t now_us = monotonic_us();
	if (!w->first || now_us < w->measure_us)
		return 0;
	w->measure_us = now_us + MEASURE_US;
	if (j->config.measure)
		j->config.measure(w->conn, j->config.arg);
	return count_unknown(w, seen, n, err);
}

/* A turn for each; what one kind's rows cannot be taken for is told, and keeps no other. */
static int take_turns(struct worker *w, const struct due_line *seen, unsigned n, struct round *round,
		      struct error *err)
{
	int r = 0;
	for (unsigned i = 0; i < n && !atomic_load(&w->jobs->stopping); i++) {
		struct error trouble;
		int s = take_turn(w, &seen[i], round, &trouble);
		if (s < 0 && r == 0) {
			r = s;
			*err = trouble;
		}
	}
	return r;
}

static int do_round(struct worker *w, struct round *round, struct error *err)
{
	struct arena arena;
	struct due_line *seen;
	unsigned n = 0;
	arena_init(&arena, LOOK_MAX);
	db_set_deadline(w->conn, monotonic_us() + TIME_MS * INT64_C(1000));
	int r = due_look(w->conn, &arena, &seen, &n, err);
	if (r == 0) {
		clear_lags(w->jobs, seen, n);
		r = measure(w, seen, n, err);
	}
	if (r == 0)
		r = take_turns(w, seen, n, round, err);
	arena_done(&arena);
	return r;
}

/* --- the threads --- */

static void pause_for(struct jobs *j, int64_t us)
{
	const struct timespec until = timespec_of_us(monotonic_us() + us);
	pthread_mutex_lock(&j->lock);
	while (!atomic_load(&j->stopping) && pthread_cond_timedwait(&j->wake, &j->lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&j->lock);
}

static void tell_trouble(struct worker *w, int r, const struct error *err)
{
	if (r < 0 && !w->in_trouble)
		log_warning("jobs: %s", err->message);
	else if (r == 0 && w->in_trouble)
		log_info("jobs: at work again");
	w->in_trouble = r < 0;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct jobs *j = w->jobs;
	const int64_t poll_us = (j->config.poll_ms ? j->config.poll_ms : POLL_MS) * INT64_C(1000);
	while (!atomic_load(&j->stopping)) {
		struct round round = {.pause_us = poll_us};
		struct error err;
		int r = do_round(w, &round, &err);
		if (atomic_load(&j->stopping))
			break;
		tell_trouble(w, r, &err);
		if (round.done == 0)
			pause_for(j, round.pause_us);
	}
	return NULL;
}

/* --- from outside --- */

static int check_kinds(const struct jobs_config *config, struct error *err)
{
	for (unsigned i = 0; i < config->n_jobs; i++)
		for (unsigned k = 0; k < i; k++)
			if (config->jobs[i].kind->number == config->jobs[k].kind->number)
				return error_internal(err, "the jobs %s and %s have one number",
						      config->jobs[i].kind->name, config->jobs[k].kind->name);
	return 0;
}

static int make_lines(struct jobs *j, struct error *err)
{
	j->lines = calloc(j->config.n_jobs + 1, sizeof(*j->lines));
	j->workers = calloc(j->config.threads + 1, sizeof(*j->workers));
	if (!j->lines || !j->workers)
		return error_internal(err, "out of memory for the jobs");
	const int time_ms = j->config.time_ms ? j->config.time_ms : TIME_MS;
	for (unsigned i = 0; i < j->config.n_jobs; i++)
		job_line_init(&j->lines[i], &j->config.jobs[i], time_ms, &j->stopping);
	j->unknown_rows = metric_gauge("edu_due_unknown_rows",
				       "Rows that are due and of a kind that this release does not know: a "
				       "newer one put them.",
				       NULL);
	return 0;
}

/* What recurs has its row from the first start on. */
static int begin_kinds(struct jobs *j, struct db_conn *conn, struct error *err)
{
	int r = 0;
	for (unsigned i = 0; r == 0 && i < j->config.n_jobs; i++)
		if (j->lines[i].kind->every_us)
			r = due_begin(conn, j->lines[i].kind, err);
	return r;
}

static int start_worker(struct jobs *j, unsigned index, struct error *err)
{
	struct worker *w = &j->workers[index];
	w->jobs = j;
	w->first = index == 0;
	int r = db_open(&j->db, j->config.stmts, &w->conn, err);
	if (r < 0)
		return r;
	db_set_lock_wait(w->conn, LOCK_WAIT_S);
	db_set_unwanted(w->conn, &j->stopping);
	if (w->first)
		r = begin_kinds(j, w->conn, err);
	if (r == 0) {
		int e = pthread_create(&w->thread, NULL, work, w);
		w->started = e == 0;
		if (e)
			return error_internal(err, "cannot start a thread for the jobs: %s", strerror(e));
		pthread_setname_np(w->thread, "jobs");
	}
	return r;
}

int jobs_start(const struct jobs_config *config, struct jobs **ret, struct error *err)
{
	int r = check_kinds(config, err);
	if (r < 0)
		return r;
	struct jobs *j = calloc(1, sizeof(*j));
	if (!j)
		return error_internal(err, "out of memory for the jobs");
	j->config = *config;
	j->db = *config->db;
	pthread_mutex_init(&j->lock, NULL);
	pthread_mutex_init(&j->slow, NULL);
	cond_init_monotonic(&j->wake);
	r = make_lines(j, err);
	for (unsigned i = 0; r == 0 && i < config->threads; i++)
		r = start_worker(j, i, err);
	if (r < 0) {
		jobs_stop(j);
		return r;
	}
	*ret = j;
	return 0;
}

void jobs_end(struct jobs *j)
{
	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	atomic_store(&j->stopping, true);
	pthread_cond_broadcast(&j->wake);
	pthread_mutex_unlock(&j->lock);
	for (unsigned i = 0; j->workers && i < j->config.threads; i++)
		if (j->workers[i].started)
			db_interrupt(j->workers[i].conn);
}

void jobs_stop(struct jobs *j)
{
	if (!j)
		return;
	jobs_end(j);
	for (unsigned i = 0; j->workers && i < j->config.threads; i++) {
		if (j->workers[i].started)
			pthread_join(j->workers[i].thread, NULL);
		db_close(j->workers[i].conn);
	}
	pthread_cond_destroy(&j->wake);
	pthread_mutex_destroy(&j->slow);
	pthread_mutex_destroy(&j->lock);
	free(j->workers);
	free(j->lines);
	free(j);
}
