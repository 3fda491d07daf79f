/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service that has nothing to do with the contract (zoo.v1.Zoo, generated under policy=none) is served and
 * called through what the generator made of it: all four kinds, their errors, and the asynchronous stub.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/rpc/server.h"
#include "zoo/v1/zoo.client.h"
#include "zoo/v1/zoo.server.h"

enum { ARENA_CAP = 1 << 20, TIMEOUT_MS = 10000 };

/* --- the server --- */

static const struct error_reason asleep = {.name = "ASLEEP", .code = STATUS_FAILED_PRECONDITION};

static int feed(struct rpc_call *call, const FeedRequest *req, FeedResponse *ret, struct error *err)
{
	if (!req->animal)
		return error_field(err, "animal", "must be set");
	req->animal->weight += req->amount;
	ret->animal = req->animal;
	return RPC_DONE;
}

struct visits {
	uint32_t told, total;
};

static int watch_open(struct rpc_call *call, const WatchRequest *req, struct error *err)
{
	struct visits *v = arena_zalloc(rpc_arena(call), sizeof(*v));

	if (!v)
		return error_internal(err, "no memory for the visits");
	v->total = req->visits;
	rpc_set_state(call, v);
	return 0;
}

static int watch_next(struct rpc_call *call, WatchResponse *ret, struct error *err)
{
	struct visits *v = rpc_state(call);

	if (v->told == 13)
		return error_raise(err, &asleep, "the animals sleep after 13 visits");
	if (v->told == v->total)
		return RPC_END;
	ret->visit = ++v->told;
	return RPC_SEND;
}

struct count {
	uint32_t animals;
	int64_t weight;
};

static int count_open(struct rpc_call *call, struct error *err)
{
	struct count *c = arena_zalloc(rpc_arena(call), sizeof(*c));

	rpc_set_state(call, c);
	return c ? 0 : error_internal(err, "no memory for the count");
}

static void count_animal(struct count *c, const Animal *animal)
{
	c->animals++;
	c->weight += animal->weight;
	for (size_t i = 0; i < animal->n_young; i++)
		count_animal(c, animal->young[i]);
}

static int count_message(struct rpc_call *call, const Animal *message, struct error *err)
{
	if (message->species == SPECIES_UNSPECIFIED)
		return error_raise(err, &asleep, "what is %s?", message->name);
	count_animal(rpc_state(call), message);
	return 0;
}

static int count_half_closed(struct rpc_call *call, CountResponse *ret, struct error *err)
{
	const struct count *c = rpc_state(call);

	ret->animals = c->animals;
	ret->weight = c->weight;
	return 0;
}

/* A parrot: what it heard and has not repeated yet. */
struct parrot {
	char words[64];
	bool heard, left_alone;
};

static pthread_mutex_t parrots_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t parrots_changed = PTHREAD_COND_INITIALIZER;
static int parrots_listening;

static void parrots_add(int n)
{
	pthread_mutex_lock(&parrots_lock);
	parrots_listening += n;
	pthread_cond_broadcast(&parrots_changed);
	pthread_mutex_unlock(&parrots_lock);
}

static int talk_open(struct rpc_call *call, struct error *err)
{
	struct parrot *p = calloc(1, sizeof(*p));

	if (!p)
		return error_internal(err, "no memory for a parrot");
	rpc_set_state(call, p);
	parrots_add(1);
	return 0;
}

static int talk_message(struct rpc_call *call, const TalkRequest *message, struct error *err)
{
	struct parrot *p = rpc_state(call);

	snprintf(p->words, sizeof(p->words), "%s", message->words);
	p->heard = true;
	return 0;
}

static int talk_half_closed(struct rpc_call *call, struct error *err)
{
	struct parrot *p = rpc_state(call);

	p->left_alone = true;
	return 0;
}

