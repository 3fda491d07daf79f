/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/due.h"

#include "server/db/table.h"

#define DUE_KEY(F, C, R) F(R, "kind", INT, kind) C(R, "subject_id", I64, subject_id)
#define DUE_COLUMNS(F, C, R)                                                                                 \
	DUE_KEY(F, C, R)                                                                                     \
	C(R, "due_time", I64, due_us)                                                                        \
	C(R, "attempts", INT, attempts)                                                                      \
	C(R, DB_NOW_US, I64, now_us)
DB_ROW(due_row, struct due, DUE_COLUMNS);
DB_ROW(key_row, struct due, DUE_KEY);

#define LINE_COLUMNS(F, C, R)                                                                                \
	F(R, "kind", INT, kind) C(R, "MIN(due_time)", I64, first_us) C(R, DB_NOW_US, I64, now_us)
DB_ROW(line_row, struct due_line, LINE_COLUMNS);

enum stmt { AT, IN, DROP, LOOK, COUNT, STANDS, BEGIN_KIND, CLAIM, LOCK, TAKE, TAKE_ON, PUT_OFF, N_STMTS };

#define PUT_SQL(time, sets)                                                                                  \
	"INSERT INTO due (kind, subject_id, due_time, attempts) VALUES (?, ?, " time                         \
	", 0) ON DUPLICATE KEY UPDATE " sets
#define ANEW "due_time = VALUES(due_time), attempts = 0"
#define ROW " WHERE kind = ? AND subject_id = ?"

static const struct db_stmt stmts[N_STMTS] = {
	[AT] = {"due_at", "iii", NULL, PUT_SQL("?", ANEW)},
	[IN] = {"due_in", "iii", NULL, PUT_SQL(DB_NOW_US " + ?", ANEW)},
	[DROP] = {"due_drop", "ii", NULL, "DELETE FROM due" ROW},
	/* A step into the index for each kind there is, however many rows it has. */
	[LOOK] = {"due_look", "", &line_row,
		  DB_SELECT(LINE_COLUMNS, " FROM due FORCE INDEX (due_line) GROUP BY kind")},
	[COUNT] =
		{"due_count", "i", &db_row_i64,
		 "SELECT COUNT(*) FROM due FORCE INDEX (due_line) WHERE kind = ? AND due_time <= " DB_NOW_US},
	/* Without a lock: another server may be doing it. */
	[STANDS] = {"due_stands", "ii", &db_row_i64, "SELECT 1 FROM due" ROW},
	[BEGIN_KIND] = {"due_begin", "ii", NULL, PUT_SQL(DB_NOW_US, "attempts = attempts")},
	[CLAIM] = {"due_claim", "ii", &due_row,
		   DB_SELECT(DUE_COLUMNS,
			     " FROM due FORCE INDEX (due_line) WHERE kind = ? AND due_time <= " DB_NOW_US
			     " ORDER BY due_time LIMIT ? FOR UPDATE SKIP LOCKED")},
	[LOCK] = {"due_lock", "iii", &db_row_i64,
		  "SELECT 1 FROM due" ROW " AND due_time = ? FOR UPDATE SKIP LOCKED"},
	[TAKE] = {"due_take", DB_LETTERS(DUE_KEY), NULL, "DELETE FROM due" ROW},
	[TAKE_ON] = {"due_take_on", "iii", NULL,
		     "UPDATE due SET due_time = " DB_NOW_US " + ?, attempts = 0" ROW},
	[PUT_OFF] = {"due_put_off", "iii", NULL,
		     "UPDATE due SET due_time = ?, attempts = LEAST(attempts + 1, 4294967295)" ROW},
};
const struct db_stmt_list due_stmts = {"due", stmts, N_STMTS};

/* --- for those who want something done --- */

int due_at(struct db_conn *conn, int kind, int64_t subject_id, int64_t time_us, struct error *err)
{
	return db_exec(conn, &stmts[AT], DB_ARGS(db_i64(kind), db_i64(subject_id), db_i64(time_us)), NULL,
		       err);
}

int due_in(struct db_conn *conn, int kind, int64_t subject_id, int64_t after_us, struct error *err)
{
	return db_exec(conn, &stmts[IN], DB_ARGS(db_i64(kind), db_i64(subject_id), db_i64(after_us)), NULL,
		       err);
}

int due_drop(struct db_conn *conn, int kind, int64_t subject_id, struct error *err)
{
	return db_exec(conn, &stmts[DROP], DB_ARGS(db_i64(kind), db_i64(subject_id)), NULL, err);
}

/* --- for the runner --- */

int due_look(struct db_conn *conn, struct arena *arena, struct due_line **ret, unsigned *ret_n,
	     struct error *err)
{
	return db_read_all(conn, &stmts[LOOK], DB_NO_ARGS, arena, ret, ret_n, err);
}

int due_count(struct db_conn *conn, int kind, int64_t *ret, struct error *err)
{
	return db_read_one(conn, &stmts[COUNT], DB_ARGS(db_i64(kind)), NULL, ret, err);
}

int due_begin(struct db_conn *conn, const struct due_kind *kind, struct error *err)
{
	int r = db_found(conn, &stmts[STANDS], DB_ARGS(db_i64(kind->number), db_i64(0)), err);
	if (r == 0)
		r = db_exec(conn, &stmts[BEGIN_KIND], DB_ARGS(db_i64(kind->number), db_i64(0)), NULL, err);
	return r < 0 ? r : 0;
}

int due_claim(struct db_conn *conn, const struct due_kind *kind, unsigned n, struct due *ret, unsigned *ret_n,
	      struct error *err)
{
	struct arena arena;
	struct due *rows;
	arena_init(&arena, 2 * n * sizeof(*rows) + 4096);
	int r = db_read_all(conn, &stmts[CLAIM], DB_ARGS(db_i64(kind->number), db_i64(n)), &arena, &rows,
			    ret_n, err);
	for (unsigned i = 0; r == 0 && i < *ret_n; i++)
		ret[i] = rows[i];
	arena_done(&arena);
	return r;
}

int due_lock(struct db_conn *conn, const struct due *due, struct error *err)
{
	return db_found(conn, &stmts[LOCK],
			DB_ARGS(db_i64(due->kind), db_i64(due->subject_id), db_i64(due->due_us)), err);
}

int due_take(struct db_conn *conn, const struct due_kind *kind, const struct due *rows, unsigned n,
	     struct error *err)
{
	int r = 0;
	if (!kind->every_us)
		return db_write_all(conn, &stmts[TAKE], &key_row, rows, n, NULL, NULL, err);
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = db_exec(conn, &stmts[TAKE_ON],
			    DB_ARGS(db_i64(kind->every_us), db_i64(rows[i].kind), db_i64(rows[i].subject_id)),
			    NULL, err);
	return r;
}

int due_put_off(struct db_conn *conn, struct due *due, int64_t until_us, struct error *err)
{
	int r = db_exec(conn, &stmts[PUT_OFF],
			DB_ARGS(db_i64(until_us), db_i64(due->kind), db_i64(due->subject_id)), NULL, err);
	if (r == 0)
		due->due_us = until_us;
	return r;
}
