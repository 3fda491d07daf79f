/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/db/conn.h"
#include "server/db/table.h"

enum {
	PATIENCE_S = 1,   /* with a database that does not answer; a connection waits as long for its guard */
	LOOK_US = 500000, /* how often the guard looks for what is late */
	LATE_US = 2000000, /* what takes longer may be lost, and is asked after */
	ASLEEP_MS = 1000,  /* a connection of which the server knows nothing for so long is lost */
	AGAIN_US = 50000,  /* a read that still runs so long after it was to stop is told again */
};

enum { BUSY };

static const struct db_stmt stmts[] = {
	[BUSY] = {"guard_busy", "ii", &db_row_i64,
		  "SELECT COUNT(*) FROM information_schema.processlist"
		  " WHERE id = ? AND (command <> 'Sleep' OR time_ms < ?)"},
};
static const struct db_stmt_list list = {"guard", stmts, 1};
static const struct db_stmt_list *const lists[] = {&list, NULL};

/* --- stopping reads --- */

void db_interrupt(struct db_conn *conn)
{
	struct guarded *o = &conn->guarded;
	const uint64_t read = atomic_load(&o->reading);
	if (!o->guard || !read)
		return;
	atomic_store(&o->unwanted, read);
	pthread_mutex_lock(&o->guard->lock);
	pthread_cond_signal(&o->guard->wake);
	pthread_mutex_unlock(&o->guard->lock);
}

/* Claims the connection if a read runs that is to be stopped and was not told so just now. */
static bool claim(struct db_guard *g, struct guarded *o, int64_t now_us)
{
	uint64_t unwanted = atomic_load(&o->unwanted);
	if (!unwanted)
		return false;
	pthread_mutex_lock(&o->lock);
	const bool runs = o->reading == unwanted;
	o->killing = runs && o->again_us <= now_us;
	pthread_mutex_unlock(&o->lock);
	if (!runs) {
		atomic_compare_exchange_strong(&o->unwanted, &unwanted, 0);
		return false;
	}
	/* The server forgets a KILL that arrives before the statement does. */
	if (o->killing)
		o->again_us = now_us + AGAIN_US;
	if (o->again_us < g->again_us)
		g->again_us = o->again_us;
	return o->killing;
}

/* The next read that is to be stopped, or NULL; with the guard's lock. */
static struct db_conn *claim_unwanted(struct db_guard *g)
{
	const int64_t now_us = monotonic_us();
	g->again_us = INT64_MAX;
	for (struct db_conn *conn = g->first; conn; conn = conn->guarded.next)
		if (claim(g, &conn->guarded, now_us))
			return conn;
	return NULL;
}

/* An id is the server's who gave it: behind one name there may be several, and one starts anew. */
static int guard_connect(struct db_guard *g, const struct db_server *server, bool *ret_same,
			 struct error *err)
{
	int r = g->conn ? 0 : db_open(&g->config, lists, &g->conn, err);
	if (r == 0)
		r = conn_ready(g->conn, err);
	*ret_same = r == 0 && db_server_same(&g->conn->guarded.server, server);
	return r;
}

static void kill_read(struct db_guard *g, struct db_conn *conn)
{
	struct guarded *o = &conn->guarded;
	struct error err;
	char sql[64];
	bool same;
	int r = guard_connect(g, &o->server, &same, &err);
	snprintf(sql, sizeof(sql), "KILL QUERY %lu", o->id);
	if (r == 0 && same)
		r = conn_text(g->conn, sql, &err);
	if (r < 0) {
		log_warning("a read that nobody waits for goes on: %s", err.message);
		o->again_us = monotonic_us() + PATIENCE_S * 1000000;
	}
	pthread_mutex_lock(&o->lock);
	o->killing = false;
	pthread_cond_signal(&o->killed);
	pthread_mutex_unlock(&o->lock);
}

/* --- cutting --- */

