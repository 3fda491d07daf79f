/* SPDX-License-Identifier: Apache-2.0 */
#include "server/quiz/quiz_store.h"

#include "proto/runtime/array.h"
#include "server/db/table.h"

#define COLUMNS(F, C, R)                                                                                     \
	F(R, "quiz_id", I64, quiz_id)                                                                        \
	C(R, "course_id", I64, course_id)                                                                    \
	C(R, "lesson_id", I64, lesson_id)                                                                    \
	C(R, "creator_id", I64, creator_id)                                                                  \
	C(R, "create_time", I64, create_us)                                                                  \
	C(R, "shown", BYTES, packed.shown)                                                                   \
	C(R, "whole", BYTES, packed.whole)
DB_ROW(quiz_row, struct quiz, COLUMNS);

#define WHOLE_COLUMNS(F, C, R)                                                                               \
	F(R, "q.create_time", I64, create_us)                                                                \
	C(R, "q.whole", BYTES, packed)
DB_ROW(whole_row, struct quiz_found, WHOLE_COLUMNS);
#define SHOWN_COLUMNS(F, C, R)                                                                               \
	F(R, "q.create_time", I64, create_us)                                                                \
	C(R, "q.shown", BYTES, packed)
DB_ROW(shown_row, struct quiz_found, SHOWN_COLUMNS);

#define OF_LESSON                                                                                            \
	" FROM lesson_revision l JOIN quiz q ON q.quiz_id = l.quiz_id"                                       \
	" WHERE l.course_id = ? AND l.revision = ? AND l.lesson_id = ?"

enum { INSERT, READ_WHOLE, READ_SHOWN };

static const struct db_stmt stmts[] = {
	[INSERT] = {"quiz_insert", DB_LETTERS(COLUMNS), NULL, DB_INSERT("quiz", COLUMNS)},
	[READ_WHOLE] = {"quiz_read_whole", "iii", &whole_row, DB_SELECT(WHOLE_COLUMNS, OF_LESSON)},
	[READ_SHOWN] = {"quiz_read_shown", "iii", &shown_row, DB_SELECT(SHOWN_COLUMNS, OF_LESSON)},
};

const struct db_stmt_list quiz_stmts = {"quiz", stmts, ARRAY_SIZE(stmts)};

int quiz_store_insert(struct db_conn *conn, const struct quiz *q, struct error *err)
{
	return db_write(conn, &stmts[INSERT], &quiz_row, q, DB_NO_ARGS, err);
}

int quiz_store_read(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t revision,
		    int64_t lesson_id, bool solved, struct quiz_found *ret, struct error *err)
{
	return db_read(conn, &stmts[solved ? READ_WHOLE : READ_SHOWN],
		       DB_ARGS(db_i64(course_id), db_i64(revision), db_i64(lesson_id)), arena, ret, err);
}
