/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_store.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/ids.h"

/*
 * Two lists ride on a course's row as text, so that a page of courses is one statement:
 * "user_id:share,..." and "currency:minor_units,...".
 */
#define LISTED_COLUMNS                                                                                       \
	"c.course_id, c.creator_id, c.external_id, c.title, c.summary, c.subject, c.language, c.license, "   \
	"c.level, "                                                                                          \
	"c.pricing, c.planned_learning_hours, c.state, c.lesson_count, c.revision, c.create_us, "            \
	"c.update_us, "                                                                                      \
	"c.publish_us, "                                                                                     \
	"(SELECT GROUP_CONCAT(i.user_id, ':', i.share_basis_points ORDER BY i.position)"                     \
	" FROM course_instructor i WHERE i.course_id = c.course_id), "                                       \
	"(SELECT GROUP_CONCAT(p.currency_code, ':', p.minor_units ORDER BY p.position)"                      \
	" FROM course_price p WHERE p.course_id = c.course_id)"
#define LISTED_TYPES "iissssssiiiiiiiiiss"
#define WHOLE_COLUMNS LISTED_COLUMNS ", c.description, c.audience, c.prerequisites, c.objectives"
#define WHOLE_TYPES LISTED_TYPES "ssss"

enum listed_column {
	COURSE_ID,
	CREATOR_ID,
	EXTERNAL_ID,
	TITLE,
	SUMMARY,
	SUBJECT,
	LANGUAGE,
	LICENSE,
	LEVEL,
	PRICING,
	PLANNED,
	STATE,
	LESSON_COUNT,
	REVISION,
	CREATE_US,
	UPDATE_US,
	PUBLISH_US,
	INSTRUCTORS,
	PRICES,
	DESCRIPTION,
	AUDIENCE,
	PREREQUISITES,
	OBJECTIVES,
};

/*
 * A page of the catalogue. A filter that is not set is a NULL or 0 parameter; the optimizer, which sees the
 * parameters, drops it. The index is forced, because on a guess of "half of the rows" the optimizer prefers
 * to walk the whole state from its end, and a page would cost what lies before it. The price is a scalar
 * subquery, not EXISTS, which the optimizer would turn into a read of the whole price table.
 */
#define FILTERS                                                                                              \
	" AND (? IS NULL OR c.subject_key = LOWER(?)) AND (? IS NULL OR c.language = ?)"                     \
	" AND (? = 0 OR c.level = ?) AND (? = 0 OR c.pricing = 1)"                                           \
	" AND (? IS NULL OR (SELECT q.minor_units FROM course_price q"                                       \
	" WHERE q.course_id = c.course_id AND q.currency_code = ?) BETWEEN ? AND ?)"
#define FILTER_TYPES "ssssiiissii"

#define CATALOGUE(index)                                                                                     \
	"SELECT " LISTED_COLUMNS " FROM course c FORCE INDEX (" index ") WHERE c.state = ?" FILTERS
#define NEWEST_PAGE " AND c.course_id < ? ORDER BY c.course_id DESC LIMIT ?"
#define TITLE_PAGE                                                                                           \
	" AND c.title_key >= ? AND (c.title_key > ? OR c.course_id > ?) ORDER BY c.title_key, c.course_id "  \
	"LIMIT ?"

#define INSTRUCTOR                                                                                           \
	"SELECT " LISTED_COLUMNS " FROM course_instructor t FORCE INDEX (course_instructor_user)"            \
	" JOIN course c ON c.course_id = t.course_id WHERE t.user_id = ?"                                    \
	" AND (? IS NULL OR (c.creator_id = ? AND c.external_id = ?)) AND (? = 0 OR c.state = ?)" FILTERS
#define INSTRUCTOR_TYPES "isisii" FILTER_TYPES

/* By price alone the price index is walked: a range or a currency that few courses have costs no read of all
 * courses. */
