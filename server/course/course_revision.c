/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_revision.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "server/course/course_store.h"

#define COUNT_COLUMNS(F, C, R) COUNT_COLUMNS_IN(F, C, R, )
#define COUNT_COLUMNS_IN(F, C, R, in)                                                                        \
	F(R, "lessons_added", INT, in lessons_added)                                                         \
	C(R, "lessons_removed", INT, in lessons_removed)                                                     \
	C(R, "lessons_changed", INT, in lessons_changed)                                                     \
	C(R, "lessons_moved", INT, in lessons_moved)                                                         \
	C(R, "sections_added", INT, in sections_added)                                                       \
	C(R, "sections_removed", INT, in sections_removed)                                                   \
	C(R, "sections_changed", INT, in sections_changed)                                                   \
	C(R, "sections_moved", INT, in sections_moved)
DB_ROW(counts_row, struct course_revision_counts, COUNT_COLUMNS);

struct revision_row {
	struct course_revision of;
	char *instructors; /* JSON */
	struct course texts;
};
#define CHANGE_COLUMNS(F, C, R, in)                                                                          \
	F(R, "course_id", I64, in course_id)                                                                 \
	C(R, "revision", I64, in revision)                                                                   \
	C(R, "publish_time", I64_OR_NULL, in publish_us)                                                     \
	C(R, "changed_fields", TEXT, in changed_fields)                                                      \
	COUNT_COLUMNS_IN(C, C, R, in counts.)
#define LISTED_COLUMNS(F, C, R) CHANGE_COLUMNS(F, C, R, )
DB_ROW(listed_row, struct course_revision, LISTED_COLUMNS);

#define REVISION_COLUMNS(F, C, R)                                                                            \
	CHANGE_COLUMNS(F, C, R, of.)                                                                         \
	C(R, "instructors", TEXT, instructors)                                                               \
	COURSE_TEXT_COLUMNS(C, C, R, "", texts.)                                                             \
	COURSE_LONG_TEXT_COLUMNS(C, C, R, "", texts.)
DB_ROW(revision_row, struct revision_row, REVISION_COLUMNS);

/* The same with what other tables have of it. */
#define WHOLE_COLUMNS(F, C, R)                                                                               \
	REVISION_COLUMNS(F, C, R)                                                                            \
	C(R,                                                                                                 \
	  "(SELECT COUNT(*) FROM lesson_revision l WHERE l.course_id = course_revision.course_id"            \
	  " AND l.revision = course_revision.revision)",                                                     \
	  INT, texts.lesson_count)                                                                           \
	C(R, COURSE_CONTENT_COLUMN("course_revision"), TEXT, texts.text.content)
DB_ROW(whole_row, struct revision_row, WHOLE_COLUMNS);

enum stmt { READ, WHOLE, LIST, COUNT, FREEZE, REPLACE, DELETE, N_STMTS };

/* One row for each table, of its rows in two revisions of a course, `n` and before that `o`. */
#define COUNTS(table, what, changed, moved)                                                                  \
	"(SELECT (SELECT COUNT(*) FROM " table " WHERE course_id = ? AND revision = ?) - COUNT(*) AS " what  \
	"s_added, (SELECT COUNT(*) FROM " table " WHERE course_id = ? AND revision = ?) - COUNT(*) AS " what \
	"s_removed, CAST(COALESCE(SUM(changed), 0) AS SIGNED) AS " what "s_changed,"                         \
	" CAST(COALESCE(SUM(moved), 0) AS SIGNED) AS " what "s_moved FROM (SELECT " changed " AS changed, "  \
	"ROW_NUMBER() OVER (ORDER BY n.position) <> ROW_NUMBER() OVER (ORDER BY o.position)" moved           \
	" AS moved FROM " table " n STRAIGHT_JOIN " table                                                    \
	" o ON o.course_id = n.course_id AND o.revision = ?"                                                 \
	" AND o." what "_id = n." what "_id WHERE n.course_id = ? AND n.revision = ?) both_have) of_" what

/* What a lesson holds in revision `a` and not in `b`. */
#define HELD_ONLY(a, b)                                                                                      \
	" OR EXISTS (SELECT 1 FROM lesson_content c WHERE c.course_id = n.course_id AND c.revision = " a     \
	".revision AND c.lesson_id = n.lesson_id AND NOT EXISTS (SELECT 1 FROM lesson_content d"             \
	" WHERE d.course_id = c.course_id AND d.revision = " b ".revision AND d.lesson_id = c.lesson_id"     \
	" AND d.role = c.role AND d.content_id = c.content_id))"

