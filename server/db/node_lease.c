/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/db/lease.h"
#include "server/db/ticker.h"

enum { NODES = 1024, TRIES = 16 };

#define LEASE_US (INT64_C(60) * 1000000)
#define RENEW_US (INT64_C(15) * 1000000)
/* The ids of the last holder may run ahead of the clock by what its clock was stepped back; see
 * proto/runtime/ids.h. */
#define REST_US (INT64_C(60) * 1000000)

enum { NODE_TAKEN, NODE_TAKE, NODE_RENEW, NODE_RELEASE, NODE_STATEMENTS };

static const struct db_stmt stmts[NODE_STATEMENTS] = {
	[NODE_TAKEN] = {"node_taken", "i", "u", "SELECT node_id FROM node WHERE expire_time > ?"},
	[NODE_TAKE] =
		{"node_take", "usii", "s",
		 "INSERT INTO node (node_id, holder, expire_time) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE "
		 "holder = IF(expire_time <= ?, VALUES(holder), holder), "
		 "expire_time = IF(holder = VALUES(holder), VALUES(expire_time), expire_time) "
		 "RETURNING holder"},
	[NODE_RENEW] = {"node_renew", "ius", NULL,
			"UPDATE node SET expire_time = ? WHERE node_id = ? AND holder = ?"},
	[NODE_RELEASE] = {"node_release", "ius", NULL,
			  "UPDATE node SET expire_time = ? WHERE node_id = ? AND holder = ?"},
};
static const struct db_stmt_list node_stmts = {"node", stmts, NODE_STATEMENTS};
static const struct db_stmt_list *const node_lists[] = {&node_stmts, NULL};

struct node_lease {
	struct db_config db;
	const struct clock *clock;
	struct db_conn *conn;
	struct ticker *ticker;
	char holder[LEASE_HOLDER_MAX];
	unsigned node;
	atomic_bool taken_over;   /* somebody else has it */
	_Atomic int64_t valid_us; /* monotonic time until which it is surely ours */
};

/* 1: ours; 0: another process was quicker. */
static int take(struct node_lease *l, unsigned node, struct error *err)
{
	struct arena arena;
	struct db_rows rows = {0};
	int64_t now_us = clock_now_us(l->clock), before_us = monotonic_us();
	arena_init(&arena, 1024);
	int r = db_query_row(
		l->conn, &stmts[NODE_TAKE],
		DB_ARGS(db_u64(node), db_str(l->holder), db_i64(now_us + LEASE_US), db_i64(now_us - REST_US)),
		&rows, err);
	if (r > 0) {
		const char *held_by = db_col_str(&rows, 0, &arena);
		r = held_by && strcmp(held_by, l->holder) == 0;
	}
	if (r > 0) {
		l->node = node;
		atomic_store(&l->valid_us, before_us + LEASE_US);
	}
	arena_done(&arena);
	return r;
}

/* The lowest node id that is neither leased nor resting; NODES when there is none. */
static int find_free(struct node_lease *l, unsigned *ret, struct error *err)
{
	bool taken[NODES] = {false};
	struct db_rows rows = {0};
	int r = db_query(l->conn, &stmts[NODE_TAKEN], DB_ARGS(db_i64(clock_now_us(l->clock) - REST_US)),
			 &rows, err);
	while (r == 0 && (r = db_next(&rows, err)) > 0) {
		uint64_t node = db_col_u64(&rows, 0);
		if (node < NODES)
			taken[node] = true;
		r = 0;
	}
	if (r < 0)
		return r;
	unsigned node = 0;
	while (node < NODES && taken[node])
		node++;
	*ret = node;
	return 0;
}

static int take_any(struct node_lease *l, struct error *err)
{
	for (unsigned tries = 0; tries < TRIES; tries++) {
		unsigned node = 0;
		int r = find_free(l, &node, err);
		if (r < 0)
			return r;
		if (node == NODES)
			return error_internal(err, "all %d node ids are leased", NODES);
		r = take(l, node, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return error_internal(err, "other servers took every node id that was free");
}

static void renew(void *arg)
{
	struct node_lease *l = arg;
	struct error err;
	uint64_t affected = 0;
	int64_t before_us = monotonic_us();
	db_set_deadline(l->conn, before_us + RENEW_US);
	int r = db_exec(
		l->conn, &stmts[NODE_RENEW],
		DB_ARGS(db_i64(clock_now_us(l->clock) + LEASE_US), db_u64(l->node), db_str(l->holder)),
		&affected, &err);
	if (r < 0) {
		log_warning("cannot renew node=%u: %s", l->node, err.message);
	} else if (affected == 0) {
		log_error("node=%u was taken over by another server", l->node);
		atomic_store(&l->taken_over, true);
	} else {
		atomic_store(&l->valid_us, before_us + LEASE_US);
	}
}

int node_lease_start(const struct db_config *db, const struct clock *clock, struct node_lease **ret,
		     unsigned *ret_node, struct error *err)
{
	struct node_lease *l = calloc(1, sizeof(*l));
	if (!l)
		return error_internal(err, "out of memory for the node lease");
	l->db = *db;
	l->clock = clock;
	lease_holder(l->holder);
	int r = db_open(&l->db, node_lists, &l->conn, err);
	if (r == 0)
		r = take_any(l, err);
	if (r == 0)
		r = ticker_start(renew, l, RENEW_US, &l->ticker, err);
	if (r < 0) {
		db_close(l->conn);
		free(l);
		return r;
	}
	*ret = l;
	*ret_node = l->node;
	return 0;
}

bool node_lease_lost(const struct node_lease *l)
{
	return atomic_load(&l->taken_over) || monotonic_us() >= atomic_load(&l->valid_us);
}

void node_lease_stop(struct node_lease *l)
{
	struct error err;
	if (!l)
		return;
	ticker_stop(l->ticker);
	if (db_exec(l->conn, &stmts[NODE_RELEASE],
		    DB_ARGS(db_i64(clock_now_us(l->clock)), db_u64(l->node), db_str(l->holder)), NULL,
		    &err) < 0)
		log_warning("cannot release node=%u: %s", l->node, err.message);
	db_close(l->conn);
	free(l);
}
