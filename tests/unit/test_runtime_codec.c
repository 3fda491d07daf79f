/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "proto/runtime/codec.h"
#include "tests/lib/json_sample.pb-c.h"
#include "tests/lib/random_message.h"

enum { MESSAGES = 2000, DEPTH = 5 };
static const uint64_t seed = 20240101;

static const struct wire_limits wide = {.bytes = 1 << 20, .depth = 16, .fields = 100000};

static struct span pack(const ProtobufCMessage *message, struct arena *arena)
{
	struct span bytes;
	struct error err;

	assert_int_equal(codec_pack(message, arena, &bytes, &err), 0);
	return bytes;
}

static void test_random_messages_come_back(void **state)
{
	struct random r = {seed};
	struct arena arena;

	print_message("seed %llu\n", (unsigned long long)seed);
	arena_init(&arena, 64 << 20);
	for (int i = 0; i < MESSAGES; i++) {
		ProtobufCMessage *message = random_message(&r, &sample__sample__descriptor, DEPTH, &arena),
				 *back;
		struct error err;

		if (codec_unpack(message->descriptor, pack(message, &arena), &wide, &arena, &back, &err) < 0)
			fail_msg("message %d: %s", i, err.message);
		if (!message_equal(message, back))
			fail_msg("message %d came back different", i);
		arena_reset(&arena);
	}
	arena_done(&arena);
}

/* What the scan takes, protobuf-c takes: otherwise it would be the scan that is wrong about the format. */
static void test_mutated_messages_fail_cleanly(void **state)
{
	struct random r = {seed + 1};
	unsigned taken = 0;
	struct arena arena;

	arena_init(&arena, 64 << 20);
	for (int i = 0; i < MESSAGES * 10; i++) {
		struct span bytes = pack(random_message(&r, &sample__sample__descriptor, 2, &arena), &arena);
		ProtobufCMessage *back;
		struct error err;
		uint8_t *p;

		if (bytes.len == 0)
			continue;
		p = arena_memdup(&arena, bytes.data, bytes.len);
		for (unsigned flips = 1 + (unsigned)random_below(&r, 3); flips > 0; flips--)
			p[random_below(&r, bytes.len)] ^= (uint8_t)(1u << random_below(&r, 8));
		error_clear(&err);
		bytes.data = p;
		if (wire_scan(&sample__sample__descriptor, bytes, &wide, &err) == 0) {
			taken++;
			if (codec_unpack(&sample__sample__descriptor, bytes, &wide, &arena, &back, &err) < 0)
				fail_msg("message %d was scanned and then refused: %s", i, err.message);
		}
		arena_reset(&arena);
	}
	arena_done(&arena);
	print_message("%u of %u mutants were valid messages\n", taken, MESSAGES * 10);
	assert_in_range(taken, 1, MESSAGES * 10 - 1);
}

/* Every amount of memory from none to enough. */
static void test_every_cap_fails_cleanly(void **state)
{
	struct random r = {seed + 2};
	struct arena source, arena;
	ProtobufCMessage *back;
	struct span bytes;
	struct error err;
	size_t cap, refused = 0;
	int res;

	arena_init(&source, 64 << 20);
	bytes = pack(random_message(&r, &sample__sample__descriptor, 4, &source), &source);
	for (cap = 0;; cap++) {
		arena_init(&arena, cap);
		error_clear(&err);
		res = codec_unpack(&sample__sample__descriptor, bytes, &wide, &arena, &back, &err);
		arena_done(&arena);
		if (res == 0)
			break;
		assert_int_equal(res, -STATUS_RESOURCE_EXHAUSTED);
		assert_ptr_equal(err.reason, &RPC_REASON_MESSAGE_TOO_LARGE);
		refused++;
	}
	print_message("%zu wire bytes, refused with %zu caps\n", bytes.len, refused);
	assert_true(refused > sizeof(Sample__Sample));
	arena_done(&source);
}

static void test_pack_fails_when_the_arena_is_full(void **state)
{
	Sample__Leaf leaf = SAMPLE__LEAF__INIT;
	struct span bytes;
	struct arena arena;
	struct error err;

	leaf.name = (char *)"a name that is longer than the arena";
	arena_init(&arena, 16);
	assert_int_equal(codec_pack(&leaf.base, &arena, &bytes, &err), -STATUS_RESOURCE_EXHAUSTED);
	assert_ptr_equal(err.reason, &RPC_REASON_MESSAGE_TOO_LARGE);
	arena_done(&arena);
}

static void test_unpack_refuses_what_the_scan_refuses(void **state)
{
	ProtobufCMessage *message;
	struct arena arena;
	struct error err;

	arena_init(&arena, 1 << 16);
	assert_int_equal(codec_unpack(&sample__leaf__descriptor,
				      span_of("\x0a\x02"
					      "a\0",
					      4),
				      &wire_limits_default, &arena, &message, &err),
			 -STATUS_INVALID_ARGUMENT);
	assert_ptr_equal(err.reason, &RPC_REASON_MESSAGE_MALFORMED);
	assert_int_equal(arena.used, 0);
	arena_done(&arena);
}

/* An arena that was full before does not make a malformed message look too large. */
static void test_tells_malformed_from_full(void **state)
{
	ProtobufCMessage *message;
	struct arena arena;
	struct error err;

	arena_init(&arena, 4096);
	assert_null(arena_alloc(&arena, 5000));
	assert_int_equal(codec_unpack(&sample__leaf__descriptor, span_of("\x10\x05", 2), &wire_limits_default,
				      &arena, &message, &err),
			 0);
	assert_int_equal(((Sample__Leaf *)message)->count, 5);
	assert_true(arena.exhausted);
	arena_done(&arena);
}

static void test_new_is_empty(void **state)
{
	struct arena arena;
	Sample__Sample *message;

	arena_init(&arena, 1 << 16);
	message = codec_new(&sample__sample__descriptor, &arena);
	assert_ptr_equal(message->base.descriptor, &sample__sample__descriptor);
	assert_int_equal(protobuf_c_message_get_packed_size(&message->base), 0);
	arena_done(&arena);
	arena_init(&arena, 8);
	assert_null(codec_new(&sample__sample__descriptor, &arena));
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_messages_come_back),
		cmocka_unit_test(test_mutated_messages_fail_cleanly),
		cmocka_unit_test(test_every_cap_fails_cleanly),
		cmocka_unit_test(test_pack_fails_when_the_arena_is_full),
		cmocka_unit_test(test_unpack_refuses_what_the_scan_refuses),
		cmocka_unit_test(test_tells_malformed_from_full),
		cmocka_unit_test(test_new_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