static int talk_next(struct rpc_call *call, TalkResponse *ret, struct error *err)
{
	struct parrot *p = rpc_state(call);

	if (!p->heard)
		return p->left_alone ? RPC_END : RPC_WAIT;
	p->heard = false;
	ret->words = arena_strdup(rpc_message_arena(call), p->words);
	return ret->words ? RPC_SEND : error_internal(err, "no memory for the words");
}

static void talk_closed(struct rpc_call *call)
{
	if (!rpc_state(call))
		return;
	free(rpc_state(call));
	parrots_add(-1);
}

static int close_zoo(struct rpc_call *call, const Google__Protobuf__Empty *req, Google__Protobuf__Empty *ret,
		     struct error *err)
{
	return RPC_DONE;
}

static const struct zoo_watch_stream watch = {.open = watch_open, .next = watch_next};
static const struct zoo_count_stream count = {
	.open = count_open,
	.message = count_message,
	.half_closed = count_half_closed,
};
static const struct zoo_talk_stream talk = {
	.open = talk_open,
	.message = talk_message,
	.half_closed = talk_half_closed,
	.next = talk_next,
	.closed = talk_closed,
};

/* Registered and by the catch-all, on pollers and on workers. */
ZOO_FEED(feed, RPC_ON_POLLER, .hot = true);
ZOO_WATCH(&watch, RPC_ON_POLLER);
ZOO_COUNT(&count, RPC_ON_DB);
ZOO_TALK(&talk, RPC_ON_DB, .hot = true);
ZOO_CLOSE(close_zoo, RPC_ON_PASSWORD);

static const struct rpc_row *const rows[] = ZOO_ROWS;
static const struct service_desc *const services[] = {&zoo_desc, NULL};

/* --- what each test uses --- */

static struct rpc_server *server;
static struct client_channel *channel;
static struct arena arena;
static struct error err;

static int set_up(void **state)
{
	struct rpc_server_config config;
	struct client_options options = {.timeout_ms = TIMEOUT_MS};
	char target[32];

	rpc_server_config_defaults(&config);
	config.address = "127.0.0.1:0";
	config.hot_slots = 16;
	config.catch_all_slots = 16;
	config.error_domain = "zoo.v1";
	config.drain_notice_ms = 0;
	config.drain_ms = 1000;
	if (rpc_server_new(&config, rows, services, &server, &err) < 0 || rpc_server_start(server, &err) < 0)
		fail_msg("server: %s", err.message);
	snprintf(target, sizeof(target), "127.0.0.1:%d", rpc_server_port(server));
	options.target = target;
	if (client_channel_new(&options, services, &channel, &err) < 0)
		fail_msg("channel: %s", err.message);
	return 0;
}

static int tear_down(void **state)
{
	client_channel_free(channel);
	rpc_server_stop(server);
	rpc_server_free(server);
	return 0;
}

static int start_test(void **state)
{
	arena_init(&arena, ARENA_CAP);
	error_clear(&err);
	return 0;
}

static int end_test(void **state)
{
	arena_done(&arena);
	return 0;
}

static void assert_ok(int r)
{
	if (r < 0)
		fail_msg("%s: %s", err.reason ? err.reason->name : "?", err.message);
}

static void assert_failed(int r, int code, const char *reason)
{
	assert_int_equal(r, -code);
	assert_int_equal(err.code, code);
	assert_string_equal(err.reason->name, reason);
}

static Animal an_animal(const char *name, int64_t weight)
{
	Animal animal = ANIMAL_INIT;

	animal.name = (char *)name;
	animal.species = SPECIES_LION;
	animal.weight = weight;
	return animal;
}

/* --- unary --- */

static void test_unary(void **state)
{
	Animal leo = an_animal("Leo", 180000);
	FeedRequest request = FEED_REQUEST_INIT;
	FeedResponse *reply = NULL;

	request.animal = &leo;
	request.amount = 5000;
	assert_ok(zoo_feed_call(channel, &request, NULL, &arena, &reply, &err));
	assert_string_equal(reply->animal->name, "Leo");
	assert_int_equal(reply->animal->species, SPECIES_LION);
	assert_int_equal(reply->animal->weight, 185000);
}

