/* SPDX-License-Identifier: Apache-2.0 */
#include "client/session/session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edu/v1/edu_service.client.h"

enum {
	/* Refreshed this long before it ends, so that it does not end on the way. */
	SESSION_MARGIN_MS = 30 * 1000,
	SESSION_ARENA_MAX = 256 << 10,
};

struct client_session {
	struct client_channel *channel;
	struct session_store store;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t done;  /* an exchange ended */
	struct session_tokens tokens;
	bool exchanging;
	uint64_t exchanges; /* ended so far */
	int last_r;         /* how the last one ended */
	struct error last_err;
	struct error_reason last_reason; /* last_err.reason points here */
	char last_reason_name[64];
};

/* --- tokens --- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool session_tokens_read(const Session *session, struct session_tokens *ret)
{
	const Google__Protobuf__Timestamp *expire = session->access_token_expire_time;

	ret->access = strdup(session->access_token);
	ret->refresh = strdup(session->refresh_token);
	ret->access_expire_ms = expire ? expire->seconds * 1000 + expire->nanos / 1000000 : 0;
	/* New, and about to end by our clock: then our clock is wrong, and only a refusal tells. */
	if (ret->access_expire_ms < now_ms() + SESSION_MARGIN_MS)
		ret->access_expire_ms = 0;
	if (ret->access && ret->refresh)
		return true;
	session_tokens_done(ret);
	return false;
}

void session_tokens_done(struct session_tokens *t)
{
	free(t->access);
	free(t->refresh);
	*t = (struct session_tokens){.access = NULL};
}

static void tokens_replace(struct client_session *s, struct session_tokens *fresh)
{
	session_tokens_done(&s->tokens);
	s->tokens = *fresh;
	*fresh = (struct session_tokens){.access = NULL};
}

static bool tokens_refused(const struct session_tokens *t, const char *refused)
{
	return !t->access || (refused && strcmp(t->access, refused) == 0);
}

static bool tokens_ending(const struct session_tokens *t, int64_t margin_ms)
{
	return t->access_expire_ms != 0 && t->access_expire_ms < now_ms() + margin_ms;
}

static bool tokens_usable(const struct session_tokens *t, const char *refused)
{
	return !tokens_refused(t, refused) && !tokens_ending(t, SESSION_MARGIN_MS);
}

/* --- one exchange --- */

static int exchange_call(struct client_session *s, const char *refresh, struct session_tokens *ret,
			 struct arena *arena, struct error *err)
{
	RefreshSessionRequest request = REFRESH_SESSION_REQUEST_INIT;
	RefreshSessionResponse *response;
	const struct client_call_options options = {.token = ""};

	request.refresh_token = (char *)refresh;
	int r = edu_service_refresh_session_call(s->channel, &request, &options, arena, &response, err);
	if (r < 0)
		return r;
	if (!response->session || !session_tokens_read(response->session, ret))
		return error_internal(err, "a refreshed session could not be kept");
	return 0;
}

/* Exchanges `old`, unless another process has done so already: then what that one kept is taken. */
static int exchange_locked(struct client_session *s, const struct session_tokens *old, const char *refused,
			   struct session_tokens *ret, struct arena *arena, struct error *err)
{
	struct session_tokens kept = {.access = NULL};

	if (s->store.lock) {
		int r = s->store.lock(s->store.arg, &kept, err);
		if (r < 0)
			return r;
		if (kept.refresh && tokens_usable(&kept, refused)) {
			*ret = kept;
			s->store.unlock(s->store.arg);
			return 0;
		}
	}
	const char *refresh = kept.refresh ? kept.refresh : old->refresh;
	int r = exchange_call(s, refresh, ret, arena, err);
	if (r == 0 && s->store.save)
		s->store.save(s->store.arg, ret);
	if (s->store.lock)
		s->store.unlock(s->store.arg);
	session_tokens_done(&kept);
	return r;
}

/* The reason lives in the arena of the call that failed; those who wait need one that lasts. */
static void exchange_remember(struct client_session *s, int r, const struct error *err)
{
	s->last_r = r;
	s->exchanges++;
	if (r == 0)
		return;
	s->last_err = *err;
	snprintf(s->last_reason_name, sizeof(s->last_reason_name), "%s", err->reason->name);
	s->last_reason = (struct error_reason){.name = s->last_reason_name, .code = err->reason->code};
	s->last_err.reason = &s->last_reason;
}

static int error_copy(const struct error *from, struct arena *arena, struct error *to)
{
	struct error_reason *reason = arena_alloc(arena, sizeof(*reason));
	char *name = arena_strdup(arena, from->reason->name);

	if (!reason || !name)
		return error_raise(to, &RPC_REASON_MESSAGE_TOO_LARGE, "the call's memory is used up");
	*to = *from;
	*reason = (struct error_reason){.name = name, .code = from->reason->code};
	to->reason = reason;
	return -to->code;
}

/* Called with the lock held, by the one thread that found nobody exchanging. Lets go of it meanwhile. */
static void session_exchange(struct client_session *s, const char *refused)
{
	struct session_tokens old = s->tokens, fresh = {.access = NULL};
	struct arena arena;
	struct error err;

	error_clear(&err);
	s->exchanging = true;
	pthread_mutex_unlock(&s->lock);
	arena_init(&arena, SESSION_ARENA_MAX);
	int r = exchange_locked(s, &old, refused, &fresh, &arena, &err);
	pthread_mutex_lock(&s->lock);
	if (r == 0)
		tokens_replace(s, &fresh);
	exchange_remember(s, r, &err);
	arena_done(&arena);
	s->exchanging = false;
	pthread_cond_broadcast(&s->done);
}

/* --- what a call asks --- */

/* Waits for the exchange under way, or makes one. Called with the lock held. */
static int session_renew(struct client_session *s, const char *refused)
{
	uint64_t seen = s->exchanges;

	if (!s->exchanging)
		session_exchange(s, refused);
	while (s->exchanges == seen)
		pthread_cond_wait(&s->done, &s->lock);
	return s->last_r;
}

static int session_token(void *arg, const char *refused, struct arena *arena, const char **ret,
			 struct error *err)
{
	struct client_session *s = arg;
	int r = 0;

	pthread_mutex_lock(&s->lock);
	if (!tokens_usable(&s->tokens, refused))
		r = session_renew(s, refused);
	/* Near its end is not yet ended: while it cannot be exchanged, it goes on. */
	if (r < 0 && !tokens_refused(&s->tokens, refused) && !tokens_ending(&s->tokens, 0))
		r = 0;
	if (r < 0) {
		r = error_copy(&s->last_err, arena, err);
	} else {
		*ret = arena_strdup(arena, s->tokens.access);
		if (!*ret)
			r = error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE, "the call's memory is used up");
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

int client_session_new(struct client_channel *channel, const struct session_tokens *tokens,
		       const struct session_store *store, struct client_session **ret, struct error *err)
{
	struct client_session *s = calloc(1, sizeof(*s));
	if (!s)
		return error_internal(err, "no memory for a session");
	s->channel = channel;
	s->tokens = *tokens;
	if (store)
		s->store = *store;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->done, NULL);
	*ret = s;
	return 0;
}

void client_session_free(struct client_session *s)
{
	if (!s)
		return;
	session_tokens_done(&s->tokens);
	pthread_cond_destroy(&s->done);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct client_credentials client_session_credentials(struct client_session *s)
{
	return (struct client_credentials){.token = session_token, .arg = s};
}
