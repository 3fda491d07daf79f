/* SPDX-License-Identifier: Apache-2.0 */
#include "server/search/keeper.h"

#include <stdlib.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/ticker.h"
#include "server/search/index_store.h"

enum { ARENA_CAP = 256 << 20, RANKS_PAGE = 1000 };
#define TICK_US (INT64_C(100) * 1000)
#define TICK_TIME_US (10 * SECOND_US)
#define LOAD_TIME_US (10 * MINUTE_US)
/* How often ranks are looked at, and how long what writes them may take to commit them. */
#define RANKS_US (10 * SECOND_US)
#define RANKS_OVERLAP_US (30 * SECOND_US)
#define TIDY_US MINUTE_US

struct catalogue_keeper {
	struct catalogue *catalogue;
	struct db_config db;
	struct db_conn *conn;
	struct arena arena;
	struct ticker *ticker;
	int64_t ranked_us, tidied_us;         /* when, on the monotonic clock */
	int64_t ranks_upto_us, ranks_upto_id; /* the last that was read, by the database's clock */
	int64_t ranks_moved_us;               /* when there was one, on the monotonic clock */
	bool in_trouble;                      /* and the log says so */
};

static const struct db_stmt_list *const keeper_stmts[] = {&index_stmts, &miss_stmts, NULL};

static int load(struct catalogue_keeper *k, struct error *err)
{
	db_set_deadline(k->conn, monotonic_us() + LOAD_TIME_US);
	return catalogue_load(k->catalogue, k->conn, &k->arena, err);
}

/* Those of a page, and where the next one begins. */
static int take_ranks(struct catalogue_keeper *k, int64_t *since_us, int64_t *after_id, unsigned *ret_n,
		      struct error *err)
{
	struct index_rank ranks[RANKS_PAGE];
	struct written_rank *rows;
	arena_reset(&k->arena);
	int r = index_store_ranks(k->conn, &k->arena, *since_us, *after_id, RANKS_PAGE, &rows, ret_n, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < *ret_n; i++) {
		ranks[i] = rows[i].rank;
		*since_us = rows[i].rank_us;
		*after_id = rows[i].rank.course_id;
	}
	return catalogue_rank(k->catalogue, ranks, *ret_n)
		       ? 0
		       : error_internal(err, "out of memory for the catalogue's ranks");
}

/* What was written since, and what may have been committed late. */
static int read_ranks(struct catalogue_keeper *k, struct error *err)
{
	const bool settled = monotonic_us() - k->ranks_moved_us > 2 * RANKS_OVERLAP_US;
	int64_t since_us = k->ranks_upto_us - (settled ? 0 : RANKS_OVERLAP_US);
	int64_t after_id = settled ? k->ranks_upto_id : 0;
	unsigned n = RANKS_PAGE;
	int r = 0;
	while (r >= 0 && n == RANKS_PAGE)
		r = take_ranks(k, &since_us, &after_id, &n, err);
	if (r >= 0 && (k->ranks_upto_us < since_us || k->ranks_upto_id < after_id)) {
		k->ranks_moved_us = monotonic_us();
		k->ranks_upto_us = since_us;
		k->ranks_upto_id = after_id;
	}
	return r;
}

static int now_and_then(struct catalogue_keeper *k, struct error *err)
{
	const int64_t now_us = monotonic_us();
	int r = 0;
	if (now_us - k->ranked_us >= RANKS_US) {
		k->ranked_us = now_us;
		r = read_ranks(k, err);
	}
	if (r >= 0 && now_us - k->tidied_us >= TIDY_US) {
		k->tidied_us = now_us;
		catalogue_tidy(k->catalogue);
		catalogue_measure(k->catalogue);
		r = misses_write(catalogue_misses(k->catalogue), k->conn, err);
	}
	return r;
}

static int keep(struct catalogue_keeper *k, struct error *err)
{
	if (!catalogue_ready(k->catalogue))
		return load(k, err);
	const int64_t until_us = monotonic_us() + TICK_TIME_US;
	db_set_deadline(k->conn, until_us);
	catalogue_follow_names(k->catalogue);
	int r = catalogue_refresh(k->catalogue, CHANGED_ELSEWHERE, k->conn, until_us, err);
	if (r >= 0) /* when nobody asks, nobody else does */
		r = catalogue_refresh(k->catalogue, CHANGED_HERE, k->conn, until_us, err);
	return r < 0 ? r : now_and_then(k, err);
}

static void tick(void *arg)
{
	struct catalogue_keeper *k = arg;
	struct error err;
	int r = keep(k, &err);
	if (r < 0 && !k->in_trouble)
		log_warning("the catalogue cannot be read: %s", err.message);
	else if (r >= 0 && k->in_trouble)
		log_info("the catalogue is read again");
	k->in_trouble = r < 0;
}

static void keeper_free(struct catalogue_keeper *k)
{
	arena_done(&k->arena);
	db_close(k->conn);
	free(k);
}

int catalogue_keeper_start(struct catalogue *c, const struct db_config *db, struct catalogue_keeper **ret,
			   struct error *err)
{
	struct catalogue_keeper *k = calloc(1, sizeof(*k));
	if (!k)
		return error_internal(err, "out of memory for the catalogue's keeper");
	*k = (struct catalogue_keeper){.catalogue = c, .db = *db};
	k->ranked_us = k->tidied_us = monotonic_us();
	arena_init(&k->arena, ARENA_CAP);
	int r = db_open(&k->db, keeper_stmts, &k->conn, err);
	if (r >= 0)
		r = load(k, err);
	if (r >= 0)
		catalogue_measure(c);
	if (r >= 0)
		r = ticker_start("catalogue", tick, k, TICK_US, &k->ticker, err);
	if (r < 0) {
		keeper_free(k);
		return r;
	}
	*ret = k;
	return 0;
}

void catalogue_keeper_stop(struct catalogue_keeper *k)
{
	struct error err;
	if (!k)
		return;
	ticker_stop(k->ticker);
	db_set_deadline(k->conn, monotonic_us() + TICK_TIME_US);
	if (misses_write(catalogue_misses(k->catalogue), k->conn, &err) < 0)
		log_warning("what found nothing is not counted: %s", err.message);
	keeper_free(k);
}