#define PRICED                                                                                               \
	"SELECT STRAIGHT_JOIN " LISTED_COLUMNS " FROM course_price t FORCE INDEX (course_price_newest)"      \
	" JOIN course c ON c.course_id = t.course_id"                                                        \
	" WHERE t.currency_code = ? AND t.minor_units BETWEEN ? AND ? AND c.state = ?" FILTERS
#define PRICED_TYPES "siii" FILTER_TYPES

enum stmt {
	READ,
	LOCK,
	INSERT,
	UPDATE,
	BY_EXTERNAL_ID,
	INSTRUCTORS_DELETE,
	INSTRUCTORS_INSERT,
	PRICES_DELETE,
	PRICES_INSERT,
	TERMS,
	/* The catalogue's, in the order of catalogue_stmt(). */
	NEWEST,
	SUBJECT_NEWEST,
	LANGUAGE_NEWEST,
	BY_TITLE,
	SUBJECT_BY_TITLE,
	LANGUAGE_BY_TITLE,
	INSTRUCTOR_NEWEST,
	INSTRUCTOR_BY_TITLE,
	PRICE_NEWEST,
	N_STMTS,
};

static const struct db_stmt stmts[N_STMTS] = {
	[READ] = {"course_read", "i", WHOLE_TYPES,
		  "SELECT " WHOLE_COLUMNS " FROM course c WHERE c.course_id = ?"},
	[LOCK] = {"course_lock", "i", "i", "SELECT course_id FROM course WHERE course_id = ? FOR UPDATE"},
	[INSERT] = {"course_insert", "iissssssssssiiiiiiiii", "",
		    "INSERT INTO course (course_id, creator_id, external_id, title, summary, description, "
		    "objectives,"
		    " audience, prerequisites, subject, language, license, level, pricing, "
		    "planned_learning_hours, state,"
		    " lesson_count, revision, create_us, update_us, publish_us)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
	[UPDATE] = {"course_update", "sssssssssiiiiiiiii", "",
		    "UPDATE course SET title = ?, summary = ?, description = ?, objectives = ?, audience = ?,"
		    " prerequisites = ?, subject = ?, language = ?, license = ?, level = ?, pricing = ?,"
		    " planned_learning_hours = ?, state = ?, lesson_count = ?, revision = ?, update_us = ?, "
		    "publish_us = ?"
		    " WHERE course_id = ?"},
	[BY_EXTERNAL_ID] = {"course_by_external_id", "is", "i",
			    "SELECT course_id FROM course WHERE creator_id = ? AND external_id = ?"},
	[INSTRUCTORS_DELETE] = {"course_instructors_delete", "i", "",
				"DELETE FROM course_instructor WHERE course_id = ?"},
	[INSTRUCTORS_INSERT] =
		{"course_instructors_insert", "iiii", "",
		 "INSERT INTO course_instructor (course_id, user_id, position, share_basis_points)"
		 " VALUES (?, ?, ?, ?)"},
	[PRICES_DELETE] = {"course_prices_delete", "i", "", "DELETE FROM course_price WHERE course_id = ?"},
	[PRICES_INSERT] = {"course_prices_insert", "isii", "",
			   "INSERT INTO course_price (course_id, currency_code, minor_units, position)"
			   " VALUES (?, ?, ?, ?)"},
	[TERMS] = {"course_terms", "si", "iiisiiiiii",
		   "SELECT c.course_id, c.revision, c.state, c.title, c.lesson_count, "
		   "c.planned_learning_hours, c.pricing,"
		   " p.minor_units, i.user_id, i.share_basis_points FROM course c"
		   " LEFT JOIN course_price p ON p.course_id = c.course_id AND p.currency_code = ?"
		   " LEFT JOIN course_instructor i ON i.course_id = c.course_id"
		   " WHERE c.course_id = ? ORDER BY i.position"},
	[NEWEST] = {"course_list_newest", "i" FILTER_TYPES "ii", LISTED_TYPES,
		    CATALOGUE("course_newest") NEWEST_PAGE},
	[SUBJECT_NEWEST] = {"course_list_subject_newest", "i" FILTER_TYPES "ii", LISTED_TYPES,
			    CATALOGUE("course_subject_newest") NEWEST_PAGE},
	[LANGUAGE_NEWEST] = {"course_list_language_newest", "i" FILTER_TYPES "ii", LISTED_TYPES,
			     CATALOGUE("course_language_newest") NEWEST_PAGE},
	[BY_TITLE] = {"course_list_title", "i" FILTER_TYPES "ssii", LISTED_TYPES,
		      CATALOGUE("course_title") TITLE_PAGE},
	[SUBJECT_BY_TITLE] = {"course_list_subject_title", "i" FILTER_TYPES "ssii", LISTED_TYPES,
			      CATALOGUE("course_subject_title") TITLE_PAGE},
	[LANGUAGE_BY_TITLE] = {"course_list_language_title", "i" FILTER_TYPES "ssii", LISTED_TYPES,
			       CATALOGUE("course_language_title") TITLE_PAGE},
	[INSTRUCTOR_NEWEST] = {"course_list_instructor_newest", INSTRUCTOR_TYPES "ii", LISTED_TYPES,
			       INSTRUCTOR " AND t.course_id < ? ORDER BY t.course_id DESC LIMIT ?"},
	[INSTRUCTOR_BY_TITLE] = {"course_list_instructor_title", INSTRUCTOR_TYPES "ssii", LISTED_TYPES,
				 INSTRUCTOR TITLE_PAGE},
	[PRICE_NEWEST] = {"course_list_price_newest", PRICED_TYPES "ii", LISTED_TYPES,
			  PRICED " AND t.course_id < ? ORDER BY t.course_id DESC LIMIT ?"},
};

const struct db_stmt_list course_stmts = {"course", stmts, N_STMTS};

/* --- reading --- */

static void read_instructors(const char *text, struct course *ret)
{
	char *end;
	for (; *text && ret->n_instructors < COURSE_INSTRUCTORS_MAX; text = *end ? end + 1 : end) {
		struct course_share *share = &ret->instructors[ret->n_instructors++];
		share->user_id = strtoll(text, &end, 10);
		share->share_basis_points = (int)strtol(end + 1, &end, 10);
	}
}

static void read_prices(const char *text, struct course *ret)
{
	char *end;
	for (; *text && ret->n_prices < COURSE_PRICES_MAX; text = *end ? end + 1 : end) {
		struct course_price *price = &ret->prices[ret->n_prices++];
		memcpy(price->currency_code, text, 3);
		price->minor_units = strtoll(text + 4, &end, 10);
	}
}

static int read_objectives(const char *text, struct arena *arena, struct course *ret, struct error *err)
{
	json_t *array = json_loads(text, 0, NULL);
	if (!json_is_array(array)) {
		json_decref(array);
		return error_internal(err, "the objectives of course %" PRId64 " are no array",
				      ret->course_id);
	}
	ret->objectives = arena_array(arena, json_array_size(array) + 1, sizeof(char *));
	for (size_t i = 0; ret->objectives && i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);
		ret->objectives[i] = arena_strndup(arena, json_string_value(item), json_string_length(item));
		ret->n_objectives = i + 1;
	}
	json_decref(array);
	return 0;
}

