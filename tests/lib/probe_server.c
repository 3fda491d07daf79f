/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/probe_server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/v1/probe.server.h"
#include "proto/runtime/array.h"

_Atomic int probe_streams_open, probe_streams_closed, probe_handled, probe_threads_stopped;
_Atomic int probe_interrupted;

/* --- who is calling --- */

static int authenticate(void *arg, const struct rpc_bearer *bearer, struct principal *ret, struct error *err)
{
	const struct span token = bearer->token;
	static const struct {
		const char *token;
		struct principal who;
	} known[] = {
		{"admin", {.user_id = 7, .roles = ROLE_MASK_ADMIN}},
		{"payer", {.user_id = 8, .organization_id = 3, .scopes = SCOPE_PAYMENTS}},
		{"learner", {.user_id = 9, .roles = ROLE_MASK_LEARNER}},
		{"reader", {.user_id = 10, .organization_id = 3, .scopes = SCOPE_RECORDS_READ}},
		{"slow", {.user_id = 11, .roles = ROLE_MASK_ADMIN}},
		{"doubted", {.user_id = 12, .roles = ROLE_MASK_ADMIN}},
		{"doubted learner", {.user_id = 13, .roles = ROLE_MASK_LEARNER}},
		{"gone", {.user_id = 14, .roles = ROLE_MASK_LEARNER}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (token.len == strlen(known[i].token) &&
		    memcmp(token.data, known[i].token, token.len) == 0) {
			*ret = known[i].who;
			return ret->user_id >= 12 ? RPC_UNCONFIRMED : 0;
		}
	}
	if (token.len == 7 && memcmp(token.data, "expired", 7) == 0)
		return error_raise(err, &RPC_REASON_TOKEN_EXPIRED, "expired");
	return error_raise(err, &RPC_REASON_TOKEN_INVALID, "unknown");
}

static int confirm(struct rpc_call *call, struct span token, struct error *err)
{
	const char *context = rpc_context(call);

	if (!context || strcmp(context, "db") != 0)
		return error_internal(err, "confirmed on another thread");
	usleep(1000); /* others come meanwhile */
	if (token.len == 4 && memcmp(token.data, "gone", 4) == 0)
		return error_raise(err, &RPC_REASON_TOKEN_REVOKED, "gone");
	return 0;
}

static int admit(void *arg, const char *rate_class, const struct principal *who, const char *address,
		 struct error *err)
{
	if (who->user_id != 11 || strcmp(rate_class, "guarded") != 0)
		return 0;
	(void)!error_raise(err, &RPC_REASON_RATE_LIMITED, "enough");
	return error_set_retry(err, 1500);
}

/* --- echo, in all the ways a handler may return --- */

static int echo_fill(struct rpc_call *call, const EchoRequest *req, const char *places, EchoResponse *ret,
		     struct error *err)
{
	const struct request_key *key = rpc_request_key(call);

	atomic_fetch_add(&probe_handled, 1);
	if (req->fail_code == STATUS_INTERNAL)
		return error_internal(err, "a secret of the server");
	if (req->fail_code == STATUS_UNKNOWN)
		return -STATUS_UNKNOWN;
	if (req->fail_code == STATUS_UNAVAILABLE) {
		(void)!error_raise(err, &RPC_REASON_DATABASE_UNAVAILABLE, "away");
		return error_set_retry(err, 321);
	}
	if (req->fail_code != 0)
		return error_raise(err, &RPC_REASON_CONFLICT, "as asked");
	ret->payload = req->payload;
	ret->places = arena_strdup(rpc_arena(call), places);
	ret->user_id = rpc_principal(call)->user_id;
	ret->address = arena_strdup(rpc_arena(call), rpc_peer_address(call));
	if (key->present) {
		ret->body_hash.len = sizeof(key->body_hash);
		ret->body_hash.data = arena_memdup(rpc_arena(call), key->body_hash, sizeof(key->body_hash));
	}
	return 0;
}

static const char *place_name(const struct rpc_call *call)
{
	const char *context = rpc_context(call);

	return context ? context : "none";
}

static int echo(struct rpc_call *call, const EchoRequest *req, EchoResponse *ret, struct error *err)
{
	if (req->sleep_ms)
		usleep(req->sleep_ms * 1000);
	return echo_fill(call, req, place_name(call), ret, err);
}

struct chain {
	const EchoRequest *req;
	EchoResponse *ret;
	char places[64];
};

static int chain_end(struct rpc_call *call, void *state, struct error *err)
{
	struct chain *chain = state;

	strcat(chain->places, place_name(call));
	return echo_fill(call, chain->req, chain->places, chain->ret, err);
}

static int chain_password(struct rpc_call *call, void *state, struct error *err)
{
	struct chain *chain = state;

	strcat(strcat(chain->places, place_name(call)), ",");
	return rpc_run_on(call, RPC_ON_POLLER, chain_end, chain);
}

static int chain_db(struct rpc_call *call, void *state, struct error *err)
{
	struct chain *chain = state;

	strcat(strcat(chain->places, place_name(call)), ",");
	return rpc_run_on(call, RPC_ON_PASSWORD, chain_password, chain);
}

static int echo_chain(struct rpc_call *call, const EchoRequest *req, EchoResponse *ret, struct error *err)
{
	struct chain *chain = arena_zalloc(rpc_arena(call), sizeof(*chain));

	*chain = (struct chain){.req = req, .ret = ret};
	strcat(strcat(chain->places, place_name(call)), ",");
	return rpc_run_on(call, RPC_ON_DB, chain_db, chain);
}

struct deferred {
	struct rpc_call *call;
	const EchoRequest *req;
	EchoResponse *ret;
	pthread_t thread;
	struct deferred *next;
};

static struct deferred *deferred_calls;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *deferred_main(void *arg)
{
	struct deferred *d = arg;
	struct error *err = rpc_call_error(d->call);

	if (d->req->sleep_ms)
		usleep(d->req->sleep_ms * 1000);
	rpc_call_finish(d->call, echo_fill(d->call, d->req, "thread", d->ret, err), err);
	return NULL;
}

static int echo_deferred(struct rpc_call *call, const EchoRequest *req, EchoResponse *ret, struct error *err)
{
	struct deferred *d = malloc(sizeof(*d));
	int r = rpc_defer(call);

	*d = (struct deferred){.call = call, .req = req, .ret = ret};
	pthread_mutex_lock(&lock);
	d->next = deferred_calls;
	deferred_calls = d;
	pthread_create(&d->thread, NULL, deferred_main, d);
	pthread_mutex_unlock(&lock);
	return r;
}

void probe_join(void)
{
	while (deferred_calls) {
		struct deferred *d = deferred_calls;

		pthread_join(d->thread, NULL);
		deferred_calls = d->next;
		free(d);
	}
}

static int plant(struct rpc_call *call, const Tree *req, Nothing *ret, struct error *err)
{
	return 0;
}

/* --- streams --- */

static struct rpc_call *waiting[16];
static unsigned n_waiting;
static bool awake;

struct pour {
	const PourRequest *req;
	uint32_t sent;
};

static void *stream_state(struct rpc_call *call, size_t size)
{
	void *state = arena_zalloc(rpc_arena(call), size);

	atomic_fetch_add(&probe_streams_open, 1);
	rpc_set_state(call, state);
	return state;
}

static void stream_closed(struct rpc_call *call)
{
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < n_waiting; i++) {
		if (waiting[i] == call)
			waiting[i] = waiting[--n_waiting];
	}
	pthread_mutex_unlock(&lock);
	atomic_fetch_sub(&probe_streams_open, 1);
	atomic_fetch_add(&probe_streams_closed, 1);
}