static const struct db_stmt stmts[N_STMTS] = {
	[READ] = {"course_revision_read", "ii", &revision_row,
		  DB_SELECT(REVISION_COLUMNS, " FROM course_revision WHERE course_id = ? AND revision = ?")},
	[WHOLE] = {"course_revision_whole", "ii", &whole_row,
		   DB_SELECT(WHOLE_COLUMNS, " FROM course_revision WHERE course_id = ? AND revision = ?")},
	[LIST] = {"course_revision_list", "iii", &listed_row,
		  DB_SELECT(LISTED_COLUMNS, " FROM course_revision WHERE course_id = ? AND revision > 0"
					    " AND revision < ? ORDER BY revision DESC LIMIT ?")},
	[COUNT] = {"course_revision_count", "iiiiiiiiiiiiii", &counts_row,
		   DB_SELECT(COUNT_COLUMNS,
			     " FROM " COUNTS(
				     "lesson_revision", "lesson",
				     "NOT (n.title = o.title AND n.external_id <=> o.external_id"
				     " AND n.duration_seconds = o.duration_seconds"
				     " AND n.weight = o.weight AND n.free_preview = o.free_preview"
				     " AND n.release_time <=> o.release_time"
				     " AND n.release_after_days = o.release_after_days"
				     " AND n.quiz_id = o.quiz_id)" HELD_ONLY("n", "o") HELD_ONLY("o", "n"),
				     " OR n.section_id <> o.section_id") ", " COUNTS("section", "section",
										     "n.title <> o.title",
										     ""))},
	[FREEZE] = {"course_revision_freeze", DB_LETTERS(REVISION_COLUMNS), NULL,
		    DB_INSERT("course_revision", REVISION_COLUMNS)},
	[REPLACE] = {"course_revision_replace", DB_LETTERS(REVISION_COLUMNS), NULL,
		     "REPLACE INTO course_revision (" DB_NAMES(REVISION_COLUMNS) ") VALUES (" DB_MARKS(
			     REVISION_COLUMNS) ")"},
	[DELETE] = {"course_revision_delete", "i", NULL,
		    "DELETE FROM course_revision WHERE course_id = ? AND revision = 0"},
};

const struct db_stmt_list course_revision_stmts = {"course_revision", stmts, N_STMTS};

/* --- instructors as a row has them --- */

static char *instructors_to_json(struct arena *arena, const struct course *c)
{
	char *text = arena_strdup(arena, "[");
	for (unsigned i = 0; text && i < c->n_instructors; i++)
		text = arena_printf(arena, "%s%s{\"user_id\":%" PRId64 ",\"share_basis_points\":%d}", text,
				    i ? "," : "", c->instructors[i].user_id,
				    c->instructors[i].share_basis_points);
	return text ? arena_printf(arena, "%s]", text) : NULL;
}

static int instructors_of_json(const char *json, struct course *ret, struct error *err)
{
	json_t *array = json_loads(json, 0, NULL);
	json_int_t user_id;
	int share;

	for (size_t i = 0; i < json_array_size(array) && i < COURSE_INSTRUCTORS_MAX_ITEMS; i++)
		if (json_unpack(json_array_get(array, i), "{sIsi}", "user_id", &user_id, "share_basis_points",
				&share) == 0)
			ret->instructors[ret->n_instructors++] = (struct course_share){user_id, share};
	const bool whole = array && ret->n_instructors == json_array_size(array);
	json_decref(array);
	return whole ? 0 : error_internal(err, "a revision's instructors are no list of them");
}

/* --- what review is about --- */

static bool same_objectives(const struct course *a, const struct course *b)
{
	bool same = a->n_objectives == b->n_objectives;
	for (size_t i = 0; same && i < a->n_objectives; i++)
		same = strcmp(a->objectives[i], b->objectives[i]) == 0;
	return same;
}

static bool same_instructors(const struct course *a, const struct course *b)
{
	bool same = a->n_instructors == b->n_instructors;
	for (unsigned i = 0; same && i < a->n_instructors; i++)
		same = a->instructors[i].user_id == b->instructors[i].user_id &&
		       a->instructors[i].share_basis_points == b->instructors[i].share_basis_points;
	return same;
}

/* The names of the fields that differ, a JSON array; NULL when memory is out. */
static char *differences(struct arena *arena, const struct course *a, const struct course *b)
{
	const struct {
		const char *name;
		bool same;
	} fields[] = {
		{"title", strcmp(a->title, b->title) == 0},
		{"summary", strcmp(a->summary, b->summary) == 0},
		{"description", strcmp(a->description, b->description) == 0},
		{"objectives", same_objectives(a, b)},
		{"audience", strcmp(a->audience, b->audience) == 0},
		{"prerequisites", strcmp(a->prerequisites, b->prerequisites) == 0},
		{"subject_id", a->subject_id == b->subject_id},
		{"level", a->level == b->level},
		{"language", strcmp(a->language, b->language) == 0},
		{"license", strcmp(a->license, b->license) == 0},
		{"instructors", same_instructors(a, b)},
		{"planned_learning_hours", a->planned_learning_hours == b->planned_learning_hours},
	};
	char *names[ARRAY_SIZE(fields)];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!fields[i].same)
			names[n++] = (char *)fields[i].name;
	return course_texts_to_json(arena, names, n);
}

/* --- the draft beside --- */