static void read_listed(const struct db_rows *rows, struct arena *arena, struct course *ret)
{
	const char *instructors = db_col_str(rows, INSTRUCTORS, arena),
		   *prices = db_col_str(rows, PRICES, arena);
	*ret = (struct course){
		.course_id = db_col_i64(rows, COURSE_ID),
		.creator_id = db_col_i64(rows, CREATOR_ID),
		.external_id = db_is_null(rows, EXTERNAL_ID) ? NULL : db_col_str(rows, EXTERNAL_ID, arena),
		.title = db_col_str(rows, TITLE, arena),
		.summary = db_col_str(rows, SUMMARY, arena),
		.subject = db_col_str(rows, SUBJECT, arena),
		.language = db_col_str(rows, LANGUAGE, arena),
		.license = db_col_str(rows, LICENSE, arena),
		.level = (int)db_col_i64(rows, LEVEL),
		.pricing = (enum course_pricing)db_col_i64(rows, PRICING),
		.planned_learning_hours = (int)db_col_i64(rows, PLANNED),
		.state = (enum course_state)db_col_i64(rows, STATE),
		.lesson_count = (int)db_col_i64(rows, LESSON_COUNT),
		.revision = db_col_i64(rows, REVISION),
		.create_us = db_col_i64(rows, CREATE_US),
		.update_us = db_col_i64(rows, UPDATE_US),
		.publish_us = db_col_i64(rows, PUBLISH_US),
	};
	if (instructors)
		read_instructors(instructors, ret);
	if (prices)
		read_prices(prices, ret);
}

