/* SPDX-License-Identifier: Apache-2.0 */
/* What protoc-gen-grpc-c puts into X.server.{h,c}: rows whose thunks call the typed handlers. No server is
 * needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "zoo/v1/zoo.server.h"

/* Handed through by the thunks, never looked at. */
static struct rpc_call *const a_call = (struct rpc_call *)&(char){0};
static struct error *an_error;
static const char *called;

static int note(const struct rpc_call *call, const struct error *err, const char *what, int r)
{
	assert_ptr_equal(call, a_call);
	assert_ptr_equal(err, an_error);
	called = what;
	return r;
}

static int feed(struct rpc_call *call, const FeedRequest *req, FeedResponse *ret, struct error *err)
{
	ret->animal = req->animal;
	return note(call, err, "feed", RPC_DEFERRED);
}

static int close_zoo(struct rpc_call *call, const Google__Protobuf__Empty *req, Google__Protobuf__Empty *ret,
		     struct error *err)
{
	return note(call, err, "close", 0);
}

static int watch_open(struct rpc_call *call, const WatchRequest *req, struct error *err)
{
	assert_int_equal(req->visits, 3);
	return note(call, err, "watch_open", 0);
}

static int watch_next(struct rpc_call *call, WatchResponse *ret, struct error *err)
{
	ret->visit = 7;
	return note(call, err, "watch_next", RPC_SEND);
}

static void watch_closed(struct rpc_call *call)
{
	called = "watch_closed";
}

static int count_message(struct rpc_call *call, const Animal *message, struct error *err)
{
	assert_int_equal(message->weight, 12);
	return note(call, err, "count_message", 0);
}

static int count_half_closed(struct rpc_call *call, CountResponse *ret, struct error *err)
{
	ret->animals = 2;
	return note(call, err, "count_half_closed", -STATUS_ABORTED);
}

static int talk_half_closed(struct rpc_call *call, struct error *err)
{
	return note(call, err, "talk_half_closed", 0);
}

static const struct zoo_watch_stream watch_stream = {
	.open = watch_open, .next = watch_next, .closed = watch_closed};
static const struct zoo_count_stream count_stream = {.message = count_message,
						     .half_closed = count_half_closed};
static const struct zoo_talk_stream talk_stream = {.half_closed = talk_half_closed};

ZOO_FEED(feed, RPC_ON_POLLER, .hot = true);
ZOO_WATCH(&watch_stream, RPC_ON_POLLER);
ZOO_COUNT(&count_stream, RPC_ON_DB);
ZOO_TALK(&talk_stream, RPC_ON_POLLER);
ZOO_CLOSE(close_zoo, RPC_ON_PASSWORD);

static const struct rpc_row *const rows[] = ZOO_ROWS;

static void test_rows(void **state)
{
	assert_int_equal(ARRAY_SIZE(rows), ZOO_N_METHODS + 1);
	for (unsigned i = 0; i < ZOO_N_METHODS; i++)
		assert_ptr_equal(rows[i]->method, &zoo_methods[i]);
	assert_null(rows[ZOO_N_METHODS]);
	assert_true(zoo_row_feed.hot);
	assert_false(zoo_row_close.hot);
	assert_int_equal(zoo_row_count.place, RPC_ON_DB);
}

static void test_unary(void **state)
{
	Animal animal = ANIMAL_INIT;
	FeedRequest req = FEED_REQUEST_INIT;
	FeedResponse ret = FEED_RESPONSE_INIT;

	req.animal = &animal;
	assert_int_equal(zoo_row_feed.thunk(&zoo_row_feed, a_call, &req.base, &ret.base, an_error),
			 RPC_DEFERRED);
	assert_string_equal(called, "feed");
	assert_ptr_equal(ret.animal, &animal);
}

static void test_server_stream(void **state)
{
	const struct rpc_row *row = &zoo_row_watch;
	WatchRequest req = WATCH_REQUEST_INIT;
	WatchResponse ret = WATCH_RESPONSE_INIT;

	req.visits = 3;
	assert_int_equal(row->stream->open(row, a_call, &req.base, an_error), 0);
	assert_string_equal(called, "watch_open");
	assert_int_equal(row->stream->next(row, a_call, &ret.base, an_error), RPC_SEND);
	assert_int_equal(ret.visit, 7);
	row->stream->closed(row, a_call);
	assert_string_equal(called, "watch_closed");
	assert_null(row->stream->message);
	assert_null(row->stream->half_closed);
}

static void test_client_stream(void **state)
{
	const struct rpc_row *row = &zoo_row_count;
	Animal animal = ANIMAL_INIT;
	CountResponse ret = COUNT_RESPONSE_INIT;

	animal.weight = 12;
	assert_int_equal(row->stream->open(row, a_call, NULL, an_error), 0);
	assert_int_equal(row->stream->message(row, a_call, &animal.base, an_error), 0);
	assert_string_equal(called, "count_message");
	assert_int_equal(row->stream->half_closed(row, a_call, &ret.base, an_error), -STATUS_ABORTED);
	assert_int_equal(ret.animals, 2);
	assert_null(row->stream->next);
}

/* Callbacks that are not there do nothing. */
static void test_bidi(void **state)
{
	const struct rpc_row *row = &zoo_row_talk;
	TalkRequest message = TALK_REQUEST_INIT;
	TalkResponse ret = TALK_RESPONSE_INIT;

	assert_int_equal(row->stream->open(row, a_call, NULL, an_error), 0);
	assert_int_equal(row->stream->message(row, a_call, &message.base, an_error), 0);
	assert_int_equal(row->stream->half_closed(row, a_call, NULL, an_error), 0);
	assert_string_equal(called, "talk_half_closed");
	assert_int_equal(row->stream->next(row, a_call, &ret.base, an_error), RPC_END);
	row->stream->closed(row, a_call);
}

static int reset(void **state)
{
	static struct error err;

	an_error = &err;
	called = "nothing";
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rows, reset),
		cmocka_unit_test_setup(test_unary, reset),
		cmocka_unit_test_setup(test_server_stream, reset),
		cmocka_unit_test_setup(test_client_stream, reset),
		cmocka_unit_test_setup(test_bidi, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
