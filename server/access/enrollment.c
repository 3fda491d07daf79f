/* SPDX-License-Identifier: Apache-2.0 */
#include "server/access/enrollment.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "proto/runtime/array.h"
#include "server/access/access_names.h"
#include "server/db/event.h"
#include "server/db/table.h"

struct epoch {
	int64_t epoch, start_us;
};
#define EPOCH_COLUMNS(F, C, R) F(R, "epoch", I64, epoch) C(R, "start_time", I64, start_us)
DB_ROW(epoch_row, struct epoch, EPOCH_COLUMNS);

#define START_COLUMNS(F, C, R)                                                                               \
	F(R, "user_id", I64, user_id)                                                                        \
	C(R, "course_id", I64, course_id)                                                                    \
	C(R, "start_time", I64, start_us)
DB_ROW(start_row, struct enrollment_start, START_COLUMNS);

enum { READ, BEGIN };

static const struct db_stmt stmts[] = {
	[READ] = {"enrollment_read", "ii", &epoch_row,
		  DB_SELECT(EPOCH_COLUMNS, " FROM enrollment WHERE user_id = ? AND course_id = ?")},
	[BEGIN] = {"enrollment_begin", DB_LETTERS(START_COLUMNS), NULL,
		   DB_UPSERT("enrollment", START_COLUMNS, " start_time = enrollment.start_time")},
};

const struct db_stmt_list enrollment_stmts = {"enrollment", stmts, ARRAY_SIZE(stmts)};

int enrollment_read(struct db_conn *conn, int64_t user_id, int64_t course_id, int64_t *ret_epoch,
		    int64_t *ret_start_us, struct error *err)
{
	struct epoch e = {0};
	int r = db_read(conn, &stmts[READ], DB_ARGS(db_i64(user_id), db_i64(course_id)), NULL, &e, err);

	*ret_epoch = e.epoch;
	*ret_start_us = e.start_us;
	return r;
}

int enrollment_begin(struct db_conn *conn, const struct enrollment_start *start, struct error *err)
{
	struct db_value values[DB_COUNT(START_COLUMNS)];
	const struct event event = {
		.event_id = start->event_id,
		.kind = EVENT_ENROLLMENT_STARTED,
		.subject_id = start->course_id,
		.user_id = start->user_id,
		.course_id = start->course_id,
		.create_us = start->now_us,
	};
	uint64_t written;

	db_row_values(&start_row, start, values);
	int r = db_exec(conn, &stmts[BEGIN], values, ARRAY_SIZE(values), &written, err);
	if (r < 0 || !written)
		return r;
	r = event_append(conn, &event, err);
	return r < 0 ? r : 1;
}

/* --- accesses --- */

/* Reads the next one and moves *text behind it; false at the end. */
static bool next(const char **text, struct enrollment_access *ret)
{
	int64_t v[7];

	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		char *end;

		v[i] = strtoll(*text, &end, 10);
		if (end == *text)
			return false;
		*text = *end ? end + 1 : end;
	}
	*ret = (struct enrollment_access){v[0], v[1], (int)v[2], v[3], v[4], v[5], v[6]};
	return true;
}

static int latest_first(const void *left, const void *right)
{
	const struct enrollment_access *a = left, *b = right;
	int r = ORDER(b->start_us, a->start_us);

	return r ? r : ORDER(b->grant_id, a->grant_id);
}

struct enrollment_access *enrollment_accesses(struct arena *arena, const char *text, unsigned *ret_n)
{
	unsigned n = 0;

	for (const char *p = text; *p; p++)
		n += *p == ',';
	struct enrollment_access *ret = arena_array(arena, n + 1, sizeof(*ret));
	*ret_n = 0;
	while (ret && *ret_n <= n && next(&text, &ret[*ret_n]))
		++*ret_n;
	if (ret)
		qsort(ret, *ret_n, sizeof(*ret), latest_first);
	return ret;
}

static bool ended(const struct enrollment_access *a, int64_t at_us)
{
	return a->revoke_us || (a->expire_us && (a->expire_us <= at_us || a->expire_us <= a->start_us));
}

EnrollmentState enrollment_state_at(const struct enrollment_access *accesses, unsigned n, int64_t at_us)
{
	static_assert(ENROLLMENT_STATE_SCHEDULED == EnrollmentState_MAX,
		      "each state follows from the accesses");
	EnrollmentState state = ENROLLMENT_STATE_ENDED;

	for (unsigned i = 0; i < n; i++) {
		if (ended(&accesses[i], at_us))
			continue;
		if (accesses[i].start_us <= at_us)
			return ENROLLMENT_STATE_ACTIVE;
		state = ENROLLMENT_STATE_SCHEDULED;
	}
	return state;
}
