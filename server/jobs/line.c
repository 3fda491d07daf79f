/* SPDX-License-Identifier: Apache-2.0 */
#include "server/jobs/line.h"

#include <inttypes.h>
#include <stdlib.h>

#include "server/base/clock.h"
#include "server/base/log.h"

enum { TOGETHER_MAX = 256 };

/* How long a kind's turn is; one that took so much longer shares a thread with the others of that sort. */
#define TURN_US (INT64_C(20) * 1000)
#define SLOW_US (INT64_C(300) * 1000)

/* How long a row that fails waits: a second, then twice as long each time, up to an hour; and a quarter more
 * or less, so that those that failed together do not meet again. */
#define WAIT_US SECOND_US
#define WAIT_MAX_US HOUR_US
enum { WAIT_DOUBLINGS = 12 };

/* Rows that may be done in one transaction. */
static unsigned together(const struct due_kind *kind)
{
	unsigned n = kind->together ? kind->together : 1;
	return n < TOGETHER_MAX ? n : TOGETHER_MAX;
}

void job_line_init(struct job_line *line, const struct job *job, int time_ms, const _Atomic bool *stopping)
{
	const struct due_kind *kind = job->kind;
	line->kind = kind;
	line->arg = job->arg;
	line->time_ms = time_ms;
	line->stopping = stopping;
	atomic_init(&line->alone, together(kind));
	atomic_init(&line->slow, false);
	line->done = metric_counter("edu_due_done_total", "Rows of the table due that this server did.",
				    kind->labels);
	line->failed = metric_counter(
		"edu_due_failed_total",
		"Attempts of this server at rows of due that failed; they are tried again.", kind->labels);
	line->lag = metric_gauge("edu_due_lag_seconds",
				 "How long ago the oldest row of due should have been done.", kind->labels);
}

/* --- a transaction --- */

struct turn {
	struct job_line *line;
	unsigned n;
	bool retried; /* the first row that is due has failed before */
	struct due rows[TOGETHER_MAX];
	int64_t due_us; /* of a row that was set aside: when it was due before */
};

static int stopping(struct error *err)
{
	return error_raise(err, &RPC_REASON_CALL_CANCELLED, "The server is stopping.");
}

/* Takes locked rows away and does what they say. */
static int run_rows(struct db_conn *conn, struct turn *t, struct error *err)
{
	const struct job_line *line = t->line;
	int r = due_take(conn, line->kind, t->rows, t->n, err);
	for (unsigned i = 0; r >= 0 && i < t->n; i++) {
		if (atomic_load(line->stopping))
			return stopping(err);
		r = line->kind->run(conn, &t->rows[i], line->arg, err);
	}
	return r < 0 ? r : 0;
}

/* Rows that failed before are none of those that are done together. */
static int together_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct turn *t = arg;
	unsigned n = 0;
	t->n = 0;
	int r = due_claim(conn, t->line->kind, together(t->line->kind), t->rows, &n, err);
	t->retried = n > 0 && t->rows[0].attempts > 0;
	while (r == 0 && t->n < n && t->rows[t->n].attempts == 0)
		t->n++;
	return r == 0 && t->n > 0 ? run_rows(conn, t, err) : r;
}

static int64_t wait_us(unsigned attempts)
{
	int64_t us = WAIT_US << (attempts < WAIT_DOUBLINGS ? attempts : WAIT_DOUBLINGS);
	if (us > WAIT_MAX_US)
		us = WAIT_MAX_US;
	return us / 4 * 3 + arc4random_uniform((uint32_t)(us / 2));
}

static int set_aside_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct turn *t = arg;
	struct due *due = &t->rows[0];
	int r = due_claim(conn, t->line->kind, 1, due, &t->n, err);
	if (r < 0 || t->n == 0)
		return r;
	t->due_us = due->due_us;
	return due_put_off(conn, due, due->now_us + wait_us(due->attempts), err);
}

static int alone_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct turn *t = arg;
	struct due aside = t->rows[0];
	int r = due_lock(conn, &aside, err);
	t->n = r > 0; /* else somebody has done it, moved it or dropped it since */
	if (r <= 0)
		return r;
	t->rows[0].due_us = t->due_us;
	r = run_rows(conn, t, err);
	t->rows[0] = aside;
	return r;
}

/* --- a kind's turn: whether something was done, or negative when it is the database that fails --- */

static int transaction(struct db_conn *conn, db_body body, struct turn *t, struct error *err)
{
	db_set_deadline(conn, monotonic_us() + t->line->time_ms * INT64_C(1000));
	return db_transaction(conn, true, body, t, err);
}

static int run_together(struct db_conn *conn, struct turn *t, struct error *err)
{
	struct job_line *line = t->line;
	int r = transaction(conn, together_body, t, err);
	if (r < 0 && (t->n == 0 || atomic_load(line->stopping)))
		return r;
	if (r < 0 || t->retried)
		atomic_store(&line->alone, t->n ? t->n : 1);
	else
		metric_add(line->done, t->n);
	return r < 0 || t->retried ? 1 : (int)t->n;
}

static void tell_failed(const struct turn *t, const struct error *err)
{
	const struct due *due = &t->rows[0];
	struct log_text text;
	metric_add(t->line->failed, 1);
	log_warning("job failed kind=%s subject=%" PRId64 " attempts=%u again_in_s=%.1f error=%s",
		    t->line->kind->name, due->subject_id, due->attempts + 1,
		    (due->due_us - due->now_us) / 1e6, log_quote(&text, err->message));
}

static void count_down(atomic_uint *n)
{
	unsigned was = atomic_load(n);
	while (was > 0 && !atomic_compare_exchange_weak(n, &was, was - 1))
		;
}

static int run_alone(struct db_conn *conn, struct turn *t, struct error *err)
{
	struct job_line *line = t->line;
	int r = transaction(conn, set_aside_body, t, err);
	if (r < 0 || t->n == 0)
		return r;
	r = transaction(conn, alone_body, t, err);
	if (atomic_load(line->stopping) && r < 0)
		return r;
	if (r < 0) {
		tell_failed(t, err);
		atomic_store(&line->alone, together(line->kind));
		return 1;
	}
	metric_add(line->done, t->n);
	count_down(&line->alone);
	return 1;
}

static int run_once(struct db_conn *conn, struct job_line *line, struct error *err)
{
	struct turn t = {.line = line};

	return atomic_load(&line->alone) > 0 ? run_alone(conn, &t, err) : run_together(conn, &t, err);
}

int job_line_turn(struct job_line *line, struct db_conn *conn, struct error *err)
{
	int64_t began_us = monotonic_us(), took_us;
	int r, n = 0;
	do {
		r = run_once(conn, line, err);
		n += r > 0;
		took_us = monotonic_us() - began_us;
	} while (r > 0 && took_us < TURN_US && !atomic_load(line->stopping));
	atomic_store(&line->slow, took_us > SLOW_US);
	return r < 0 ? r : n;
}
