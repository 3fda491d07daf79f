/* SPDX-License-Identifier: Apache-2.0 */
#include "server/search/misses.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/utf8.h"
#include "server/base/clock.h"
#include "server/base/metrics.h"

struct miss {
	int64_t day_us; /* when the day began, UTC */
	char query[MISS_TEXT_MAX * 4 + 1];
	int64_t searches;
};
#define MISS_COLUMNS(F, C, R)                                                                                \
	F(R, "day_time", I64, day_us) C(R, "query", CODE, query) C(R, "searches", I64, searches)
DB_ROW(miss_row, struct miss, MISS_COLUMNS);

struct old {
	int64_t day_us;
	char *query;
};
#define OLD_COLUMNS(F, C, R) F(R, "day_time", I64, day_us) C(R, "query", TEXT, query)
DB_ROW(old_row, struct old, OLD_COLUMNS);

enum stmt { ADD, PICK_OLD, REMOVE, AGE, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[ADD] = {"miss_add", DB_LETTERS(MISS_COLUMNS), NULL,
		 DB_UPSERT("search_miss", MISS_COLUMNS, " searches = searches + VALUES(searches)")},
	[PICK_OLD] = {"miss_pick_old", "ii", &old_row,
		      RETENTION_PICK_SQL(OLD_COLUMNS, "search_miss", "PRIMARY", "day_time")},
	[REMOVE] = {"miss_remove", DB_LETTERS(OLD_COLUMNS), NULL,
		    "DELETE FROM search_miss WHERE day_time = ? AND query = ?"},
	[AGE] = {"miss_age", "", &db_row_i64, RETENTION_AGE_SQL("search_miss", "day_time")},
};
const struct db_stmt_list miss_stmts = {"miss", stmts, N_STMTS};
const struct retention miss_retention = {
	.pick = &stmts[PICK_OLD],
	.remove = &stmts[REMOVE],
	.age = &stmts[AGE],
};

struct misses {
	pthread_mutex_t lock;
	struct miss gathered[MISSES_MAX], writing[MISSES_MAX];
	unsigned n;
	int64_t day_us; /* of the budget */
	unsigned written;
	struct metric *counted, *left_out;
};

struct misses *misses_new(void)
{
	struct misses *m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	pthread_mutex_init(&m->lock, NULL);
	m->counted = metric_counter("edu_search_misses_total", "Queries that found no course.", NULL);
	m->left_out = metric_counter(
		"edu_search_misses_left_out_total",
		"Of those, the ones that are not in search_miss, as there were too many.", NULL);
	return m;
}

void misses_free(struct misses *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* White space of any length as one space, none at the ends, and no more than MISS_TEXT_MAX characters. */
static void normalize(const char *folded, char *ret)
{
	unsigned n = 0;
	bool space = false;
	for (const char *p = folded, *next = p; *p && n < MISS_TEXT_MAX; p = next) {
		if (utf8_code_is_space(utf8_next(&next))) {
			space = n > 0;
			continue;
		}
		if (space && ++n < MISS_TEXT_MAX)
			*ret++ = ' ';
		space = false;
		if (n++ < MISS_TEXT_MAX) {
			memcpy(ret, p, (size_t)(next - p));
			ret += next - p;
		}
	}
	*ret = '\0';
}

static struct miss *find(struct misses *m, const struct miss *miss)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->gathered[i].day_us == miss->day_us && strcmp(m->gathered[i].query, miss->query) == 0)
			return &m->gathered[i];
	return NULL;
}

void misses_add(struct misses *m, struct arena *arena, const char *text, int64_t now_us)
{
	struct miss miss = {.day_us = now_us - now_us % DAY_US, .searches = 1};
	const char *folded = utf8_fold(arena, text);
	if (!folded)
		return;
	normalize(folded, miss.query);
	if (!*miss.query)
		return;
	metric_add(m->counted, 1);
	pthread_mutex_lock(&m->lock);
	struct miss *found = find(m, &miss);
	if (found)
		found->searches++;
	else if (m->n < MISSES_MAX)
		m->gathered[m->n++] = miss;
	else
		metric_add(m->left_out, 1);
	pthread_mutex_unlock(&m->lock);
}

/* What the day's budget still has room for. */
static unsigned fits_the_day(struct misses *m, unsigned n)
{
	if (m->day_us < m->writing[n - 1].day_us) {
		m->day_us = m->writing[n - 1].day_us;
		m->written = 0;
	}
	unsigned fits = MISSES_A_DAY - m->written < n ? MISSES_A_DAY - m->written : n;
	m->written += fits;
	metric_add(m->left_out, n - fits);
	return fits;
}

int misses_write(struct misses *m, struct db_conn *conn, struct error *err)
{
	pthread_mutex_lock(&m->lock);
	unsigned n = m->n;
	memcpy(m->writing, m->gathered, n * sizeof(m->gathered[0]));
	m->n = 0;
	pthread_mutex_unlock(&m->lock);
	n = n ? fits_the_day(m, n) : 0;
	return n ? db_write_all(conn, &stmts[ADD], &miss_row, m->writing, n, NULL, NULL, err) : 0;
}
