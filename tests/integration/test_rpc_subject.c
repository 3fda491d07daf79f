/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a call is about: who is let through, what is recorded before an answer, and that no OK leaves without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "archive/v1/archive.server.h"
#include "proto/runtime/array.h"
#include "proto/runtime/codec.h"
#include "proto/runtime/ids.h"
#include "tests/lib/probe_server.h"
#include "tests/lib/raw_client.h"

#define METHOD(name) "/archive.v1.Archive/" name

/* The probe's callers. */
enum { ADMIN = 7, PAYER = 8, LEARNER = 9, SOMEBODY = 77 };

/* --- the server --- */

static _Atomic int handled;

/* What was recorded, each once it is durable. */
static struct {
	int64_t actor_id, subject_id;
	const char *method;
} records[16];
static _Atomic unsigned n_records;
static atomic_bool recorder_fails;

static int record_read(struct rpc_call *call, int64_t subject_id, struct error *err)
{
	const char *context = rpc_context(call);
	const unsigned n = atomic_load(&n_records);

	if (!context || strcmp(context, "db") != 0)
		return error_internal(err, "recorded on another thread");
	usleep(20000); /* an answer that does not wait for it is there first */
	if (atomic_load(&recorder_fails))
		return error_raise(err, &RPC_REASON_DATABASE_UNAVAILABLE, "no room");
	records[n].actor_id = rpc_principal(call)->user_id;
	records[n].subject_id = subject_id;
	records[n].method = rpc_method(call)->name;
	atomic_store(&n_records, n + 1);
	return 0;
}

static const ReadResponse secret = {
	.base = PROTOBUF_C_MESSAGE_INIT(READ_RESPONSE_DESC),
	.text = (char *)"secret",
};

static int answer_packed(struct rpc_call *call, struct error *err)
{
	struct span packed;
	int r = codec_pack(&secret.base, rpc_arena(call), &packed, err);

	return r < 0 ? r : rpc_reply_packed(call, packed);
}

static atomic_bool may_write; /* what the last handler was told before its answer */
static pthread_t later;
static atomic_bool is_later; /* that thread runs or has run, and nobody has joined it */

static void *answer_later(void *arg)
{
	struct rpc_call *call = arg;

	rpc_call_finish(call, 0, NULL);
	return NULL;
}

static int answer_moved(struct rpc_call *call, void *state, struct error *err)
{
	return RPC_DONE;
}

static int read_file(struct rpc_call *call, const ReadRequest *req, ReadResponse *ret, struct error *err)
{
	int r = req->owner || req->acts ? rpc_subject(call, req->owner, req->acts, err) : 0;

	atomic_fetch_add(&handled, 1);
	if (r < 0)
		return r;
	struct error undecided;
	atomic_store(&may_write, rpc_subject_decided(call, &undecided) == 0);
	ret->text = secret.text;
	switch ((int)req->way) {
	case WAY_PACKED:
		return answer_packed(call, err);
	case WAY_DEFERRED:
		r = rpc_defer(call);
		atomic_store(&is_later, true);
		pthread_create(&later, NULL, answer_later, call);
		return r;
	case WAY_MOVED:
		return rpc_run_on(call, RPC_ON_PASSWORD, answer_moved, NULL);
	default:
		return RPC_DONE;
	}
}

static int read_inner(struct rpc_call *call, const ReadInnerRequest *req, ReadResponse *ret,
		      struct error *err)
{
	ret->text = secret.text;
	return 0;
}

struct talk {
	unsigned to_send;
	bool over;
};

static int follow_open(struct rpc_call *call, const ReadRequest *req, struct error *err)
{
	struct talk *talk = arena_zalloc(rpc_arena(call), sizeof(*talk));

	talk->to_send = 3;
	talk->over = true;
	rpc_set_state(call, talk);
	return req->owner ? rpc_subject(call, req->owner, req->acts, err) : 0;
}

static int talk_open(struct rpc_call *call, struct error *err)
{
	rpc_set_state(call, arena_zalloc(rpc_arena(call), sizeof(struct talk)));
	return 0;
}

static int talk_message(struct rpc_call *call, const ReadRequest *message, struct error *err)
{
	struct talk *talk = rpc_state(call);

	talk->to_send++;
	return 0;
}

