/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/subject_store.h"

#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/ids.h"
#include "server/course/course_names.h"
#include "server/db/table.h"

static const struct app_resource subject_resource = {"edu.v1.Subject", ID_SUBJECT, &REASON_SUBJECT_NOT_FOUND,
						     "There is no such subject."};

#define COLUMNS(F, C, R)                                                                                     \
	F(R, "subject_id", I64, subject_id)                                                                  \
	C(R, "name_en", TEXT, name_en)                                                                       \
	C(R, "name_zh", TEXT, name_zh)                                                                       \
	C(R, "create_time", I64, create_us)
DB_ROW(subject_row, struct subject, COLUMNS);

enum stmt { INSERT, LIST, EXISTS, BY_NAME_EN, BY_NAME_ZH, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[INSERT] = {"subject_insert", DB_LETTERS(COLUMNS), NULL, DB_INSERT("subject", COLUMNS)},
	[LIST] = {"subject_list", "ii", &subject_row,
		  DB_SELECT(COLUMNS, " FROM subject WHERE subject_id > ? ORDER BY subject_id LIMIT ?")},
	[EXISTS] = {"subject_exists", "i", &db_row_i64, "SELECT 1 FROM subject WHERE subject_id = ?"},
	[BY_NAME_EN] = {"subject_by_name_en", "s", &db_row_i64,
			"SELECT subject_id FROM subject WHERE name_en = ?"},
	[BY_NAME_ZH] = {"subject_by_name_zh", "s", &db_row_i64,
			"SELECT subject_id FROM subject WHERE name_zh = ?"},
};

const struct db_stmt_list subject_stmts = {"subject", stmts, N_STMTS};

static int name_in_use(struct db_conn *conn, const struct subject *s, struct error *err)
{
	const bool english = strcmp(db_duplicate_key(conn), "subject_name_en_key") == 0;
	const struct db_stmt *holder = &stmts[english ? BY_NAME_EN : BY_NAME_ZH];
	int64_t other;
	int r = db_read(conn, holder, DB_ARGS(db_str(english ? s->name_en : s->name_zh)), NULL, &other, err);
	if (r < 0)
		return r;
	if (r == 0) /* the other was undone meanwhile */
		return error_raise(err, &RPC_REASON_CONFLICT,
				   "Another subject was being made with this name.");
	error_raise(err, &REASON_SUBJECT_NAME_IN_USE, "Another subject has this name; use that one.");
	r = error_add_metadata(err, "field", "%s", english ? "name_en" : "name_zh");
	return r < 0 ? app_name_resource(err, &subject_resource, other) : r;
}

int subject_store_insert(struct db_conn *conn, const struct subject *s, struct error *err)
{
	int r = db_write(conn, &stmts[INSERT], &subject_row, s, DB_NO_ARGS, err);
	return r == -STATUS_ALREADY_EXISTS ? name_in_use(conn, s, err) : r;
}

int subject_store_list(struct db_conn *conn, struct arena *arena, int64_t after_id, unsigned limit,
		       struct subject **ret, unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[LIST], DB_ARGS(db_i64(after_id), db_i64(limit)), arena, ret, ret_n,
			   err);
}

int subject_require(struct db_conn *conn, int64_t subject_id, struct error *err)
{
	if (!subject_id)
		return 0;
	int r = db_found(conn, &stmts[EXISTS], DB_ARGS(db_i64(subject_id)), err);
	return r == 0 ? app_not_found(err, &subject_resource, subject_id) : r < 0 ? r : 0;
}
