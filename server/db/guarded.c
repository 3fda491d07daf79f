/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/guarded.h"

#include <sys/socket.h>

#include "server/base/clock.h"
#include "server/db/conn_state.h"

enum { GRACE_US = 1000000 }; /* what an answer may be late by */

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
	o->server = (struct db_server){0};
	if (o->cut)
		shutdown(o->socket, SHUT_RDWR);
	pthread_mutex_unlock(&o->lock);
}

void guard_knows_server(struct db_conn *conn, const struct db_server *server)
{
	pthread_mutex_lock(&conn->guarded.lock);
	conn->guarded.server = *server;
	pthread_mutex_unlock(&conn->guarded.lock);
}

void guard_disconnecting(struct db_conn *conn)
{
	pthread_mutex_lock(&conn->guarded.lock);
	conn->guarded.socket = -1;
	pthread_mutex_unlock(&conn->guarded.lock);
}

/* How long the server may take for what is asked next; 0: as long as it likes. */
static int64_t time_ms(const struct db_conn *conn)
{
	return conn->connecting ? conn_connect_timeout_s(conn) * INT64_C(1000) : conn->limit_ms;
}

void guard_asks(struct db_conn *conn)
{
	struct guarded *o = &conn->guarded;
	if (!o->guard)
		return;
	const int64_t now_us = monotonic_us(), limit_ms = time_ms(conn);
	atomic_store_explicit(&o->answer_by_us, limit_ms ? now_us + limit_ms * 1000 + GRACE_US : INT64_MAX,
			      memory_order_relaxed);
	atomic_store_explicit(&o->asked_us, now_us, memory_order_release);
}

void guard_answered(struct db_conn *conn)
{
	if (atomic_exchange_explicit(&conn->guarded.asked_us, 0, memory_order_acq_rel) != ASKED_IN_VAIN)
		return;
	conn->broken = true;
	conn->doomed = conn->in_transaction;
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