static int converse_half_closed(struct rpc_call *call, struct error *err)
{
	struct talk *talk = rpc_state(call);

	talk->over = true;
	return 0;
}

static int collect_half_closed(struct rpc_call *call, ReadResponse *ret, struct error *err)
{
	ret->text = secret.text;
	return 0;
}

static int talk_next(struct rpc_call *call, ReadResponse *ret, struct error *err)
{
	struct talk *talk = rpc_state(call);

	if (talk->to_send == 0)
		return talk->over ? RPC_END : RPC_WAIT;
	talk->to_send--;
	ret->text = secret.text;
	return RPC_SEND;
}

static const struct archive_follow_stream follow = {.open = follow_open, .next = talk_next};
static const struct archive_collect_stream collect = {
	.open = talk_open, .message = talk_message, .half_closed = collect_half_closed};
static const struct archive_converse_stream converse = {
	.open = talk_open, .message = talk_message, .half_closed = converse_half_closed, .next = talk_next};

ARCHIVE_READ(read_file, RPC_ON_POLLER, .hot = true);
ARCHIVE_READ_INNER(read_inner, RPC_ON_DB);
ARCHIVE_READ_AS_DELEGATE(read_file, RPC_ON_POLLER);
ARCHIVE_FIND(read_file, RPC_ON_POLLER, .hot = true);
ARCHIVE_FIND_ON_DB(read_file, RPC_ON_DB);
ARCHIVE_CHANGE(read_file, RPC_ON_DB);
ARCHIVE_READ_OWN(read_file, RPC_ON_POLLER);
ARCHIVE_FOLLOW(&follow, RPC_ON_DB);
ARCHIVE_COLLECT(&collect, RPC_ON_DB);
ARCHIVE_CONVERSE(&converse, RPC_ON_DB);

static const struct rpc_row *const rows[] = ARCHIVE_ROWS;
static const struct service_desc *const services[] = {&archive_desc, NULL};

struct fixture {
	struct rpc_server *server;
	struct raw_client *client;
	struct arena arena;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct rpc_server_config config;
	char target[64];
	struct error err;

	probe_config(&config);
	config.record_read = record_read;
	if (rpc_server_new(&config, rows, services, &f->server, &err) < 0 ||
	    rpc_server_start(f->server, &err) < 0)
		fail_msg("%s", err.message);
	snprintf(target, sizeof(target), "127.0.0.1:%d", rpc_server_port(f->server));
	f->client = raw_client_new(target);
	arena_init(&f->arena, SIZE_MAX / 2);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	raw_client_free(f->client);
	rpc_server_free(f->server);
	arena_done(&f->arena);
	free(f);
	return 0;
}

/* --- calls --- */

static void start_afresh(bool recorder_is_to_fail)
{
	atomic_store(&n_records, 0);
	atomic_store(&handled, 0);
	atomic_store(&recorder_fails, recorder_is_to_fail);
}

static ReadRequest about(int64_t user_id)
{
	static char text[ID_TEXT_MAX];
	ReadRequest req = READ_REQUEST_INIT;

	if (user_id)
		req.user_id = (char *)id_format("usr", user_id, text);
	return req;
}

static void send_unary(struct fixture *f, const char *path, const char *token, const ReadRequest *req,
		       struct raw_reply *ret)
{
	const struct raw_options options = {.token = token};

	raw_unary_message(f->client, path, &req->base, READ_RESPONSE_DESC, &options, &f->arena, ret);
	if (atomic_exchange(&is_later, false))
		pthread_join(later, NULL);
}

static void assert_answered(const struct raw_reply *reply)
{
	assert_int_equal(reply->code, STATUS_OK);
	assert_true(reply->has_payload);
	assert_int_equal(reply->payload.len, 2 + strlen(secret.text));
}

static void assert_refused(const struct raw_reply *reply, const struct error_reason *reason)
{
	assert_int_equal(reply->code, reason->code);
	assert_string_equal(reply->error.reason->name, reason->name);
	assert_false(reply->has_payload);
}

