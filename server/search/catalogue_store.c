/* SPDX-License-Identifier: Apache-2.0 */
#include "server/search/catalogue_store.h"

#include <assert.h>
#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"

/*
 * A page of courses of a state. A filter that is not set is a NULL or 0 parameter; the optimizer, which sees
 * the parameters, drops it. The index is forced, because on a guess of "half of the rows" the optimizer
 * prefers to walk the whole state from its end, and a page would cost what lies before it. The price is a
 * scalar subquery, not EXISTS, which the optimizer would turn into a read of the whole price table.
 */
#define IN_LANGUAGE "CONCAT(course.language, '-') LIKE CONCAT(?, '-%')"
static_assert(COURSE_FREE == 1, "pricing in the filters");
#define FILTERS                                                                                              \
	" AND (? = 0 OR course.subject_id = ?) AND (? IS NULL OR " IN_LANGUAGE ")"                           \
	" AND (? = 0 OR course.level = ?) AND (? = 0 OR course.pricing = 1)"                                 \
	" AND (? IS NULL OR (SELECT q.minor_units FROM course_price q"                                       \
	" WHERE q.course_id = course.course_id AND q.currency_code = ?) BETWEEN ? AND ?)"
#define FILTER_TYPES "iissiiissii"

/* A list looks at so many rows at most; prices and instructors count. On two cores that is a tenth of a
 * second. */
#define EXAMINED " ROWS EXAMINED 20000"

#define LISTED DB_NAMES(COURSE_LISTED_COLUMNS)
#define OF_STATE(index) "SELECT " LISTED " FROM course FORCE INDEX (" index ") WHERE course.state = ?" FILTERS
#define NEWEST_PAGE " AND course.course_id < ? ORDER BY course.course_id DESC LIMIT ?" EXAMINED
#define TITLE_ORDER " ORDER BY course.title_key, course.course_id LIMIT "
#define TITLE_PAGE                                                                                           \
	" AND course.title_key >= ? AND (course.title_key > ? OR course.course_id > ?)" TITLE_ORDER "?"

#define TAUGHT                                                                                               \
	" FROM course_instructor t FORCE INDEX (course_instructor_user)"                                     \
	" JOIN course ON course.course_id = t.course_id WHERE t.user_id = ?"                                 \
	" AND (? = 0 OR course.state = ?)" FILTERS
#define TAUGHT_TYPES "iii" FILTER_TYPES
/* All that somebody teaches is sorted; what rides on a row is read for the page alone. */
#define TAUGHT_TITLE_PAGE                                                                                    \
	"SELECT " LISTED " FROM (SELECT course.course_id" TAUGHT TITLE_PAGE ") page"                         \
	" JOIN course ON course.course_id = page.course_id" TITLE_ORDER

/* One course at most, whoever teaches it. */
#define CREATED                                                                                              \
	"SELECT " LISTED " FROM course FORCE INDEX (course_external_key)"                                    \
	" WHERE course.creator_id = ? AND course.external_id = ? AND (? = 0 OR course.state = ?)" FILTERS
#define CREATED_TYPES "isii" FILTER_TYPES

DB_ROW(listed_row, struct course, COURSE_LISTED_COLUMNS);

enum stmt { NEWEST, BY_TITLE, INSTRUCTOR_NEWEST, INSTRUCTOR_BY_TITLE, CREATED_NEWEST, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[NEWEST] = {"course_list_newest", "i" FILTER_TYPES "ii", &listed_row,
		    OF_STATE("course_newest") NEWEST_PAGE},
	[BY_TITLE] = {"course_list_title", "i" FILTER_TYPES "ssii", &listed_row,
		      OF_STATE("course_title") TITLE_PAGE EXAMINED},
	[INSTRUCTOR_NEWEST] = {"course_list_instructor_newest", TAUGHT_TYPES "ii", &listed_row,
			       "SELECT " LISTED TAUGHT
			       " AND t.course_id < ? ORDER BY t.course_id DESC LIMIT ?" EXAMINED},
	[INSTRUCTOR_BY_TITLE] = {"course_list_instructor_title", TAUGHT_TYPES "ssii", &listed_row,
				 TAUGHT_TITLE_PAGE EXAMINED},
	[CREATED_NEWEST] = {"course_list_created", CREATED_TYPES "ii", &listed_row, CREATED NEWEST_PAGE},
};

