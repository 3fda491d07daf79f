/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/ids.h"
#include "server/base/log.h"
#include "server/base/ticker.h"
#include "server/db/lease.h"
#include "server/db/table.h"

enum { NODES = 1024, TRIES = 16 };

/* The thread's period; how long one look at the database may take; and how old the last may be. */
#define LOOK_US SECOND_US
enum { LOOK_TIMEOUT_S = 5 };
#define LOOK_STALE_US (5 * SECOND_US)

#define LEASE_US MINUTE_US
#define RENEWALS 4 /* in a lease */
/* Ids never leave their lease. That a node rests after it is for people who look at the times of ids. */
#define REST_US MINUTE_US

#define CLOCK_WARN_US (5 * SECOND_US)

struct taken {
	char holder[LEASE_HOLDER_MAX];
	int64_t end_us, now_us;
};
#define TAKEN_COLUMNS(F, C, R)                                                                               \
	F(R, "holder", CODE, holder) C(R, "expire_time", I64, end_us) C(R, DB_NOW_US, I64, now_us)
DB_ROW(taken_row, struct taken, TAKEN_COLUMNS);

/* What the database says when asked every second. */
struct said {
	int64_t now_us;
	bool read_only;
	char holder[LEASE_HOLDER_MAX]; /* of the node; "" for none */
};
#define SAID_COLUMNS(F, C, R)                                                                                \
	F(R, DB_NOW_US, I64, now_us)                                                                         \
	C(R, "@@GLOBAL.read_only NOT IN ('0', 'OFF')", BOOL, read_only)                                      \
	C(R, "(SELECT holder FROM node WHERE node_id = ?)", CODE, holder)
DB_ROW(said_row, struct said, SAID_COLUMNS);

enum { NODE_LOOK, NODE_TAKEN, NODE_TAKE, NODE_RELEASE, NODE_STATEMENTS };

static const struct db_stmt stmts[NODE_STATEMENTS] = {
	[NODE_LOOK] = {"node_look", "u", &said_row, DB_SELECT(SAID_COLUMNS, "")},
	[NODE_TAKEN] = {"node_taken", "i", &db_row_i64,
			"SELECT node_id FROM node WHERE expire_time > " DB_NOW_US " - ?"},
	/* Takes or renews. A clock that was put back must not make a lease end before what was promised. */
	[NODE_TAKE] =
		{"node_take", "usii", &taken_row,
		 "INSERT INTO node (node_id, holder, expire_time) VALUES (?, ?, " DB_NOW_US " + ?) "
		 "ON DUPLICATE KEY UPDATE "
		 "holder = IF(expire_time <= " DB_NOW_US " - ?, VALUES(holder), holder), "
		 "expire_time = IF(holder = VALUES(holder), GREATEST(expire_time, VALUES(expire_time)), "
		 "expire_time) "
		 "RETURNING " DB_NAMES(TAKEN_COLUMNS)},
	/* An end further off than a lease is long is left: the ids may go on to there. */
	[NODE_RELEASE] = {"node_release", "usi", NULL,
			  "UPDATE node SET expire_time = " DB_NOW_US " WHERE node_id = ? AND holder = ? "
			  "AND expire_time <= " DB_NOW_US " + ?"},
};
static const struct db_stmt_list node_stmts = {"node", stmts, NODE_STATEMENTS};
static const struct db_stmt_list *const node_lists[] = {&node_stmts, NULL};

struct node_lease {
	struct db_config db;
	const struct clock *clock;
	int64_t lease_us;
	struct db_conn *conn;
	struct ticker *ticker;
	char holder[LEASE_HOLDER_MAX];
	unsigned node;
	int64_t renew_us; /* when to, on the clock since boot */
	bool clock_told;  /* the log says that the clocks differ */

	struct id_maker ids;
	_Atomic int64_t ahead_us;    /* the database's clock, less the one since boot */
	_Atomic int64_t end_us;      /* of the lease, on the database's clock; 0: none */
	_Atomic int64_t looked_us;   /* when the database last answered, on the clock since boot */
	const char *_Atomic trouble; /* why it is of no use; NULL: it is */
	atomic_bool stolen;
};

/* The database's time as far as we know; never later than it is. */
static int64_t database_now_us(const struct node_lease *l)
{
	return boottime_us() + atomic_load(&l->ahead_us);
}

