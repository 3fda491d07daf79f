/* SPDX-License-Identifier: Apache-2.0 */
#include "server/search/index_store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"

/* Titles compare by what the database compares them by, so that its lists and ours have one order. Who
 * teaches is found by name; a JSON array is read as the text it is. */
static_assert(COURSE_PUBLISHED == 3 && COURSE_FREE == 1, "in the statements");
struct index_row {
	int64_t course_id;
	int64_t subject_id;
	char *title, *summary, *objectives, *name_en, *name_zh, *language, *instructors, *names, *prices;
	struct span title_key;
	int level, pricing;
	int64_t rating, popularity;
};
#define INDEX_COLUMNS(F, C, R)                                                                               \
	F(R, "course.course_id", I64, course_id)                                                             \
	C(R, "course.title", TEXT, title)                                                                    \
	C(R, "WEIGHT_STRING(course.title_key)", BYTES, title_key)                                            \
	C(R, "course.summary", TEXT, summary)                                                                \
	C(R, "course.objectives", TEXT, objectives)                                                          \
	C(R, "course.subject_id", I64, subject_id)                                                           \
	C(R, "subject.name_en", TEXT, name_en)                                                               \
	C(R, "subject.name_zh", TEXT, name_zh)                                                               \
	C(R, "course.language", TEXT, language)                                                              \
	C(R, "course.level", INT, level)                                                                     \
	C(R, "course.pricing", INT, pricing)                                                                 \
	C(R,                                                                                                 \
	  "(SELECT GROUP_CONCAT(i.user_id) FROM course_instructor i"                                         \
	  " WHERE i.course_id = course.course_id)",                                                          \
	  TEXT, instructors)                                                                                 \
	C(R,                                                                                                 \
	  "(SELECT GROUP_CONCAT(u.display_name SEPARATOR '\\n') FROM course_instructor i"                    \
	  " JOIN user u ON u.user_id = i.user_id WHERE i.course_id = course.course_id)",                     \
	  TEXT, names)                                                                                       \
	C(R,                                                                                                 \
	  "(SELECT GROUP_CONCAT(p.currency_code, ':', p.minor_units) FROM course_price p"                    \
	  " WHERE p.course_id = course.course_id)",                                                          \
	  TEXT, prices)                                                                                      \
	C(R, "course_rank.rating", I64, rating)                                                              \
	C(R, "course_rank.popularity", I64, popularity)
DB_ROW(index_row, struct index_row, INDEX_COLUMNS);
DB_ROW(card_row, struct course, COURSE_LISTED_COLUMNS);

#define RANK_COLUMNS(F, C, R)                                                                                \
	F(R, "course_id", I64, rank.course_id)                                                               \
	C(R, "rating", I64, rank.rating)                                                                     \
	C(R, "popularity", I64, rank.popularity)                                                             \
	C(R, "rank_time", I64, rank_us)
DB_ROW(rank_row, struct written_rank, RANK_COLUMNS);

#define BESIDE                                                                                               \
	" LEFT JOIN subject ON subject.subject_id = course.subject_id"                                       \
	" LEFT JOIN course_rank ON course_rank.course_id = course.course_id"
/* A JSON array of ids, each course read by its key. */
#define OF_IDS                                                                                               \
	" FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) wanted STRAIGHT_JOIN course"               \
	" ON course.course_id = wanted.id AND course.state = 3"

enum stmt { PAGE, READ, CARDS, RANKS, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[PAGE] = {"index_page", "ii", &index_row,
		  DB_SELECT(INDEX_COLUMNS, " FROM course FORCE INDEX (course_newest)" BESIDE
					   " WHERE course.state = 3 AND course.course_id > ?"
					   " ORDER BY course.course_id LIMIT ?")},
	[READ] = {"index_read", "s", &index_row, DB_SELECT(INDEX_COLUMNS, OF_IDS BESIDE)},
	[CARDS] = {"index_cards", "s", &card_row, DB_SELECT(COURSE_LISTED_COLUMNS, OF_IDS)},
	[RANKS] = {"index_ranks", "iiii", &rank_row,
		   DB_SELECT(RANK_COLUMNS,
			     " FROM course_rank FORCE INDEX (course_rank_time) WHERE rank_time >= ?"
			     " AND (rank_time > ? OR course_id > ?) ORDER BY rank_time, course_id LIMIT ?")},
};

const struct db_stmt_list index_stmts = {"index", stmts, N_STMTS};

static unsigned count_parts(const char *text)
{
	unsigned n = *text != '\0';
	for (; *text; text++)
		n += *text == ',';
	return n;
}