static int read_whole(const struct db_rows *rows, struct arena *arena, struct course *ret, struct error *err)
{
	const char *objectives = db_col_str(rows, OBJECTIVES, arena);
	read_listed(rows, arena, ret);
	ret->description = db_col_str(rows, DESCRIPTION, arena);
	ret->audience = db_col_str(rows, AUDIENCE, arena);
	ret->prerequisites = db_col_str(rows, PREREQUISITES, arena);
	return objectives ? read_objectives(objectives, arena, ret, err) : 0;
}

int course_store_read(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
		      struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query_row(conn, &stmts[READ], DB_ARGS(db_i64(course_id)), &rows, err);
	if (r < 0)
		return r;
	return r == 0 ? course_not_found(err, course_id) : read_whole(&rows, arena, ret, err);
}

/* The lock comes first and the course is read after it: what the lists held while it was waited for is past.
 */
int course_store_lock(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
		      struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query_row(conn, &stmts[LOCK], DB_ARGS(db_i64(course_id)), &rows, err);
	if (r < 0)
		return r;
	db_rows_done(&rows);
	return r == 0 ? course_not_found(err, course_id)
		      : course_store_read(conn, arena, course_id, ret, err);
}

int course_terms_read(struct db_conn *conn, struct arena *arena, int64_t course_id, const char *currency,
		      struct course_terms *ret, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query(conn, &stmts[TERMS], DB_ARGS(db_str(currency), db_i64(course_id)), &rows, err);
	if (r < 0)
		return r;
	*ret = (struct course_terms){0};
	while ((r = db_next(&rows, err)) > 0) {
		if (!ret->course_id) {
			ret->course_id = db_col_i64(&rows, 0);
			ret->revision = db_col_i64(&rows, 1);
			ret->state = (enum course_state)db_col_i64(&rows, 2);
			ret->title = db_col_str(&rows, 3, arena);
			ret->lesson_count = (int)db_col_i64(&rows, 4);
			ret->planned_learning_hours = (int)db_col_i64(&rows, 5);
			ret->pricing = (enum course_pricing)db_col_i64(&rows, 6);
			ret->price_minor_units = db_col_i64(&rows, 7);
			ret->offered = ret->pricing == COURSE_PRICED && !db_is_null(&rows, 7);
		}
		if (!db_is_null(&rows, 8) && ret->n_instructors < COURSE_INSTRUCTORS_MAX)
			ret->instructors[ret->n_instructors++] =
				(struct course_share){db_col_i64(&rows, 8), (int)db_col_i64(&rows, 9)};
	}
	if (r < 0)
		return r;
	return ret->course_id ? 0 : course_not_found(err, course_id);
}

/* --- writing --- */

/* The objectives as a JSON array in the arena; NULL when memory is out. */
static char *objectives_json(struct arena *arena, const struct course *c)
{
	json_t *array = json_array();
	for (size_t i = 0; i < c->n_objectives; i++)
		json_array_append_new(array, json_string(c->objectives[i]));
	char *text = json_dumps(array, JSON_COMPACT);
	char *copy = text ? arena_strdup(arena, text) : NULL;
	free(text);
	json_decref(array);
	return copy;
}

