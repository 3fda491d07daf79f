/* SPDX-License-Identifier: Apache-2.0 */
#include "server/lesson/content_store.h"

#include "server/course/course_names.h"
#include "server/db/table.h"

const struct app_resource content_resource = {
	"edu.v1.Content", ID_CONTENT, &REASON_CONTENT_NOT_FOUND,
	"There is no such content, or it is not there, or you may not see it."};

#define ONWARD_COLUMNS(F, C, R)                                                                              \
	F(R, "content.role", INT, role)                                                                      \
	C(R, "content.language", TEXT, language)                                                             \
	C(R, "content.file_name", TEXT, file_name)                                                           \
	C(R, "content.content_type", TEXT, content_type)                                                     \
	C(R, "content.size_bytes", I64, size_bytes)                                                          \
	C(R, "content.sha256", FIXED, sha256)                                                                \
	C(R, "content.creator_id", I64, creator_id)                                                          \
	C(R, "content.create_time", I64, create_us)
#define CONTENT_COLUMNS(F, C, R)                                                                             \
	F(R, "content.content_id", I64, content_id)                                                          \
	C(R, "content.course_id", I64, course_id)                                                            \
	C(R, "content.lesson_id", I64, lesson_id) ONWARD_COLUMNS(C, C, R)
DB_ROW(content_row, struct content, CONTENT_COLUMNS);

/* The same of where it is held, which may be a copy of what it was made for. */
#define HELD_COLUMNS(F, C, R)                                                                                \
	F(R, "content.content_id", I64, content_id)                                                          \
	C(R, "h.course_id", I64, course_id)                                                                  \
	C(R, "h.lesson_id", I64, lesson_id) ONWARD_COLUMNS(C, C, R)
DB_ROW(held_row, struct content, HELD_COLUMNS);

struct body {
	char *text;
};
#define BODY_COLUMNS(F, C, R) F(R, "body", TEXT, text)
DB_ROW(body_row, struct body, BODY_COLUMNS);

struct old {
	int64_t content_id;
};
#define OLD_COLUMNS(F, C, R) F(R, "content_id", I64, content_id)
DB_ROW(old_row, struct old, OLD_COLUMNS);

#define IS_HELD "EXISTS (SELECT 1 FROM lesson_content h WHERE h.content_id = content.content_id)"

enum stmt {
	INSERT,
	READ,
	LOCK,
	HOLD,
	LIST,
	BODY,
	MEDIA_PUBLISHED,
	ATTACH,
	USED,
	DETACH,
	UNUSED,
	PICK,
	REMOVE,
	AGE,
	N_STMTS
};

static const struct db_stmt stmts[N_STMTS] = {
	[INSERT] = {"content_insert", DB_LETTERS(CONTENT_COLUMNS) "si", NULL,
		    "INSERT INTO content (" DB_NAMES(CONTENT_COLUMNS) ", body, unused_time)"
								      " VALUES (" DB_MARKS(
									      CONTENT_COLUMNS) ", ?, ?)"},
	[READ] = {"content_read", "i", &content_row,
		  DB_SELECT(CONTENT_COLUMNS, " FROM content WHERE content_id = ?")},
	[LOCK] = {"content_lock", "i", &content_row,
		  DB_SELECT(CONTENT_COLUMNS, " FROM content WHERE content_id = ? FOR UPDATE")},
	[HOLD] = {"content_hold", "i", &db_row_i64,
		  "SELECT content_id FROM content WHERE content_id = ? FOR UPDATE"},
	[LIST] = {"content_list", "iii", &held_row,
		  DB_SELECT(
			  HELD_COLUMNS,
			  " FROM lesson_content h STRAIGHT_JOIN content ON content.content_id = h.content_id"
			  " WHERE h.course_id = ? AND h.revision = ? AND h.lesson_id = ?"
			  " ORDER BY h.role, h.content_id")},
	[BODY] = {"content_body", "i", &body_row,
		  DB_SELECT(BODY_COLUMNS, " FROM content WHERE content_id = ?")},
	[MEDIA_PUBLISHED] = {"content_media_published", "ii", &db_row_i64,
			     "SELECT revision FROM lesson_content WHERE course_id = ? AND revision > 0"
			     " AND lesson_id = ? AND role = 1 LIMIT 1"},
	[ATTACH] = {"content_attach", "iiii", NULL,
		    "INSERT INTO lesson_content (course_id, revision, lesson_id, role, content_id)"
		    " VALUES (?, 0, ?, ?, ?) ON DUPLICATE KEY UPDATE content_id = VALUES(content_id)"},
	[USED] = {"content_used", "i", NULL, "UPDATE content SET unused_time = NULL WHERE content_id = ?"},
	[DETACH] =
		{"content_detach", "iiii", NULL,
		 "DELETE FROM lesson_content"
		 " WHERE course_id = ? AND revision = 0 AND lesson_id = ? AND role = ? AND content_id = ?"},
	[UNUSED] = {"content_unused", "ii", NULL,
		    "UPDATE content SET unused_time = ? WHERE content_id = ? AND NOT " IS_HELD},
	[PICK] = {"content_pick_old", "ii", &old_row,
		  DB_SELECT(OLD_COLUMNS,
			    " FROM content FORCE INDEX (content_unused) WHERE unused_time <= " DB_NOW_US
			    " - ?"
			    " AND NOT " IS_HELD " ORDER BY unused_time LIMIT ? FOR UPDATE SKIP LOCKED")},
	[REMOVE] = {"content_remove", DB_LETTERS(OLD_COLUMNS), NULL,
		    "DELETE FROM content WHERE content_id = ?"},
	[AGE] = {"content_age", "", &db_row_i64, RETENTION_AGE_SQL("content", "unused_time")},
};
const struct db_stmt_list content_stmts = {"content", stmts, N_STMTS};
const struct retention content_retention = {
	.pick = &stmts[PICK],
	.remove = &stmts[REMOVE],
	.age = &stmts[AGE],
};

