/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/db/conn.h"

enum {
	PATIENCE_S = 1,   /* with a database that does not answer; a connection waits as long for its guard */
	AGAIN_US = 50000, /* a read that still runs so long after it was to stop is told again */
};

struct db_guard {
	struct db_config config; /* of its own connection */
	struct db_conn *conn;    /* NULL until there was something to stop */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* of what follows; never held while the database is asked */
	pthread_cond_t wake;
	struct db_conn *first;
	int64_t cut_us, again_us; /* monotonic; INT64_MAX: never */
	bool cut, stopping;
};

/* --- the connections' side --- */

void guard_join(struct db_conn *conn, struct db_guard *g)
{
	struct guarded *o = &conn->guarded;
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->killed, NULL);
	o->socket = -1;
	o->guard = g;
	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	o->next = g->first;
	o->at = &g->first;
	if (o->next)
		o->next->guarded.at = &o->next;
	g->first = conn;
	o->cut = g->cut;
	pthread_mutex_unlock(&g->lock);
}

void guard_leave(struct db_conn *conn)
{
	struct guarded *o = &conn->guarded;
	if (o->guard) {
		pthread_mutex_lock(&o->guard->lock);
		*o->at = o->next;
		if (o->next)
			o->next->guarded.at = o->at;
		pthread_mutex_unlock(&o->guard->lock);
	}
	pthread_cond_destroy(&o->killed);
	pthread_mutex_destroy(&o->lock);
}

bool guard_is_cut(struct db_conn *conn)
{
	struct guarded *o = &conn->guarded;
	pthread_mutex_lock(&o->lock);
	bool cut = o->cut;
	pthread_mutex_unlock(&o->lock);
	return cut;
}

void guard_connected(struct db_conn *conn)
{
	struct guarded *o = &conn->guarded;
	pthread_mutex_lock(&o->lock);
	o->socket = mysql_get_socket(conn->mysql);
	o->id = mysql_thread_id(conn->mysql);
	if (o->cut)
		shutdown(o->socket, SHUT_RDWR);
	pthread_mutex_unlock(&o->lock);
}

void guard_disconnecting(struct db_conn *conn)
{
	pthread_mutex_lock(&conn->guarded.lock);
	conn->guarded.socket = -1;
	pthread_mutex_unlock(&conn->guarded.lock);
}

void guard_read_begins(struct db_conn *conn)
{
	if (conn->guarded.guard)
		atomic_store(&conn->guarded.reading, ++conn->guarded.reads);
}

void guard_read_ends(struct db_conn *conn)
{
	struct guarded *o = &conn->guarded;
	if (!o->guard)
		return;
	pthread_mutex_lock(&o->lock);
	atomic_store(&o->reading, 0);
	while (o->killing) /* or it would hit the next statement */
		pthread_cond_wait(&o->killed, &o->lock);
	pthread_mutex_unlock(&o->lock);
}

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

static void kill_read(struct db_guard *g, struct db_conn *conn)
{
	struct guarded *o = &conn->guarded;
	struct error err;
	char sql[64];
	int r = g->conn ? 0 : db_open(&g->config, NULL, &g->conn, &err);
	snprintf(sql, sizeof(sql), "KILL QUERY %lu", o->id);
	if (r == 0)
		r = db_run_text(g->conn, sql, &err);
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

static void cut_all(struct db_guard *g)
{
	g->cut = true;
	for (struct db_conn *conn = g->first; conn; conn = conn->guarded.next) {
		struct guarded *o = &conn->guarded;
		pthread_mutex_lock(&o->lock);
		o->cut = true;
		if (o->socket >= 0)
			shutdown(o->socket, SHUT_RDWR);
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
	const int64_t us = g->again_us < g->cut_us ? g->again_us : g->cut_us;
	const struct timespec until = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
	if (g->cut || us == INT64_MAX)
		pthread_cond_wait(&g->wake, &g->lock);
	else
		pthread_cond_timedwait(&g->wake, &g->lock, &until);
}

static void *run(void *arg)
{
	struct db_guard *g = arg;
	pthread_mutex_lock(&g->lock);
	while (!g->stopping) {
		struct db_conn *conn = g->cut ? NULL : claim_unwanted(g);
		if (!g->cut && monotonic_us() >= g->cut_us)
			cut_all(g);
		if (conn) {
			pthread_mutex_unlock(&g->lock);
			kill_read(g, conn);
			pthread_mutex_lock(&g->lock);
		} else {
			wait_for_work(g);
		}
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

static void init_locks(struct db_guard *g)
{
	pthread_condattr_t attr;
	pthread_mutex_init(&g->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&g->wake, &attr);
	pthread_condattr_destroy(&attr);
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
	init_locks(g);
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