static void shut(struct guarded *o)
{
	if (o->socket >= 0)
		shutdown(o->socket, SHUT_RDWR);
}

/* The server goes on holding the locks of what is cut only here. With the guard's lock. */
static void leave_behind(struct db_guard *g, const struct late *late)
{
	if (g->n_left == GUARD_LEFT_MAX)
		memmove(&g->left[0], &g->left[1], --g->n_left * sizeof(g->left[0]));
	g->left[g->n_left++] = *late;
}

static struct late late_of(struct guarded *o, int64_t asked_us)
{
	pthread_mutex_lock(&o->lock);
	const struct late late = {.id = o->id, .server = o->server, .asked_us = asked_us};
	pthread_mutex_unlock(&o->lock);
	return late;
}

/* Cuts the connection if it still waits for the answer to what it asked then: whose answer comes just now
 * opens it anew before the next statement. With the guard's lock. */
static bool cut(struct db_guard *g, struct guarded *o, const struct late *late)
{
	int64_t asked_us = late->asked_us;
	pthread_mutex_lock(&o->lock);
	const bool waits =
		o->id == late->id && atomic_compare_exchange_strong(&o->asked_us, &asked_us, ASKED_IN_VAIN);
	if (waits)
		shut(o);
	pthread_mutex_unlock(&o->lock);
	if (waits)
		leave_behind(g, late);
	return waits;
}

/* The server ends a statement by its limit: one that is not answered after that never is. With the guard's
 * lock. */
static void cut_overdue(struct db_guard *g)
{
	const int64_t now_us = monotonic_us();
	for (struct db_conn *conn = g->first; conn; conn = conn->guarded.next) {
		struct guarded *o = &conn->guarded;
		const int64_t asked_us = atomic_load(&o->asked_us);
		if (asked_us <= 0 || atomic_load(&o->answer_by_us) > now_us)
			continue;
		const struct late late = late_of(o, asked_us);
		if (cut(g, o, &late))
			log_warning("the database did not answer in time: a connection is cut");
	}
}

/* Kills in the server what was cut here, once it can be reached; false when it cannot. */
static bool kill_left(struct db_guard *g, const struct late *late)
{
	struct error err;
	char sql[64];
	bool same;
	if (guard_connect(g, &late->server, &same, &err) < 0)
		return false;
	snprintf(sql, sizeof(sql), "KILL CONNECTION %lu", late->id);
	/* Another server has other connections of that id; a refusal says that it is gone. */
	return !same || conn_text(g->conn, sql, &err) == 0 || !g->conn->broken;
}

/* With the guard's lock, which it lets go meanwhile. */
static void kill_one_left(struct db_guard *g)
{
	const struct late late = g->left[--g->n_left];
	pthread_mutex_unlock(&g->lock);
	const bool over = kill_left(g, &late);
	pthread_mutex_lock(&g->lock);
	if (over)
		return;
	leave_behind(g, &late);
	g->left_us = monotonic_us() + PATIENCE_S * 1000000;
}

/* --- what the server never heard of, or thinks answered --- */

/* A connection that has waited for an answer for long; with the guard's lock. */
static bool find_late(struct db_guard *g, struct late *ret)
{
	const int64_t now_us = monotonic_us();
	for (struct db_conn *conn = g->first; conn; conn = conn->guarded.next) {
		struct guarded *o = &conn->guarded;
		const int64_t asked_us = atomic_load(&o->asked_us);
		if (asked_us <= 0 || now_us - asked_us < LATE_US || now_us - o->looked_us < ASLEEP_MS * 1000)
			continue;
		o->looked_us = now_us;
		*ret = late_of(o, asked_us);
		return true;
	}
	return false;
}

/* Asks the server what it does for the connection: when that is nothing, question or answer are lost. */
static bool is_lost(struct db_guard *g, const struct late *late)
{
	struct error err;
	bool same = false;
	int64_t busy = 0;
	int r = guard_connect(g, &late->server, &same, &err);
	if (r == 0 && same)
		r = db_read(g->conn, &stmts[BUSY], DB_ARGS(db_i64((int64_t)late->id), db_i64(ASLEEP_MS)),
			    NULL, &busy, &err);
	return r == 1 && busy == 0;
}