static void test_unary_error(void **state)
{
	FeedRequest request = FEED_REQUEST_INIT;
	FeedResponse *reply = NULL;

	assert_failed(zoo_feed_call(channel, &request, NULL, &arena, &reply, &err), STATUS_INVALID_ARGUMENT,
		      "FIELD_INVALID");
	assert_int_equal(err.n_violations, 1);
	assert_string_equal(err.violations[0].field, "animal");
	assert_null(reply);
}

static void test_unary_of_other_types(void **state)
{
	Google__Protobuf__Empty request = GOOGLE__PROTOBUF__EMPTY__INIT, *reply = NULL;

	assert_ok(zoo_close_call(channel, &request, NULL, &arena, &reply, &err));
	assert_non_null(reply);
}

struct answer {
	pthread_mutex_t lock;
	pthread_cond_t came;
	bool done;
	int r;
	int64_t weight;
};

static void fed(void *arg, int r, const FeedResponse *reply, const struct error *e)
{
	struct answer *a = arg;

	pthread_mutex_lock(&a->lock);
	a->done = true;
	a->r = r;
	a->weight = r == 0 ? reply->animal->weight : 0;
	pthread_cond_signal(&a->came);
	pthread_mutex_unlock(&a->lock);
}

static void wait_for(struct answer *a)
{
	pthread_mutex_lock(&a->lock);
	while (!a->done)
		pthread_cond_wait(&a->came, &a->lock);
	pthread_mutex_unlock(&a->lock);
}

static void test_unary_async(void **state)
{
	struct answer good = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, 0}, bad = good;
	Animal leo = an_animal("Leo", 1);
	FeedRequest request = FEED_REQUEST_INIT;
	struct arena other;

	request.animal = &leo;
	assert_ok(zoo_feed_start(channel, &request, NULL, &arena, fed, &good, &err));
	wait_for(&good);
	assert_int_equal(good.r, 0);
	assert_int_equal(good.weight, 1);

	arena_init(&other, ARENA_CAP);
	request.animal = NULL;
	assert_ok(zoo_feed_start(channel, &request, NULL, &other, fed, &bad, &err));
	wait_for(&bad);
	assert_int_equal(bad.r, -STATUS_INVALID_ARGUMENT);
	arena_done(&other);
}

/* --- server streaming --- */

static struct zoo_watch_client *open_watch(uint32_t visits)
{
	struct zoo_watch_client *stream = NULL;
	WatchRequest request = WATCH_REQUEST_INIT;

	request.visits = visits;
	assert_ok(zoo_watch_open(channel, &request, NULL, &stream, &err));
	return stream;
}

static void test_server_stream(void **state)
{
	struct zoo_watch_client *stream = open_watch(5);
	WatchResponse *visit = NULL;

	for (uint32_t i = 1; i <= 5; i++) {
		assert_int_equal(zoo_watch_receive(stream, &arena, &visit, &err), 1);
		assert_int_equal(visit->visit, i);
	}
	assert_int_equal(zoo_watch_receive(stream, &arena, &visit, &err), 0);
	zoo_watch_free(stream);
}

static void test_server_stream_error(void **state)
{
	struct zoo_watch_client *stream = open_watch(100);
	WatchResponse *visit = NULL;
	unsigned n = 0;
	int r;

	while ((r = zoo_watch_receive(stream, &arena, &visit, &err)) > 0)
		n++;
	assert_int_equal(n, 13);
	assert_failed(r, STATUS_FAILED_PRECONDITION, "ASLEEP");
	zoo_watch_free(stream);
}

static void test_server_stream_empty(void **state)
{
	struct zoo_watch_client *stream = open_watch(0);
	WatchResponse *visit = NULL;

	assert_int_equal(zoo_watch_receive(stream, &arena, &visit, &err), 0);
	zoo_watch_free(stream);
}

/* --- client streaming --- */