static int external_id_in_use(struct db_conn *conn, const struct course *c, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	char text[ID_TEXT_MAX];
	int r = db_query_row(conn, &stmts[BY_EXTERNAL_ID],
			     DB_ARGS(db_i64(c->creator_id), db_str(c->external_id)), &rows, err);
	if (r < 0)
		return r;
	if (r == 0) /* the other was undone meanwhile */
		return error_raise(err, &RPC_REASON_CONFLICT,
				   "another course was being made with this external_id");
	id_format(ID_COURSE, db_col_i64(&rows, 0), text);
	error_raise(err, &REASON_EXTERNAL_ID_IN_USE, "course %s has this external_id already; use that one",
		    text);
	return error_set_resource(err, "edu.v1.Course", text);
}

int course_store_insert(struct db_conn *conn, struct arena *arena, const struct course *c, struct error *err)
{
	const char *objectives = objectives_json(arena, c);
	if (!objectives)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "the course does not fit the call's memory");
	int r = db_exec(conn, &stmts[INSERT],
			DB_ARGS(db_i64(c->course_id), db_i64(c->creator_id), db_str(c->external_id),
				db_str(c->title), db_str(c->summary), db_str(c->description),
				db_str(objectives), db_str(c->audience), db_str(c->prerequisites),
				db_str(c->subject), db_str(c->language), db_str(c->license), db_i64(c->level),
				db_i64(c->pricing), db_i64(c->planned_learning_hours), db_i64(c->state),
				db_i64(c->lesson_count), db_i64(c->revision), db_i64(c->create_us),
				db_i64(c->update_us), c->publish_us ? db_i64(c->publish_us) : db_null()),
			NULL, err);
	if (r == -STATUS_ALREADY_EXISTS && strcmp(db_duplicate_key(conn), "course_external_key") == 0)
		return external_id_in_use(conn, c, err);
	if (r >= 0)
		r = course_store_set_instructors(conn, c, err);
	return r < 0 ? r : course_store_set_prices(conn, c, err);
}

int course_store_update(struct db_conn *conn, struct arena *arena, const struct course *c, struct error *err)
{
	const char *objectives = objectives_json(arena, c);
	if (!objectives)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "the course does not fit the call's memory");
	return db_exec(conn, &stmts[UPDATE],
		       DB_ARGS(db_str(c->title), db_str(c->summary), db_str(c->description),
			       db_str(objectives), db_str(c->audience), db_str(c->prerequisites),
			       db_str(c->subject), db_str(c->language), db_str(c->license), db_i64(c->level),
			       db_i64(c->pricing), db_i64(c->planned_learning_hours), db_i64(c->state),
			       db_i64(c->lesson_count), db_i64(c->revision), db_i64(c->update_us),
			       c->publish_us ? db_i64(c->publish_us) : db_null(), db_i64(c->course_id)),
		       NULL, err);
}

/* Replaces the rows of a list: all of them in two round trips. */
static int replace_rows(struct db_conn *conn, const struct course *c, enum stmt delete, enum stmt insert,
			const struct db_value *args, unsigned n_args, unsigned n_rows, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_exec(conn, &stmts[delete], DB_ARGS(db_i64(c->course_id)), NULL, err);
	if (r < 0 || n_rows == 0)
		return r;
	r = db_query_array(conn, &stmts[insert], args, n_args, n_rows, &rows, err);
	return r < 0 ? r : db_next(&rows, err);
}

int course_store_set_instructors(struct db_conn *conn, const struct course *c, struct error *err)
{
	struct db_value args[COURSE_INSTRUCTORS_MAX][4];
	for (unsigned i = 0; i < c->n_instructors; i++) {
		args[i][0] = db_i64(c->course_id);
		args[i][1] = db_i64(c->instructors[i].user_id);
		args[i][2] = db_i64(i + 1);
		args[i][3] = db_i64(c->instructors[i].share_basis_points);
	}
	return replace_rows(conn, c, INSTRUCTORS_DELETE, INSTRUCTORS_INSERT, args[0], 4, c->n_instructors,
			    err);
}