/* With the guard's lock, which it lets go while it asks. */
static void attend(struct db_guard *g, const struct late *late)
{
	pthread_mutex_unlock(&g->lock);
	const bool lost = is_lost(g, late);
	pthread_mutex_lock(&g->lock);
	for (struct db_conn *conn = lost ? g->first : NULL; conn; conn = conn->guarded.next)
		if (cut(g, &conn->guarded, late))
			log_warning("a statement or its answer was lost on the way to the database: the "
				    "connection is cut");
}

/* --- the end --- */

static void cut_all(struct db_guard *g)
{
	g->cut = true;
	for (struct db_conn *conn = g->first; conn; conn = conn->guarded.next) {
		struct guarded *o = &conn->guarded;
		pthread_mutex_lock(&o->lock);
		o->cut = true;
		shut(o);
		pthread_mutex_unlock(&o->lock);
	}
	if (g->first)
		log_warning("the time is over: connections to the database are cut");
}

void db_guard_cut_at(struct db_guard *g, int64_t us)
{
	pthread_mutex_lock(&g->lock);
	g->cut_us = us;
	pthread_cond_signal(&g->wake);
	pthread_mutex_unlock(&g->lock);
}

/* --- the thread --- */

static void wait_for_work(struct db_guard *g)
{
	const int64_t look_us = monotonic_us() + LOOK_US;
	const int64_t due_us = g->again_us < g->cut_us ? g->again_us : g->cut_us;
	const struct timespec until = timespec_of_us(look_us < due_us ? look_us : due_us);
	if (g->cut)
		pthread_cond_wait(&g->wake, &g->lock);
	else
		pthread_cond_timedwait(&g->wake, &g->lock, &until);
}

static void *run(void *arg)
{
	struct db_guard *g = arg;
	pthread_mutex_lock(&g->lock);
	while (!g->stopping) {
		struct late late;
		cut_overdue(g);
		struct db_conn *conn = g->cut ? NULL : claim_unwanted(g);
		if (!g->cut && monotonic_us() >= g->cut_us)
			cut_all(g);
		if (conn) {
			pthread_mutex_unlock(&g->lock);
			kill_read(g, conn);
			pthread_mutex_lock(&g->lock);
		} else if (!g->cut && g->n_left > 0 && monotonic_us() >= g->left_us) {
			kill_one_left(g);
		} else if (!g->cut && find_late(g, &late)) {
			attend(g, &late);
		} else {
			wait_for_work(g);
		}
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

int db_guard_start(const struct db_config *config, struct db_guard **ret, struct error *err)
{
	struct db_guard *g = calloc(1, sizeof(*g));
	if (!g)
		return error_internal(err, "out of memory for the guard of the connections");
	g->config = *config;
	g->config.guard = NULL;
	g->config.connect_timeout_s = g->config.read_timeout_s = PATIENCE_S;
	g->cut_us = g->again_us = INT64_MAX;
	pthread_mutex_init(&g->lock, NULL);
	cond_init_monotonic(&g->wake);
	if (pthread_create(&g->thread, NULL, run, g) != 0) {
		db_guard_stop(g);
		return error_internal(err, "cannot start the guard of the connections");
	}
	g->running = true;
	pthread_setname_np(g->thread, "db-guard");
	*ret = g;
	return 0;
}

void db_guard_stop(struct db_guard *g)
{
	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	g->stopping = true;
	pthread_cond_signal(&g->wake);
	pthread_mutex_unlock(&g->lock);
	if (g->running)
		pthread_join(g->thread, NULL);
	db_close(g->conn);
	pthread_cond_destroy(&g->wake);
	pthread_mutex_destroy(&g->lock);
	free(g);
}