static void test_client_stream(void **state)
{
	struct zoo_count_client *stream = NULL;
	Animal cub = an_animal("Cub", 10), lioness = an_animal("Lea", 100);
	Animal *young[] = {&cub, &cub};
	CountResponse *reply = NULL;

	assert_ok(zoo_count_open(channel, NULL, &stream, &err));
	for (int i = 0; i < 50; i++) {
		lioness.young = young;
		lioness.n_young = (size_t)i % 3;
		assert_int_equal(zoo_count_send(stream, &lioness, &err), 0);
	}
	assert_ok(zoo_count_finish(stream, &arena, &reply, &err));
	assert_int_equal(reply->animals, 50 + 49);
	assert_int_equal(reply->weight, 50 * 100 + 49 * 10);
	zoo_count_free(stream);
}

static void test_client_stream_of_nothing(void **state)
{
	struct zoo_count_client *stream = NULL;
	CountResponse *reply = NULL;

	assert_ok(zoo_count_open(channel, NULL, &stream, &err));
	assert_ok(zoo_count_finish(stream, &arena, &reply, &err));
	assert_int_equal(reply->animals, 0);
	zoo_count_free(stream);
}

static void test_client_stream_error(void **state)
{
	struct zoo_count_client *stream = NULL;
	Animal unknown = an_animal("Nessie", 1);
	CountResponse *reply = NULL;

	unknown.species = SPECIES_UNSPECIFIED;
	assert_ok(zoo_count_open(channel, NULL, &stream, &err));
	assert_ok(zoo_count_send(stream, &unknown, &err));
	assert_failed(zoo_count_finish(stream, &arena, &reply, &err), STATUS_FAILED_PRECONDITION, "ASLEEP");
	assert_null(reply);
	zoo_count_free(stream);
}

/* --- bidirectional --- */

static void test_bidi(void **state)
{
	struct zoo_talk_client *stream = NULL;
	TalkRequest request = TALK_REQUEST_INIT;
	TalkResponse *reply = NULL;
	char words[32];

	assert_ok(zoo_talk_open(channel, NULL, &stream, &err));
	for (int i = 0; i < 20; i++) {
		snprintf(words, sizeof(words), "hello %d", i);
		request.words = words;
		assert_int_equal(zoo_talk_send(stream, &request, &err), 0);
		assert_int_equal(zoo_talk_receive(stream, &arena, &reply, &err), 1);
		assert_string_equal(reply->words, words);
	}
	assert_ok(zoo_talk_half_close(stream, &err));
	assert_int_equal(zoo_talk_receive(stream, &arena, &reply, &err), 0);
	zoo_talk_free(stream);
}

/* The client goes away in the middle: `closed` runs all the same. */
static void test_bidi_cancelled(void **state)
{
	struct zoo_talk_client *stream = NULL;
	TalkRequest request = TALK_REQUEST_INIT;
	TalkResponse *reply = NULL;

	request.words = (char *)"hello";
	assert_ok(zoo_talk_open(channel, NULL, &stream, &err));
	assert_int_equal(zoo_talk_send(stream, &request, &err), 0);
	assert_int_equal(zoo_talk_receive(stream, &arena, &reply, &err), 1);
	zoo_talk_cancel(stream);
	assert_failed(zoo_talk_receive(stream, &arena, &reply, &err), STATUS_CANCELLED, "CANCELLED");
	zoo_talk_free(stream);

	pthread_mutex_lock(&parrots_lock);
	while (parrots_listening > 0)
		pthread_cond_wait(&parrots_changed, &parrots_lock);
	pthread_mutex_unlock(&parrots_lock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unary),
		TEST(test_unary_error),
		TEST(test_unary_of_other_types),
		TEST(test_unary_async),
		TEST(test_server_stream),
		TEST(test_server_stream_error),
		TEST(test_server_stream_empty),
		TEST(test_client_stream),
		TEST(test_client_stream_of_nothing),
		TEST(test_client_stream_error),
		TEST(test_bidi),
		TEST(test_bidi_cancelled),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