static int pour_open(struct rpc_call *call, const PourRequest *req, struct error *err)
{
	struct pour *pour = stream_state(call, sizeof(*pour));

	pour->req = req;
	pthread_mutex_lock(&lock);
	if (req->wait && n_waiting < 16)
		waiting[n_waiting++] = call;
	awake = !req->wait;
	pthread_mutex_unlock(&lock);
	return 0;
}

void probe_wake(void)
{
	pthread_mutex_lock(&lock);
	awake = true;
	for (unsigned i = 0; i < n_waiting; i++)
		rpc_stream_wake(waiting[i]);
	pthread_mutex_unlock(&lock);
}

static bool may_pour(const struct pour *pour)
{
	bool may;

	pthread_mutex_lock(&lock);
	may = awake || !pour->req->wait;
	pthread_mutex_unlock(&lock);
	return may;
}

static int pour_next(struct rpc_call *call, PourResponse *ret, struct error *err)
{
	struct pour *pour = rpc_state(call);

	if (!may_pour(pour))
		return RPC_WAIT;
	if (pour->req->fail_after && pour->sent == pour->req->fail_after)
		return error_raise(err, &RPC_REASON_CONFLICT, "poured enough");
	if (pour->sent == pour->req->count)
		return RPC_END;
	ret->number = ++pour->sent;
	ret->payload.len = pour->req->size;
	ret->payload.data = arena_zalloc(rpc_message_arena(call), pour->req->size);
	if (!ret->payload.data)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE, "too much to pour");
	return RPC_SEND;
}

