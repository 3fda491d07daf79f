/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/progress_marks.h"

#include <stdio.h>
#include <time.h>

#include "server/db/lease.h"
#include "server/progress/progress_day_store.h"
#include "server/progress/progress_names.h"

enum { DAY_SECONDS = 86400, PAYLOAD_MAX = 32 };

#define ARENA_CAP (PROGRESS_MARKS_BATCH * (size_t)1024)

struct taking {
	struct app *app;
	int64_t until_us;
	unsigned n;
};

/* Which day it is: {"day":"2026-11-27"}. */
static struct span payload(struct arena *arena, int64_t day)
{
	char *text = arena_alloc(arena, PAYLOAD_MAX);
	time_t seconds = day * DAY_SECONDS;
	struct tm utc;

	if (!text)
		return (struct span){0};
	gmtime_r(&seconds, &utc);
	return span_of(text, strftime(text, PAYLOAD_MAX, "{\"day\":\"%Y-%m-%d\"}", &utc));
}

static int append(struct taking *t, struct db_conn *conn, struct arena *arena,
		  const struct progress_mark *marks, unsigned n, struct error *err)
{
	struct event *events = arena_array(arena, n, sizeof(*events));
	const int64_t now_us = clock_now_us(t->app->clock);
	int r = 0;

	if (!events)
		return arena_full(err);
	for (unsigned i = 0; r == 0 && i < n; i++) {
		events[i] = (struct event){
			.kind = EVENT_PROGRESS_RECORDED,
			.subject_id = marks[i].course_id,
			.user_id = marks[i].user_id,
			.course_id = marks[i].course_id,
			.create_us = now_us,
			.payload = payload(arena, marks[i].day),
		};
		r = node_lease_new_id(t->app->node, &events[i].event_id, err);
	}
	if (r == 0)
		r = arena_check(arena, err);
	return r < 0 ? r : event_append_many(conn, events, n, err);
}

/*
 * Memberships are read by a statement of its own, after the one that locked the days: it sees whoever joined
 * before a change that is in them. Who joins later did so after these changes, which are not for him to see;
 * what changes from now on waits for the lock, and marks anew. Who has left would not see an event that is
 * placed after his leaving, and who is back sees one more than he needs: it only tells what to read anew.
 */
static int tell(struct taking *t, struct db_conn *conn, struct arena *arena,
		const struct progress_mark *marks, struct error *err)
{
	struct progress_mark *told = NULL;
	unsigned n = 0;
	int r = progress_day_store_marks_to_tell(conn, arena, marks, t->n, &told, &n, err);

	return r < 0 || n == 0 ? r : append(t, conn, arena, told, n, err);
}

static int take(struct taking *t, struct db_conn *conn, struct arena *arena, struct error *err)
{
	struct progress_mark *marks = NULL;
	int r = progress_day_store_lock_marks(conn, arena, t->until_us, PROGRESS_MARKS_BATCH, &marks, &t->n,
					      err);

	if (r < 0 || t->n == 0)
		return r;
	r = progress_day_store_unmark(conn, marks, t->n, err);
	if (r >= 0)
		r = tell(t, conn, arena, marks, err);
	return r < 0 ? r : progress_day_store_clear_marks(conn, marks, t->n, err);
}

static int take_batch(struct db_conn *conn, void *arg, struct error *err)
{
	struct arena arena;

	arena_init(&arena, ARENA_CAP);
	int r = take(arg, conn, &arena, err);
	arena_done(&arena);
	return r;
}

int progress_marks_take(struct app *app, struct db_conn *conn, int64_t until_us, struct error *err)
{
	struct taking t = {.app = app, .until_us = until_us};
	/* Asked before anything is locked: most of the time there is nothing. */
	int r = progress_day_store_marks_due(conn, until_us, err);

	if (r <= 0)
		return r;
	/* Its ids are new in each run; what is not known to have been done is left to the next turn. */
	r = db_transaction(conn, false, take_batch, &t, err);
	return r < 0 ? r : (int)t.n;
}

int progress_marks_turn(struct app *app, struct db_conn *conn, int64_t until_us, struct error *err)
{
	int n = PROGRESS_MARKS_BATCH;

	for (int taken = 0; n == PROGRESS_MARKS_BATCH && taken < PROGRESS_MARKS_TURN; taken += n) {
		n = progress_marks_take(app, conn, until_us, err);
		if (n < 0)
			return n;
	}
	return 0;
}