static bool valid(const struct node_lease *l)
{
	return database_now_us(l) < atomic_load(&l->end_us);
}

/* --- taking --- */

static void lease_until(struct node_lease *l, int64_t now_us, int64_t end_us)
{
	atomic_store(&l->ahead_us, now_us - boottime_us());
	id_maker_lease(&l->ids, l->node, now_us / 1000, end_us / 1000);
	atomic_store(&l->end_us, end_us);
	l->renew_us = boottime_us() + l->lease_us / RENEWALS;
}

static void lease_end(struct node_lease *l)
{
	id_maker_lease(&l->ids, l->node, 0, 0);
	atomic_store(&l->end_us, 0);
}

/* 1: ours; 0: somebody else's. */
static int take(struct node_lease *l, unsigned node, struct error *err)
{
	struct taken taken;
	int r = db_read(l->conn, &stmts[NODE_TAKE],
			DB_ARGS(db_u64(node), db_str(l->holder), db_i64(l->lease_us), db_i64(REST_US)), NULL,
			&taken, err);
	if (r <= 0 || strcmp(taken.holder, l->holder) != 0)
		return r < 0 ? r : 0;
	l->node = node;
	lease_until(l, taken.now_us, taken.end_us);
	return 1;
}

/* The lowest node id that is neither leased nor resting; NODES when there is none. */
static int find_free(struct node_lease *l, unsigned *ret, struct error *err)
{
	bool taken[NODES] = {false};
	struct arena arena;
	int64_t *nodes;
	unsigned n;
	arena_init(&arena, 2 * NODES * sizeof(int64_t));
	int r = db_read_all(l->conn, &stmts[NODE_TAKEN], DB_ARGS(db_i64(REST_US)), &arena, &nodes, &n, err);
	for (unsigned i = 0; r == 0 && i < n; i++)
		if (nodes[i] < NODES)
			taken[nodes[i]] = true;
	arena_done(&arena);
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
		if (r > 0)
			log_info("node leased node=%u", node);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return error_internal(err, "other servers took every node id that was free");
}

/* --- looking --- */

struct look {
	int64_t off_us; /* how far the database's time is ahead of ours */
	bool read_only;
	bool anothers;
};

static int look(struct node_lease *l, struct look *ret, struct error *err)
{
	struct said said;
	int64_t before_us = clock_now_us(l->clock);
	int r = db_read_one(l->conn, &stmts[NODE_LOOK], DB_ARGS(db_u64(l->node)), NULL, &said, err);
	int64_t took_us = clock_now_us(l->clock) - before_us;
	if (r < 0)
		return r;
	*ret = (struct look){
		.off_us = said.now_us - before_us - took_us / 2,
		.read_only = said.read_only,
		.anothers = said.holder[0] && strcmp(said.holder, l->holder) != 0,
	};
	return 0;
}

static bool beyond(int64_t off_us, int64_t bound_us)
{
	return off_us > bound_us || off_us < -bound_us;
}

static void tell_clock(struct node_lease *l, int64_t off_us)
{
	bool off = beyond(off_us, CLOCK_WARN_US);
	if (off && !l->clock_told)
		log_warning("the clock of this machine is %.1f s %s the database's: set it; no work is done "
			    "beyond %d s",
			    (off_us < 0 ? -off_us : off_us) / 1e6, off_us < 0 ? "ahead of" : "behind",
			    (int)(NODE_CLOCK_MAX_US / 1000000));
	else if (!off && l->clock_told)
		log_info("the clocks of this machine and of the database agree again");
	l->clock_told = off;
}

/* The node is another's: taken from under us, or while we could not renew it. */
static int lost(struct node_lease *l, struct error *err)
{
	if (valid(l)) {
		log_error("node=%u was taken over by another server", l->node);
		atomic_store(&l->stolen, true);
		lease_end(l);
		return 0;
	}
	log_warning("node=%u went to another server while the database was away", l->node);
	return take_any(l, err);
}

static int keep(struct node_lease *l, const struct look *seen, struct error *err)
{
	if (seen->anothers)
		return lost(l, err);
	if (valid(l) && boottime_us() < l->renew_us)
		return 0;
	int r = take(l, l->node, err);
	return r == 0 ? lost(l, err) : r < 0 ? r : 0;
}