struct gather {
	uint32_t messages;
	uint64_t bytes;
};

static int gather_open(struct rpc_call *call, struct error *err)
{
	stream_state(call, sizeof(struct gather));
	return 0;
}

static int gather_message(struct rpc_call *call, const GatherRequest *message, struct error *err)
{
	struct gather *gather = rpc_state(call);

	if (message->payload.len == 13)
		return error_raise(err, &RPC_REASON_CONFLICT, "13 is refused");
	gather->messages++;
	gather->bytes += message->payload.len;
	return 0;
}

static int gather_half_closed(struct rpc_call *call, GatherResponse *ret, struct error *err)
{
	struct gather *gather = rpc_state(call);

	ret->messages = gather->messages;
	ret->bytes = gather->bytes;
	return 0;
}

struct talk {
	char words[256];
	uint32_t times;
	bool half_closed;
};

static int talk_open(struct rpc_call *call, struct error *err)
{
	stream_state(call, sizeof(struct talk));
	return 0;
}

static int talk_message(struct rpc_call *call, const TalkRequest *message, struct error *err)
{
	struct talk *talk = rpc_state(call);

	if (talk->times > 0)
		return error_internal(err, "a message came while another's answers waited");
	strncpy(talk->words, message->words, sizeof(talk->words) - 1);
	talk->times = message->times;
	return 0;
}

static int talk_half_closed(struct rpc_call *call, struct error *err)
{
	struct talk *talk = rpc_state(call);

	talk->half_closed = true;
	return 0;
}

static int talk_next(struct rpc_call *call, TalkResponse *ret, struct error *err)
{
	struct talk *talk = rpc_state(call);

	if (talk->times == 0)
		return talk->half_closed ? RPC_END : RPC_WAIT;
	talk->times--;
	ret->words = talk->words;
	return RPC_SEND;
}

static const struct probe_pour_stream pour = {.open = pour_open, .next = pour_next, .closed = stream_closed};
static const struct probe_gather_stream gather = {
	.open = gather_open,
	.message = gather_message,
	.half_closed = gather_half_closed,
	.closed = stream_closed,
};
static const struct probe_talk_stream talk = {
	.open = talk_open,
	.message = talk_message,
	.half_closed = talk_half_closed,
	.next = talk_next,
	.closed = stream_closed,
};

/* --- the table --- */

PROBE_ECHO(echo, RPC_ON_POLLER, .hot = true);
PROBE_ECHO_COLD(echo, RPC_ON_POLLER);
PROBE_ECHO_ON_DB(echo, RPC_ON_DB, .hot = true);
PROBE_READ_ON_DB(echo, RPC_ON_DB);
PROBE_ECHO_CHAIN(echo_chain, RPC_ON_POLLER);
PROBE_ECHO_DEFERRED(echo_deferred, RPC_ON_POLLER);
PROBE_GUARDED(echo, RPC_ON_POLLER, .hot = true);
PROBE_PLANT(plant, RPC_ON_POLLER);
PROBE_POUR(&pour, RPC_ON_DB);
PROBE_GATHER(&gather, RPC_ON_DB);
PROBE_TALK(&talk, RPC_ON_POLLER);

const struct rpc_row *const probe_rows[] = PROBE_ROWS;
const struct service_desc *const probe_services[] = {&probe_desc, NULL};

static void *named_start(void *arg, unsigned index)
{
	return arg;
}

static void named_stop(void *context)
{
	atomic_fetch_add(&probe_threads_stopped, 1);
}

static void named_interrupt(void *context)
{
	atomic_fetch_add(&probe_interrupted, 1);
}

void probe_config(struct rpc_server_config *config)
{
	rpc_server_config_defaults(config);
	config->address = "127.0.0.1:0";
	config->hot_slots = 16;
	config->catch_all_slots = 16;
	config->max_calls = 64;
	config->drain_notice_ms = 0;
	config->drain_ms = 2000;
	config->pollers = 2; /* whatever the machine: calls of one connection meet on both */
	config->auth =
		(struct rpc_authenticator){.authenticate = authenticate, .confirm = confirm, .admit = admit};
	config->executors[RPC_ON_DB] = (struct rpc_executor_config){
		.threads = 2,
		.queue = 4,
		.wait_ms = 2000,
		.thread_start = named_start,
		.thread_stop = named_stop,
		.interrupt = named_interrupt,
		.arg = (char *)"db",
	};
	config->executors[RPC_ON_PASSWORD] = (struct rpc_executor_config){
		.threads = 1,
		.queue = 4,
		.wait_ms = 2000,
		.thread_start = named_start,
		.arg = (char *)"password",
	};
}
