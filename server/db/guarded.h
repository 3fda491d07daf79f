/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_GUARDED_H
#define DB_GUARDED_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/db/db.h"

/*
 * What a connection and its guard (guard.h) know of each other. A connection only tells what it does; what
 * becomes of that is the guard's, which has connections of its own.
 */

/* A run of a server: what gave a connection its id. */
struct db_server {
	uint64_t hash;   /* of its host's name, port and id; 0: unknown */
	int64_t start_s; /* by its own clock */
};

static inline bool db_server_same(const struct db_server *a, const struct db_server *b)
{
	const int64_t apart_s = a->start_s - b->start_s; /* computed from an age in whole seconds */
	return a->hash && a->hash == b->hash && apart_s >= -5 && apart_s <= 5;
}

/* What a guard knows of a connection: see guard.h. */
struct guarded {
	struct db_guard *guard;     /* NULL: none */
	struct db_conn *next, **at; /* the guard's list, under its lock */
	pthread_mutex_t lock;       /* of the next four lines */
	pthread_cond_t killed;
	int socket; /* -1: not connected */
	unsigned long id;
	struct db_server server;
	bool killing, cut; /* a read of it is being stopped; it may not be used any more */
	uint64_t reads;    /* begun; its own thread's */
	int64_t again_us;  /* the guard's: not before, what was to be stopped is told again */
	_Atomic uint64_t reading, unwanted; /* the read that runs, and the one to be stopped; 0: none */
	/* What is asked of the server now: since when (0: nothing), and until when it must be answered. */
	_Atomic int64_t asked_us, answer_by_us;
	int64_t looked_us; /* the guard's: when it last asked after that */
};

enum { GUARD_LEFT_MAX = 256 };

/* What a connection asked, and when. */
struct late {
	unsigned long id;
	struct db_server server;
	int64_t asked_us;
};

/* See guard.h. */
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
	struct late left[GUARD_LEFT_MAX]; /* cut here, and not yet there */
	unsigned n_left;
	int64_t left_us; /* not before then */
};

/* In the place of the time something was asked: the connection was cut. */
#define ASKED_IN_VAIN INT64_C(-1)

/* Of a connection's own thread: when it is made and freed, when it has connected and will disconnect, around
 * whatever is asked of the server, and around a statement that only reads. */
void guard_join(struct db_conn *conn, struct db_guard *g);
void guard_leave(struct db_conn *conn);
void guard_connected(struct db_conn *conn);
void guard_knows_server(struct db_conn *conn, const struct db_server *server);
void guard_disconnecting(struct db_conn *conn);
void guard_asks(struct db_conn *conn);
void guard_answered(struct db_conn *conn);
void guard_read_begins(struct db_conn *conn);
void guard_read_ends(struct db_conn *conn);
bool guard_is_cut(struct db_conn *conn);

#endif
