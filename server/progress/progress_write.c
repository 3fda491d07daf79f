/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/progress_write.h"

#include "proto/runtime/array.h"
#include "server/base/hash.h"
#include "server/progress/progress_day.h"
#include "server/progress/progress_names.h"

/* What one batch needs besides its items; a batch of combiner-batch reports takes about 1 KiB each. */
enum { BATCH_ARENA_CAP = 64 << 20 };

/* The order of the primary keys, so that two writers never lock two rows in opposite orders. */
static int compare(const void *left, const void *right)
{
	const struct report *a = &((const struct progress_write *)left)->report;
	const struct report *b = &((const struct progress_write *)right)->report;
	int r = ORDER(a->user_id, b->user_id);

	if (!r)
		r = ORDER(a->course_id, b->course_id);
	if (!r)
		r = ORDER(a->epoch, b->epoch);
	if (!r)
		r = ORDER(a->lesson_id, b->lesson_id);
	if (!r)
		r = memcmp(a->session_id, b->session_id, sizeof(a->session_id));
	return r;
}

/* A learner's rows are one lane's, so that lanes do not wait for each other's locks. */
static unsigned lane(const void *item)
{
	const struct progress_write *w = item;

	return hash_id(w->report.user_id);
}

static bool same_course(const struct progress_course_delta *d, const struct report *r)
{
	return d->user_id == r->user_id && d->course_id == r->course_id && d->epoch == r->epoch;
}

/* Sums what the reports of each learner's course added; neighbours, since the batch is in key order. */
static unsigned sum_courses(struct progress_write *const *items, const struct progress_delta *deltas,
			    unsigned n, const struct progress_lesson *merged,
			    struct progress_course_delta *ret)
{
	unsigned n_courses = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct report *r = &items[i]->report;
		struct progress_course_delta *d = n_courses ? &ret[n_courses - 1] : NULL;

		if (!d || !same_course(d, r)) {
			d = &ret[n_courses++];
			*d = (struct progress_course_delta){
				.user_id = r->user_id, .course_id = r->course_id, .epoch = r->epoch};
		}
		d->lessons_completed += merged[i].completed_now;
		d->learning_seconds += deltas[i].added.learning_seconds;
		d->interactions += deltas[i].added.interactions;
		d->questions += deltas[i].added.questions;
		if (d->last_us < r->client_us)
			d->last_us = r->client_us;
	}
	return n_courses;
}

static int append_completions(struct db_conn *conn, struct arena *arena, struct progress_write *const *items,
			      unsigned n, const struct progress_lesson *merged, struct error *err)
{
	struct event *events = arena_array(arena, n, sizeof(*events));
	unsigned n_events = 0;

	if (!events)
		return error_internal(err, "no memory for the events of %u progress reports", n);
	for (unsigned i = 0; i < n; i++) {
		const struct report *p = &items[i]->report;

		if (!merged[i].completed_now)
			continue;
		events[n_events++] = (struct event){
			.event_id = items[i]->event_id,
			.kind = EVENT_PROGRESS_LESSON_COMPLETED,
			.subject_id = p->lesson_id,
			.user_id = p->user_id,
			.course_id = p->course_id,
			.create_us = merged[i].complete_us,
		};
	}
	return n_events ? event_append_many(conn, events, n_events, err) : 0;
}

struct batch {
	const struct report **reports;
	struct progress_delta *deltas;
	struct progress_lesson *merged;
	struct progress_course_delta *courses;
	struct progress_day *days;
};

static bool batch_init(struct batch *b, struct arena *arena, struct progress_write *const *items, unsigned n)
{
	b->reports = arena_array(arena, n, sizeof(*b->reports));
	b->deltas = arena_array(arena, n, sizeof(*b->deltas));
	b->merged = arena_array(arena, n, sizeof(*b->merged));
	b->courses = arena_array(arena, n, sizeof(*b->courses));
	b->days = arena_array(arena, 2 * n, sizeof(*b->days));
	if (arena->exhausted)
		return false;
	for (unsigned i = 0; i < n; i++)
		b->reports[i] = &items[i]->report;
	return true;
}

static int merge(struct app *app, struct db_conn *conn, struct arena *arena,
		 struct progress_write *const *items, unsigned n, unsigned *ret_bad, struct error *err)
{
	const int64_t now_us = clock_now_us(app->clock);
	struct batch b;

	*ret_bad = n;
	if (!batch_init(&b, arena, items, n))
		return error_internal(err, "no memory for a batch of %u progress reports", n);
	int r = progress_store_sessions(conn, arena, b.reports, n, b.deltas, ret_bad, err);
	if (r == 0)
		r = progress_store_lessons(conn, arena, b.reports, b.deltas, n, now_us, b.merged, ret_bad,
					   err);
	if (r < 0)
		return r;
	*ret_bad = n;
	r = progress_store_courses(conn, b.courses, sum_courses(items, b.deltas, n, b.merged, b.courses),
				   err);
	if (r == 0)
		r = progress_day_store_merge(conn, arena, b.days,
					     progress_day_changes(b.reports, b.deltas, n, b.days), now_us,
					     err);
	if (r == 0)
		r = append_completions(conn, arena, items, n, b.merged, err);
	for (unsigned i = 0; r == 0 && i < n; i++)
		items[i]->merged = b.merged[i];
	return r;
}

static int write_batch(void *arg, struct db_conn *conn, void *const *items, unsigned n, unsigned *ret_bad,
		       struct error *err)
{
	struct arena arena;

	arena_init(&arena, BATCH_ARENA_CAP);
	int r = merge(arg, conn, &arena, (struct progress_write *const *)items, n, ret_bad, err);
	arena_done(&arena);
	return r;
}

static void finish(void *arg, void *item, int r, const struct error *err)
{
	struct progress_write *w = item;

	w->done(w, r, err);
}

static int64_t deadline_us(const void *item)
{
	return ((const struct progress_write *)item)->deadline_us;
}

int progress_writer_start(struct app *app, const struct progress_writer_config *writer, struct error *err)
{
	static const struct db_stmt_list *const lists[] = {&progress_stmts, &progress_day_stmts, &event_stmts,
							   NULL};
	const struct combiner_config config = {
		.db = writer->db,
		.stmts = lists,
		.lanes = writer->lanes,
		.queue = writer->queue,
		.batch_max = writer->batch_max,
		.wait_ms = writer->wait_ms,
		.deadline_us = deadline_us,
		.compare = compare,
		.lane = lane,
		.write = write_batch,
		.finish = finish,
		.arg = app,
	};

	return combiner_start(&config, &app->progress, err);
}

void progress_writer_stop(struct app *app)
{
	if (app->progress)
		combiner_stop(app->progress);
	app->progress = NULL;
}