static int64_t *read_ids(struct arena *arena, const char *text, unsigned *ret_n)
{
	const unsigned n = count_parts(text);
	int64_t *ids = arena_array(arena, n + 1, sizeof(*ids));
	*ret_n = ids ? n : 0;
	for (unsigned i = 0; i < *ret_n; i++, text = strchrnul(text, ','), text += *text == ',')
		ids[i] = strtoll(text, NULL, 10);
	return ids;
}

static struct index_price *read_prices(struct arena *arena, const char *text, unsigned *ret_n)
{
	const unsigned n = count_parts(text);
	struct index_price *prices = arena_array(arena, n + 1, sizeof(*prices));
	*ret_n = prices ? n : 0;
	for (unsigned i = 0; i < *ret_n; i++, text = strchrnul(text, ','), text += *text == ',') {
		memcpy(prices[i].currency_code, text, 3);
		prices[i].minor_units = strtoll(text + 4, NULL, 10);
	}
	return prices;
}

static void course_of_index_row(struct arena *arena, const struct index_row *row, struct index_course *ret)
{
	const char *const texts[] = {row->summary, row->objectives, row->name_en, row->name_zh, row->names};
	*ret = (struct index_course){
		.course_id = row->course_id,
		.title_key = row->title_key,
		.title = row->title,
		.texts = arena_memdup(arena, texts, sizeof(texts)),
		.n_texts = ARRAY_SIZE(texts),
		.subject_id = row->subject_id,
		.language = row->language,
		.level = row->level,
		.free = row->pricing == COURSE_FREE,
		.rating = row->rating,
		.popularity = row->popularity,
	};
	ret->instructors = read_ids(arena, row->instructors, &ret->n_instructors);
	ret->prices = read_prices(arena, row->prices, &ret->n_prices);
}

static int read_courses(struct db_conn *conn, struct arena *arena, enum stmt stmt,
			const struct db_value *args, unsigned n_args, struct index_course **ret,
			unsigned *ret_n, struct error *err)
{
	struct index_row *rows;
	int r = db_read_all(conn, &stmts[stmt], args, n_args, arena, &rows, ret_n, err);
	if (r < 0)
		return r;
	*ret = arena_array(arena, *ret_n + 1, sizeof(struct index_course));
	for (unsigned i = 0; *ret && i < *ret_n; i++)
		course_of_index_row(arena, &rows[i], &(*ret)[i]);
	return arena_check(arena, err);
}

/* "[1,2]", in the arena; NULL when that is full. */
static const char *json_ids(struct arena *arena, const int64_t *ids, unsigned n)
{
	enum { ID_LEN = 21 };
	const size_t size = n * ID_LEN + 3;
	char *text = arena_alloc(arena, size);
	size_t at = 0;
	for (unsigned i = 0; text && i < n; i++)
		at += (size_t)snprintf(text + at, size - at, "%c%" PRId64, i ? ',' : '[', ids[i]);
	if (text)
		snprintf(text + at, size - at, n ? "]" : "[]");
	return text;
}

int index_store_page(struct db_conn *conn, struct arena *arena, int64_t after_id, unsigned limit,
		     struct index_course **ret, unsigned *ret_n, struct error *err)
{
	return read_courses(conn, arena, PAGE, DB_ARGS(db_i64(after_id), db_i64(limit)), ret, ret_n, err);
}

int index_store_read(struct db_conn *conn, struct arena *arena, const int64_t *ids, unsigned n,
		     struct index_course **ret, unsigned *ret_n, struct error *err)
{
	const char *wanted = json_ids(arena, ids, n);
	return wanted ? read_courses(conn, arena, READ, DB_ARGS(db_str(wanted)), ret, ret_n, err)
		      : arena_full(err);
}

int index_store_cards(struct db_conn *conn, struct arena *arena, const int64_t *ids, unsigned n,
		      struct course **ret, unsigned *ret_n, struct error *err)
{
	const char *wanted = json_ids(arena, ids, n);
	int r = wanted ? db_read_all(conn, &stmts[CARDS], DB_ARGS(db_str(wanted)), arena, ret, ret_n, err)
		       : arena_full(err);
	for (unsigned i = 0; r >= 0 && i < *ret_n; i++)
		r = course_of_row(&(*ret)[i], arena, err);
	return r;
}

int index_store_ranks(struct db_conn *conn, struct arena *arena, int64_t since_us, int64_t after_id,
		      unsigned limit, struct written_rank **ret, unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[RANKS],
			   DB_ARGS(db_i64(since_us), db_i64(since_us), db_i64(after_id), db_i64(limit)),
			   arena, ret, ret_n, err);
}