static void assert_recorded(unsigned i, int64_t actor_id, int64_t subject_id, const char *method)
{
	assert_true(i < atomic_load(&n_records));
	assert_int_equal(records[i].actor_id, actor_id);
	assert_int_equal(records[i].subject_id, subject_id);
	assert_string_equal(records[i].method, method);
}

/* --- by a field --- */

static void test_own(void **state)
{
	static const char *const paths[] = {METHOD("Read"), METHOD("ReadAsDelegate"), METHOD("ReadOwn"),
					    METHOD("Change")};
	struct raw_reply reply;

	start_afresh(true);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		ReadRequest unnamed = about(0), named = about(LEARNER);

		send_unary(*state, paths[i], "learner", &unnamed, &reply);
		assert_answered(&reply);
		send_unary(*state, paths[i], "learner", &named, &reply);
		assert_answered(&reply);
	}
	assert_int_equal(n_records, 0);
}

static void test_strangers_are_refused_at_the_door(void **state)
{
	ReadRequest req = about(SOMEBODY);
	struct raw_reply reply;

	start_afresh(false);
	send_unary(*state, METHOD("Read"), "learner", &req, &reply);
	assert_refused(&reply, &RPC_REASON_ROLE_MISSING);
	assert_string_equal(reply.error.metadata[0].key, "roles");
	assert_string_equal(reply.error.metadata[0].value, "ADMIN");
	send_unary(*state, METHOD("Read"), "reader", &req, &reply);
	assert_refused(&reply, &RPC_REASON_SCOPE_MISSING);
	assert_string_equal(reply.error.metadata[0].value, "payments");
	send_unary(*state, METHOD("Change"), "learner", &req, &reply);
	assert_refused(&reply, &RPC_REASON_ROLE_MISSING);
	/* Where nobody may ask for others, administrators neither. */
	send_unary(*state, METHOD("ReadOwn"), "admin", &req, &reply);
	assert_refused(&reply, &RPC_REASON_ROLE_MISSING);
	assert_int_equal(handled, 0);
	assert_int_equal(n_records, 0);
}

static void test_roles_and_scopes_read_others(void **state)
{
	ReadRequest req = about(SOMEBODY);
	struct raw_reply reply;

	start_afresh(false);
	send_unary(*state, METHOD("Read"), "admin", &req, &reply);
	assert_answered(&reply);
	assert_recorded(0, ADMIN, SOMEBODY, "Read");
	send_unary(*state, METHOD("Read"), "payer", &req, &reply);
	assert_answered(&reply);
	assert_recorded(1, PAYER, SOMEBODY, "Read");
	send_unary(*state, METHOD("ReadAsDelegate"), "admin", &req, &reply);
	assert_answered(&reply);
	assert_recorded(2, ADMIN, SOMEBODY, "ReadAsDelegate");
	/* What changes something is recorded with the change. */
	send_unary(*state, METHOD("Change"), "admin", &req, &reply);
	assert_answered(&reply);
	assert_int_equal(n_records, 3);
}

static void test_a_field_within(void **state)
{
	const struct raw_options admin = {.token = "admin"}, learner = {.token = "learner"};
	ReadRequest inner = about(SOMEBODY);
	ReadInnerRequest req = READ_INNER_REQUEST_INIT;
	struct fixture *f = *state;
	struct raw_reply reply;

	start_afresh(false);
	raw_unary_message(f->client, METHOD("ReadInner"), &req.base, READ_RESPONSE_DESC, &learner, &f->arena,
			  &reply);
	assert_answered(&reply);
	req.inner = &inner;
	raw_unary_message(f->client, METHOD("ReadInner"), &req.base, READ_RESPONSE_DESC, &learner, &f->arena,
			  &reply);
	assert_refused(&reply, &RPC_REASON_ROLE_MISSING);
	raw_unary_message(f->client, METHOD("ReadInner"), &req.base, READ_RESPONSE_DESC, &admin, &f->arena,
			  &reply);
	assert_answered(&reply);
	assert_recorded(0, ADMIN, SOMEBODY, "ReadInner");
	assert_int_equal(n_records, 1);
}

/* --- by the handler --- */

static const Way ways[] = {WAY_UNSPECIFIED, WAY_PACKED, WAY_DEFERRED, WAY_MOVED};
static const char *const finders[] = {METHOD("Find"), METHOD("FindOnDb"), METHOD("ReadAsDelegate")};