const struct db_stmt_list catalogue_stmts = {"catalogue", stmts, N_STMTS};

static enum stmt choose_stmt(const struct course_filter *f)
{
	if (f->external_id)
		return CREATED_NEWEST;
	if (f->instructor_id)
		return f->by_title ? INSTRUCTOR_BY_TITLE : INSTRUCTOR_NEWEST;
	return f->by_title ? BY_TITLE : NEWEST;
}

static unsigned bind_start(const struct course_filter *f, struct db_value *args)
{
	unsigned n = 0;
	if (f->instructor_id) {
		args[n++] = db_i64(f->instructor_id);
		if (f->external_id)
			args[n++] = db_str(f->external_id);
		args[n++] = db_i64(f->state);
	}
	args[n++] = db_i64(f->state);
	return n;
}

static unsigned bind_filters(const struct course_filter *f, struct db_value *args)
{
	const int64_t greatest = f->max_minor_units ? f->max_minor_units : INT64_MAX;
	const struct db_value values[] = {
		db_i64(f->subject_id),      db_i64(f->subject_id),    db_str(f->language),
		db_str(f->language),        db_i64(f->level),         db_i64(f->level),
		db_i64(f->free_only),       db_str(f->currency_code), db_str(f->currency_code),
		db_i64(f->min_minor_units), db_i64(greatest),
	};
	memcpy(args, values, sizeof(values));
	return ARRAY_SIZE(values);
}

static unsigned bind_page(const struct course_filter *f, enum stmt stmt, unsigned limit,
			  struct db_value *args)
{
	unsigned n = 0;
	if (f->by_title && stmt != CREATED_NEWEST) {
		args[n++] = db_str(f->after_title ? f->after_title : "");
		args[n++] = db_str(f->after_title ? f->after_title : "");
		args[n++] = db_i64(f->after_id);
	} else {
		args[n++] = db_i64(f->after_id ? f->after_id : INT64_MAX);
	}
	args[n++] = db_i64(limit);
	return n;
}

/* How many rows of a statement that was cut short count: none of what was to be sorted, and of others not the
 * last when it lacks what its subqueries would have read. */
static unsigned whole_rows(enum stmt stmt, const struct course *courses, unsigned n)
{
	if (n == 0 || stmt == INSTRUCTOR_BY_TITLE)
		return 0;
	const struct course *last = &courses[n - 1];
	bool whole = last->n_instructors > 0 && (last->pricing != COURSE_PRICED || last->n_prices > 0);
	return whole ? n : n - 1;
}

int catalogue_store_list(struct db_conn *conn, struct arena *arena, const struct course_filter *filter,
			 unsigned limit, struct course **ret, unsigned *ret_n, bool *ret_cut,
			 struct error *err)
{
	struct db_value args[24];
	struct course *courses;
	unsigned n;
	enum stmt stmt = choose_stmt(filter);
	unsigned n_args = bind_start(filter, args);
	n_args += bind_filters(filter, args + n_args);
	n_args += bind_page(filter, stmt, limit, args + n_args);
	int r = db_read_all(conn, &stmts[stmt], args, n_args, arena, &courses, &n, err);
	for (unsigned i = 0; r >= 0 && i < n; i++)
		r = course_of_row(&courses[i], arena, err);
	if (r < 0)
		return r;
	*ret_cut = db_cut_short(conn, &stmts[stmt]);
	if (*ret_cut)
		n = whole_rows(stmt, courses, n);
	if (*ret_cut && n == 0)
		return error_raise(err, &REASON_FILTER_TOO_COSTLY,
				   "Too many courses were looked at for these filters. Leave one out.");
	*ret = courses;
	*ret_n = n;
	return 0;
}