int content_not_found(struct error *err, int64_t content_id)
{
	return app_not_found(err, &content_resource, content_id);
}

int content_store_insert(struct db_conn *conn, const struct content *c, const char *body, struct error *err)
{
	return db_write(conn, &stmts[INSERT], &content_row, c, DB_ARGS(db_str(body), db_i64(c->create_us)),
			err);
}

static int read_one(struct db_conn *conn, enum stmt stmt, struct arena *arena, int64_t content_id,
		    struct content *ret, struct error *err)
{
	int r = db_read(conn, &stmts[stmt], DB_ARGS(db_i64(content_id)), arena, ret, err);

	return r == 0 ? content_not_found(err, content_id) : r < 0 ? r : 0;
}

int content_store_read(struct db_conn *conn, struct arena *arena, int64_t content_id, struct content *ret,
		       struct error *err)
{
	return read_one(conn, READ, arena, content_id, ret, err);
}

int content_store_lock(struct db_conn *conn, struct arena *arena, int64_t content_id, struct content *ret,
		       struct error *err)
{
	return read_one(conn, LOCK, arena, content_id, ret, err);
}

int content_store_list(struct db_conn *conn, struct arena *arena, const struct content_place *place,
		       struct content **ret, unsigned *ret_n, struct error *err)
{
	return db_read_all(
		conn, &stmts[LIST],
		DB_ARGS(db_i64(place->course_id), db_i64(place->revision), db_i64(place->lesson_id)), arena,
		ret, ret_n, err);
}

int content_store_body(struct db_conn *conn, struct arena *arena, int64_t content_id, char **ret,
		       struct error *err)
{
	struct body body;
	int r = db_read_one(conn, &stmts[BODY], DB_ARGS(db_i64(content_id)), arena, &body, err);

	if (r >= 0)
		*ret = body.text;
	return r;
}

int content_store_media_published(struct db_conn *conn, int64_t course_id, int64_t lesson_id,
				  struct error *err)
{
	return db_found(conn, &stmts[MEDIA_PUBLISHED], DB_ARGS(db_i64(course_id), db_i64(lesson_id)), err);
}

int content_store_attach(struct db_conn *conn, int64_t course_id, const struct content *c, struct error *err)
{
	int r = db_exec(
		conn, &stmts[ATTACH],
		DB_ARGS(db_i64(course_id), db_i64(c->lesson_id), db_i64(c->role), db_i64(c->content_id)),
		NULL, err);
	return r < 0 ? r : db_exec(conn, &stmts[USED], DB_ARGS(db_i64(c->content_id)), NULL, err);
}

int content_store_detach(struct db_conn *conn, const struct content_place *place, const struct content *c,
			 int64_t now_us, struct error *err)
{
	/* As copies of the course may hold it too: the last that ceases to sees that it is. */
	int r = db_found(conn, &stmts[HOLD], DB_ARGS(db_i64(c->content_id)), err);
	if (r >= 0)
		r = db_exec(conn, &stmts[DETACH],
			    DB_ARGS(db_i64(place->course_id), db_i64(place->lesson_id), db_i64(c->role),
				    db_i64(c->content_id)),
			    NULL, err);
	return r < 0 ? r
		     : db_exec(conn, &stmts[UNUSED], DB_ARGS(db_i64(now_us), db_i64(c->content_id)), NULL,
			       err);
}