static void for_every_way(void **state, const char *token, const ReadRequest *request,
			  void (*check)(const struct raw_reply *reply))
{
	for (size_t i = 0; i < ARRAY_SIZE(finders); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(ways); k++) {
			ReadRequest req = *request;
			struct raw_reply reply;

			req.way = ways[k];
			send_unary(*state, finders[i], token, &req, &reply);
			check(&reply);
		}
	}
}

static void is_role_missing(const struct raw_reply *reply)
{
	assert_refused(reply, &RPC_REASON_ROLE_MISSING);
}

static void is_internal(const struct raw_reply *reply)
{
	assert_refused(reply, &RPC_REASON_INTERNAL);
}

static void is_unavailable(const struct raw_reply *reply)
{
	assert_refused(reply, &RPC_REASON_DATABASE_UNAVAILABLE);
}

static void test_handlers_decide(void **state)
{
	ReadRequest own = about(0), others = about(SOMEBODY);

	start_afresh(true);
	own.owner = LEARNER;
	for_every_way(state, "learner", &own, assert_answered);
	assert_int_equal(n_records, 0);
	assert_true(atomic_load(&may_write));

	start_afresh(false);
	others.owner = SOMEBODY;
	for_every_way(state, "learner", &others, is_role_missing);
	assert_int_equal(n_records, 0);
	for_every_way(state, "admin", &others, assert_answered);
	assert_int_equal(n_records, ARRAY_SIZE(finders) * ARRAY_SIZE(ways));
	assert_recorded(0, ADMIN, SOMEBODY, "Find");

	start_afresh(false);
	others.acts = true;
	for_every_way(state, "learner", &others, assert_answered);
	assert_int_equal(n_records, ARRAY_SIZE(finders) * ARRAY_SIZE(ways));
	assert_recorded(0, LEARNER, SOMEBODY, "Find");
}

static void test_an_undecided_ok_does_not_leave(void **state)
{
	ReadRequest silent = about(SOMEBODY);

	start_afresh(false);
	for_every_way(state, "learner", &silent, is_internal);
	assert_int_equal(n_records, 0);
	assert_false(atomic_load(&may_write));
	/* Nor one about nobody, whoever asks. */
	start_afresh(false);
	silent.acts = true;
	for_every_way(state, "learner", &silent, is_internal);
	assert_int_equal(n_records, 0);
	assert_int_equal(handled, ARRAY_SIZE(finders) * ARRAY_SIZE(ways));
}

static void test_an_unrecorded_read_does_not_leave(void **state)
{
	ReadRequest others = about(SOMEBODY);
	struct raw_reply reply;

	start_afresh(true);
	others.owner = SOMEBODY;
	for_every_way(state, "admin", &others, is_unavailable);
	send_unary(*state, METHOD("Read"), "admin", &others, &reply);
	is_unavailable(&reply);
}

/* --- streams --- */

/* Sends these, half-closes, and counts what comes back. */
static unsigned stream_through(struct fixture *f, const char *path, const char *token,
			       const ReadRequest *reqs, size_t n, struct raw_reply *ret)
{
	const struct raw_options options = {.token = token};
	struct raw_call *call = raw_open(f->client, path, &options);
	unsigned received = 0;
	struct span message;

	for (size_t i = 0; i < n; i++)
		raw_send_message(call, &reqs[i].base);
	raw_half_close(call);
	while (raw_receive(call, &f->arena, &message))
		received++;
	raw_finish(call, &f->arena, ret);
	return received;
}

static void test_server_streams(void **state)
{
	ReadRequest req = about(0);
	struct raw_reply reply;

	start_afresh(false);
	assert_int_equal(stream_through(*state, METHOD("Follow"), "learner", &req, 1, &reply), 0);
	assert_refused(&reply, &RPC_REASON_INTERNAL);
	req.owner = LEARNER;
	assert_int_equal(stream_through(*state, METHOD("Follow"), "learner", &req, 1, &reply), 3);
	assert_int_equal(reply.code, STATUS_OK);
	assert_int_equal(n_records, 0);
	req.owner = SOMEBODY;
	assert_int_equal(stream_through(*state, METHOD("Follow"), "learner", &req, 1, &reply), 0);
	assert_refused(&reply, &RPC_REASON_ROLE_MISSING);
	assert_int_equal(stream_through(*state, METHOD("Follow"), "admin", &req, 1, &reply), 3);
	assert_int_equal(reply.code, STATUS_OK);
	assert_int_equal(n_records, 1);
	assert_recorded(0, ADMIN, SOMEBODY, "Follow");
	start_afresh(true);
	assert_int_equal(stream_through(*state, METHOD("Follow"), "admin", &req, 1, &reply), 0);
	assert_refused(&reply, &RPC_REASON_DATABASE_UNAVAILABLE);
}

