/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probe/v1/probe.tables.h"
#include "server/rpc/request_key.h"

static const struct principal someone = {.user_id = 5}, nobody;
static const struct method method = {.desc = &probe_methods[PROBE_METHOD_GUARDED], .number = 42};
static const char uuid[] = "123E4567-e89b-12d3-a456-426614174000";

static struct request_key key_of(const struct principal *who, EchoRequest *req, int expect)
{
	struct request_key key;
	struct arena arena;
	struct error err;

	memset(&key, 0xff, sizeof(key));
	arena_init(&arena, 4096);
	assert_int_equal(request_key_make(&method, who, &req->base, &arena, &key, &err), expect);
	arena_done(&arena);
	return key;
}

static void test_present(void **state)
{
	static const uint8_t bytes[16] = {0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3,
					  0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00};
	EchoRequest req = ECHO_REQUEST_INIT;
	struct request_key key;

	req.request_id = (char *)uuid;
	key = key_of(&someone, &req, 0);
	assert_true(key.present);
	assert_int_equal(key.principal_id, 5);
	assert_int_equal(key.method, 42);
	assert_memory_equal(key.request_id, bytes, 16);
	/* The request is as it was. */
	assert_ptr_equal(req.request_id, uuid);
}

static void test_absent(void **state)
{
	EchoRequest req = ECHO_REQUEST_INIT;

	assert_false(key_of(&someone, &req, 0).present);
	req.request_id = (char *)uuid;
	assert_false(key_of(&nobody, &req, 0).present);
}

static void test_body_hash(void **state)
{
	/* SHA-256 of no bytes at all. */
	static const uint8_t of_nothing[32] = {
		0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
		0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
		0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
	};
	EchoRequest req = ECHO_REQUEST_INIT;
	struct request_key first, second;

	req.request_id = (char *)uuid;
	assert_memory_equal(key_of(&someone, &req, 0).body_hash, of_nothing, 32);
	req.sleep_ms = 1;
	first = key_of(&someone, &req, 0);
	assert_memory_not_equal(first.body_hash, of_nothing, 32);
	req.request_id = (char *)"00000000-0000-0000-0000-000000000000";
	second = key_of(&someone, &req, 0);
	assert_memory_equal(first.body_hash, second.body_hash, 32);
	assert_memory_not_equal(first.request_id, second.request_id, 16);
}

static void test_no_uuid(void **state)
{
	EchoRequest req = ECHO_REQUEST_INIT;

	req.request_id = (char *)"not a uuid";
	key_of(&someone, &req, -STATUS_INVALID_ARGUMENT);
}

static void test_full_arena(void **state)
{
	uint8_t payload[5000] = {0};
	EchoRequest req = ECHO_REQUEST_INIT;

	req.request_id = (char *)uuid;
	req.payload.data = payload;
	req.payload.len = sizeof(payload);
	key_of(&someone, &req, -STATUS_RESOURCE_EXHAUSTED);
	assert_ptr_equal(req.request_id, uuid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_present),    cmocka_unit_test(test_absent),
		cmocka_unit_test(test_body_hash),  cmocka_unit_test(test_no_uuid),
		cmocka_unit_test(test_full_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