/* What is wrong, if the database answers at all. */
static int look_after(struct node_lease *l, const char **ret_trouble, struct error *err)
{
	struct look seen;
	int r = look(l, &seen, err);
	if (r < 0)
		return r;
	tell_clock(l, seen.off_us);
	*ret_trouble = NULL;
	if (seen.read_only) {
		*ret_trouble = "the database is read-only";
	} else if (beyond(seen.off_us, NODE_CLOCK_MAX_US)) {
		*ret_trouble = "the clock of this machine is not the database's";
		lease_end(l);
	} else if (!atomic_load(&l->stolen)) {
		r = keep(l, &seen, err);
	}
	if (r == 0)
		atomic_store(&l->looked_us, boottime_us());
	return r;
}

static void tick(void *arg)
{
	static const char away[] = "the database is away";
	struct node_lease *l = arg;
	const char *trouble = NULL;
	struct error err;
	db_set_deadline(l->conn, monotonic_us() + LOOK_TIMEOUT_S * INT64_C(1000000));
	if (look_after(l, &trouble, &err) < 0) {
		trouble = away;
		if (atomic_load(&l->trouble) != away)
			log_warning("cannot look after node=%u: %s", l->node, err.message);
	}
	atomic_store(&l->trouble, trouble);
}

/* --- from outside --- */

static int start(struct node_lease *l, struct error *err)
{
	struct look seen;
	int r = db_open(&l->db, node_lists, &l->conn, err);
	if (r == 0)
		r = look(l, &seen, err);
	if (r == 0 && beyond(seen.off_us, NODE_CLOCK_MAX_US))
		return error_internal(err,
				      "the clock of this machine is %" PRId64
				      " s off the database's; set it and start again",
				      seen.off_us / 1000000);
	if (r == 0)
		r = take_any(l, err);
	atomic_store(&l->looked_us, boottime_us());
	return r < 0 ? r : ticker_start("node-lease", tick, l, LOOK_US, &l->ticker, err);
}

int node_lease_start(const struct node_lease_config *config, struct node_lease **ret, struct error *err)
{
	struct node_lease *l = calloc(1, sizeof(*l));
	if (!l)
		return error_internal(err, "out of memory for the node lease");
	l->db = *config->db;
	l->db.read_timeout_s = LOOK_TIMEOUT_S;
	l->clock = config->clock;
	l->lease_us = config->lease_us ? config->lease_us : LEASE_US;
	lease_holder(l->holder);
	int r = start(l, err);
	if (r < 0) {
		db_close(l->conn);
		free(l);
		return r;
	}
	*ret = l;
	return 0;
}

int node_lease_new_id(struct node_lease *l, int64_t *ret, struct error *err)
{
	*ret = id_make(&l->ids, database_now_us(l) / 1000);
	if (*ret)
		return 0;
	error_raise(err, &RPC_REASON_DATABASE_UNAVAILABLE,
		    "This server holds no lease of the database now. Nothing was done; repeat the call.");
	return error_set_retry(err, 1000);
}

bool node_lease_ready(const struct node_lease *l, const char **ret_why)
{
	const char *why = atomic_load(&l->trouble);
	if (!why && boottime_us() - atomic_load(&l->looked_us) > LOOK_STALE_US)
		why = "the database does not answer";
	if (!why && !valid(l))
		why = "no node id is leased";
	if (why)
		*ret_why = why;
	return !why;
}

bool node_lease_stolen(const struct node_lease *l)
{
	return atomic_load(&l->stolen);
}

/* A database in trouble is not waited for: the lease ends by itself. */
static void release(struct node_lease *l)
{
	const char *why;
	struct error err;
	if (!node_lease_ready(l, &why))
		return;
	db_set_deadline(l->conn, monotonic_us() + LOOK_TIMEOUT_S * INT64_C(1000000));
	if (db_exec(l->conn, &stmts[NODE_RELEASE],
		    DB_ARGS(db_u64(l->node), db_str(l->holder), db_i64(l->lease_us)), NULL, &err) < 0)
		log_warning("cannot release node=%u: %s", l->node, err.message);
}

void node_lease_stop(struct node_lease *l)
{
	if (!l)
		return;
	ticker_stop(l->ticker);
	release(l);
	db_close(l->conn);
	free(l);
}