static void test_client_streams(void **state)
{
	ReadRequest reqs[2] = {about(0), about(SOMEBODY)};
	struct raw_reply reply;

	start_afresh(false);
	assert_int_equal(stream_through(*state, METHOD("Collect"), "learner", reqs, 1, &reply), 1);
	assert_int_equal(reply.code, STATUS_OK);
	/* Nobody was asked for, so nothing is known of whom the answer is about. */
	assert_int_equal(stream_through(*state, METHOD("Collect"), "learner", reqs, 0, &reply), 0);
	assert_refused(&reply, &RPC_REASON_INTERNAL);
	assert_int_equal(stream_through(*state, METHOD("Collect"), "learner", reqs, 2, &reply), 0);
	assert_refused(&reply, &RPC_REASON_ROLE_MISSING);
	assert_int_equal(n_records, 0);
	assert_int_equal(stream_through(*state, METHOD("Collect"), "admin", reqs, 2, &reply), 1);
	assert_int_equal(reply.code, STATUS_OK);
	assert_recorded(0, ADMIN, SOMEBODY, "Collect");
	/* Nor is it forgotten for one's own that comes after. */
	start_afresh(false);
	const ReadRequest turned[2] = {reqs[1], reqs[0]};
	assert_int_equal(stream_through(*state, METHOD("Collect"), "admin", turned, 2, &reply), 1);
	assert_recorded(0, ADMIN, SOMEBODY, "Collect");
	start_afresh(true);
	assert_int_equal(stream_through(*state, METHOD("Collect"), "admin", reqs, 2, &reply), 0);
	assert_refused(&reply, &RPC_REASON_DATABASE_UNAVAILABLE);
}

static void test_both_ways(void **state)
{
	char text[3][ID_TEXT_MAX];
	ReadRequest reqs[3];
	struct raw_reply reply;

	start_afresh(false);
	for (unsigned i = 0; i < 3; i++) {
		reqs[i] = about(0);
		reqs[i].user_id = (char *)id_format("usr", i < 2 ? SOMEBODY : SOMEBODY + 1, text[i]);
	}
	assert_int_equal(stream_through(*state, METHOD("Converse"), "admin", reqs, 3, &reply), 3);
	assert_int_equal(reply.code, STATUS_OK);
	/* One for each subject that comes after another. */
	assert_int_equal(n_records, 2);
	assert_recorded(0, ADMIN, SOMEBODY, "Converse");
	assert_recorded(1, ADMIN, SOMEBODY + 1, "Converse");
	assert_int_equal(stream_through(*state, METHOD("Converse"), "learner", reqs, 3, &reply), 0);
	assert_refused(&reply, &RPC_REASON_ROLE_MISSING);
}

/* --- the start --- */

static void test_no_start_without_a_recorder(void **state)
{
	struct rpc_server_config config;
	struct rpc_server *server;
	struct error err;

	probe_config(&config);
	assert_int_equal(rpc_server_new(&config, rows, services, &server, &err), -STATUS_INTERNAL);
	assert_non_null(strstr(err.message, "nobody records it"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_strangers_are_refused_at_the_door),
		cmocka_unit_test(test_roles_and_scopes_read_others),
		cmocka_unit_test(test_a_field_within),
		cmocka_unit_test(test_handlers_decide),
		cmocka_unit_test(test_an_undecided_ok_does_not_leave),
		cmocka_unit_test(test_an_unrecorded_read_does_not_leave),
		cmocka_unit_test(test_server_streams),
		cmocka_unit_test(test_client_streams),
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_no_start_without_a_recorder),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
