/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/section_store.h"

#include "edu/v1/edu_service.tables.h"
#include "server/course/course_names.h"
#include "server/db/table.h"

const struct app_resource section_resource = {
	"edu.v1.Section", ID_SECTION, &REASON_SECTION_NOT_FOUND,
	"There is no such section in the draft, or you may not see its course."};

#define WHICH_COLUMNS(F, C, R)                                                                               \
	F(R, "course_id", I64, course_id) C(R, "revision", I64, revision) C(R, "section_id", I64, section_id)
#define EDITED_COLUMNS(F, C, R) F(R, "title", TEXT, title) C(R, "position", INT, position)
#define COLUMNS(F, C, R) WHICH_COLUMNS(F, C, R) EDITED_COLUMNS(C, C, R)
/* As an update has them: what is set, then which. */
#define UPDATE_COLUMNS(F, C, R) EDITED_COLUMNS(F, C, R) WHICH_COLUMNS(C, C, R)
#define ORDER_COLUMNS(F, C, R) F(R, "position", INT, position) WHICH_COLUMNS(C, C, R)
DB_ROW(section_row, struct section, COLUMNS);
DB_ROW(update_row, struct section, UPDATE_COLUMNS);
DB_ROW(order_row, struct section, ORDER_COLUMNS);

#define WHICH " WHERE course_id = ? AND revision = ? AND section_id = ?"

/* Keys are checked row by row: what moves, moves away from where others still are. */
enum stmt { LIST, COURSE, READ, COUNT, INSERT, UPDATE, DELETE, CLOSE_UP, AWAY, ORDER_SET, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[LIST] = {"section_list", "ii", &section_row,
		  DB_SELECT(COLUMNS, " FROM section WHERE course_id = ? AND revision = ? ORDER BY position")},
	[COURSE] = {"section_course", "i", &db_row_i64,
		    "SELECT course_id FROM section WHERE section_id = ? AND revision = 0"},
	[READ] = {"section_read", "iii", &section_row, DB_SELECT(COLUMNS, " FROM section" WHICH)},
	[COUNT] = {"section_count", "i", &db_row_i64,
		   "SELECT MAX(position) FROM section WHERE course_id = ? AND revision = 0"},
	[INSERT] = {"section_insert", DB_LETTERS(COLUMNS), NULL, DB_INSERT("section", COLUMNS)},
	[UPDATE] = {"section_update", DB_LETTERS(UPDATE_COLUMNS), NULL,
		    DB_UPDATE("section", EDITED_COLUMNS, WHICH)},
	[DELETE] = {"section_delete", "iii", NULL, "DELETE FROM section" WHICH},
	[CLOSE_UP] = {"section_close_up", "ii", NULL,
		      "UPDATE section SET position = position - 1"
		      " WHERE course_id = ? AND revision = 0 AND position > ? ORDER BY position"},
	[AWAY] = {"section_away", "i", NULL,
		  "UPDATE section SET position = position + 1000000 WHERE course_id = ? AND revision = 0"},
	[ORDER_SET] = {"section_order_set", DB_LETTERS(ORDER_COLUMNS), NULL,
		       "UPDATE section SET position = ?" WHICH},
};

const struct db_stmt_list section_stmts = {"section", stmts, N_STMTS};

int section_store_list(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t revision,
		       struct section **ret, unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[LIST], DB_ARGS(db_i64(course_id), db_i64(revision)), arena, ret,
			   ret_n, err);
}

int section_store_course(struct db_conn *conn, int64_t section_id, int64_t *ret, struct error *err)
{
	int r = db_read(conn, &stmts[COURSE], DB_ARGS(db_i64(section_id)), NULL, ret, err);
	return r == 0 ? app_not_found(err, &section_resource, section_id) : r < 0 ? r : 0;
}

int section_store_read(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t section_id,
		       struct section *ret, struct error *err)
{
	int r = db_read(conn, &stmts[READ], DB_ARGS(db_i64(course_id), db_i64(0), db_i64(section_id)), arena,
			ret, err);
	return r == 0 ? app_not_found(err, &section_resource, section_id) : r < 0 ? r : 0;
}

int section_store_count(struct db_conn *conn, int64_t course_id, int64_t *ret, struct error *err)
{
	return db_read_one(conn, &stmts[COUNT], DB_ARGS(db_i64(course_id)), NULL, ret, err);
}

int section_store_insert(struct db_conn *conn, const struct section *s, struct error *err)
{
	return db_write(conn, &stmts[INSERT], &section_row, s, DB_NO_ARGS, err);
}

int section_store_insert_all(struct db_conn *conn, const struct section *sections, unsigned n,
			     struct error *err)
{
	return n == 0 ? 0 : db_write_all(conn, &stmts[INSERT], &section_row, sections, n, NULL, NULL, err);
}

int section_store_update(struct db_conn *conn, const struct section *s, struct error *err)
{
	return db_write(conn, &stmts[UPDATE], &update_row, s, DB_NO_ARGS, err);
}

int section_store_remove(struct db_conn *conn, const struct section *s, struct error *err)
{
	int r = db_exec(conn, &stmts[DELETE], DB_ARGS(db_i64(s->course_id), db_i64(0), db_i64(s->section_id)),
			NULL, err);
	return r < 0 ? r
		     : db_exec(conn, &stmts[CLOSE_UP], DB_ARGS(db_i64(s->course_id), db_i64(s->position)),
			       NULL, err);
}

int section_store_reorder(struct db_conn *conn, int64_t course_id, const struct section *sections, unsigned n,
			  struct error *err)
{
	int r = n ? db_exec(conn, &stmts[AWAY], DB_ARGS(db_i64(course_id)), NULL, err) : 0;
	return r < 0 || n == 0
		       ? r
		       : db_write_all(conn, &stmts[ORDER_SET], &order_row, sections, n, NULL, NULL, err);
}
