/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "client/client.h"
#include "edu/v1/session.tables.h"

/*
 * A signed-in user's session as a channel's credentials: it hands out the access token, and exchanges the
 * refresh token when the access token is about to end or was refused. However many threads need that at once,
 * one asks and the rest wait for its answer, because an old refresh token shown again may end the session.
 */
struct client_session;

struct session_tokens {
	char *access, *refresh;   /* on the heap; NULL: none */
	int64_t access_expire_ms; /* since the Unix epoch; 0: not known, used until it is refused */
};

/* Reads the tokens of an answered Session. False when memory is short. */
bool session_tokens_read(const Session *session, struct session_tokens *ret)
	__attribute__((warn_unused_result));
void session_tokens_done(struct session_tokens *t);

/*
 * Where tokens outlive the process, shared with other processes. Around every exchange: lock() waits until no
 * other process exchanges the same tokens and reads what is kept now; save() keeps what the exchange gave;
 * unlock(). All three are called from the thread that exchanges. save() reports its own failure: the session
 * goes on in memory.
 */
struct session_store {
	int (*lock)(void *arg, struct session_tokens *ret, struct error *err);
	void (*save)(void *arg, const struct session_tokens *tokens);
	void (*unlock)(void *arg);
	void *arg;
};

/* Takes the tokens over. The channel must outlive it. `store` is copied; NULL: none. */
int client_session_new(struct client_channel *channel, const struct session_tokens *tokens,
		       const struct session_store *store, struct client_session **ret, struct error *err)
	__attribute__((warn_unused_result));
void client_session_free(
	struct client_session *s); /* no call of the channel may be under way; NULL is fine */

/* For client_channel_set_credentials(). Thread-safe. */
struct client_credentials client_session_credentials(struct client_session *s);

#endif