struct course *course_begin_draft(struct arena *arena, struct course *c)
{
	if (!c->revision)
		return c;
	if (!c->beside)
		c->beside = arena_memdup(arena, c, sizeof(*c));
	return c->beside;
}

/* What a row has, of a course. */
static int texts_of_row(struct arena *arena, const struct revision_row *row, struct course *ret,
			struct error *err)
{
	struct course texts = row->texts;
	int r = course_texts_of_json(arena, texts.text.objectives, &texts.objectives, &texts.n_objectives,
				     err);
	if (r >= 0)
		r = instructors_of_json(row->instructors, &texts, err);
	if (r >= 0)
		r = arena_check(arena, err);
	if (r >= 0)
		ret->texts = texts.texts;
	return r;
}

static int write_row(struct db_conn *conn, struct arena *arena, const struct db_stmt *stmt,
		     const struct course *texts, struct revision_row *row, struct error *err)
{
	row->of.course_id = texts->course_id;
	row->instructors = instructors_to_json(arena, texts);
	int r = course_to_row(texts, arena, &row->texts, err);
	if (r >= 0)
		r = row->instructors && row->of.changed_fields ? 0 : arena_full(err);
	return r < 0 ? r : db_write(conn, stmt, &revision_row, row, DB_NO_ARGS, err);
}

int course_revision_read_draft(struct db_conn *conn, struct arena *arena, struct course *c, struct error *err)
{
	struct revision_row row;
	struct course *beside = course_begin_draft(arena, c);
	int r = beside ? db_read_one(conn, &stmts[READ], DB_ARGS(db_i64(c->course_id), db_i64(0)), arena,
				     &row, err)
		       : arena_full(err);
	return r < 0 ? r : texts_of_row(arena, &row, beside, err);
}

int course_revision_write_draft(struct db_conn *conn, struct arena *arena, const struct course *c,
				struct error *err)
{
	char none[] = "[]";
	struct revision_row row = {.of = {.changed_fields = none}};
	return write_row(conn, arena, &stmts[REPLACE], c->beside ? c->beside : c, &row, err);
}

/* --- publication --- */

static int take_over(struct db_conn *conn, struct arena *arena, struct course *c,
		     const struct course_grant_ids *grants, struct error *err)
{
	const struct course before = *c;
	c->texts = before.beside->texts;
	c->beside = NULL;
	int r = db_exec(conn, &stmts[DELETE], DB_ARGS(db_i64(c->course_id)), NULL, err);
	if (r < 0 || same_instructors(&before, c))
		return r;
	r = course_store_set_instructors(conn, c, err);
	return r < 0 ? r : course_follow_instructors(conn, arena, &before, c, c->publish_us, grants, err);
}

/* Of the first everything is added: no revision has the number -1. */
static int count_changes(struct db_conn *conn, const struct course *c, struct course_revision_counts *ret,
			 struct error *err)
{
	const struct db_value course = db_i64(c->course_id), n = db_i64(c->revision),
			      o = db_i64(c->revision > 1 ? c->revision - 1 : -1);
	int r = db_read(conn, &stmts[COUNT],
			DB_ARGS(course, n, course, o, o, course, n, course, n, course, o, o, course, n), NULL,
			ret, err);
	return r < 0 ? r : 0;
}

int course_publish(struct db_conn *conn, struct arena *arena, struct course *c,
		   const struct course_grant_ids *grants, struct error *err)
{
	struct revision_row row = {.of = {.revision = c->revision, .publish_us = c->publish_us}};
	row.of.changed_fields = differences(arena, c, c->beside ? c->beside : c);
	int r = c->beside ? take_over(conn, arena, c, grants, err) : 0;
	if (r >= 0)
		r = count_changes(conn, c, &row.of.counts, err);
	return r < 0 ? r : write_row(conn, arena, &stmts[FREEZE], c, &row, err);
}

/* --- what was published --- */

int course_revision_list(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t before,
			 unsigned limit, struct course_revision **ret, unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[LIST], DB_ARGS(db_i64(course_id), db_i64(before), db_i64(limit)),
			   arena, ret, ret_n, err);
}

int course_revision_read(struct db_conn *conn, struct arena *arena, int64_t revision, struct course *c,
			 struct course_revision *ret, struct error *err)
{
	struct revision_row row;
	struct course was = {
		.course_id = c->course_id,
		.creator_id = c->creator_id,
		.external_id = c->external_id,
		.stage = c->stage,
		.create_us = c->create_us,
		.revision = revision,
	};
	int r = db_read(conn, &stmts[WHOLE], DB_ARGS(db_i64(c->course_id), db_i64(revision)), arena, &row,
			err);
	if (r == 0)
		return course_revision_not_found(c->revision, err);
	if (r > 0)
		r = texts_of_row(arena, &row, &was, err);
	if (r < 0)
		return r;
	was.publish_us = row.of.publish_us;
	was.lesson_count = row.texts.lesson_count;
	was.text.content = row.texts.text.content;
	course_content_of_row(&was);
	*c = was;
	*ret = row.of;
	return 0;
}