int course_store_set_prices(struct db_conn *conn, const struct course *c, struct error *err)
{
	struct db_value args[COURSE_PRICES_MAX][4];
	for (unsigned i = 0; i < c->n_prices; i++) {
		args[i][0] = db_i64(c->course_id);
		args[i][1] = db_str(c->prices[i].currency_code);
		args[i][2] = db_i64(c->prices[i].minor_units);
		args[i][3] = db_i64(i + 1);
	}
	return replace_rows(conn, c, PRICES_DELETE, PRICES_INSERT, args[0], 4, c->n_prices, err);
}

/* --- the catalogue --- */

/* The statement whose index fits the most selective filter best. */
static enum stmt catalogue_stmt(const struct course_filter *f)
{
	enum stmt first = f->by_title ? BY_TITLE : NEWEST;
	if (f->instructor_id)
		return f->by_title ? INSTRUCTOR_BY_TITLE : INSTRUCTOR_NEWEST;
	if (f->subject || f->language)
		return f->subject ? first + 1 : first + 2;
	return f->currency_code && !f->by_title ? PRICE_NEWEST : first;
}

static int64_t greatest_price(const struct course_filter *f)
{
	return f->max_minor_units ? f->max_minor_units : INT64_MAX;
}

static unsigned bind_start(const struct course_filter *f, enum stmt stmt, struct db_value *args)
{
	unsigned n = 0;
	if (stmt == PRICE_NEWEST) {
		args[n++] = db_str(f->currency_code);
		args[n++] = db_i64(f->min_minor_units);
		args[n++] = db_i64(greatest_price(f));
	}
	if (f->instructor_id) {
		args[n++] = db_i64(f->instructor_id);
		args[n++] = db_str(f->external_id);
		args[n++] = db_i64(f->instructor_id);
		args[n++] = db_str(f->external_id);
		args[n++] = db_i64(f->state);
	}
	args[n++] = db_i64(f->state);
	return n;
}

static unsigned bind_filters(const struct course_filter *f, struct db_value *args)
{
	const struct db_value values[] = {
		db_str(f->subject),         db_str(f->subject),        db_str(f->language),
		db_str(f->language),        db_i64(f->level),          db_i64(f->level),
		db_i64(f->free_only),       db_str(f->currency_code),  db_str(f->currency_code),
		db_i64(f->min_minor_units), db_i64(greatest_price(f)),
	};
	memcpy(args, values, sizeof(values));
	return sizeof(values) / sizeof(values[0]);
}

static unsigned bind_page(const struct course_filter *f, unsigned limit, struct db_value *args)
{
	unsigned n = 0;
	if (f->by_title) {
		args[n++] = db_str(f->after_title ? f->after_title : "");
		args[n++] = db_str(f->after_title ? f->after_title : "");
		args[n++] = db_i64(f->after_id);
	} else {
		args[n++] = db_i64(f->after_id ? f->after_id : INT64_MAX);
	}
	args[n++] = db_i64(limit);
	return n;
}

int course_store_list(struct db_conn *conn, struct arena *arena, const struct course_filter *filter,
		      unsigned limit, struct course **ret, unsigned *ret_n, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	struct db_value args[24];
	enum stmt stmt = catalogue_stmt(filter);
	unsigned n_args = bind_start(filter, stmt, args), n = 0;
	struct course *courses = arena_array(arena, limit, sizeof(*courses));
	if (!courses)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "the page does not fit the call's memory");

	n_args += bind_filters(filter, args + n_args);
	n_args += bind_page(filter, limit, args + n_args);
	int r = db_query(conn, &stmts[stmt], args, n_args, &rows, err);
	if (r < 0)
		return r;
	while ((r = db_next(&rows, err)) > 0 && n < limit)
		read_listed(&rows, arena, &courses[n++]);
	if (r < 0)
		return r;
	*ret = courses;
	*ret_n = n;
	return 0;
}
