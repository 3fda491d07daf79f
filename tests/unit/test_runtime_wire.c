/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "proto/runtime/wire.h"
#include "tests/lib/json_sample.pb-c.h"

/* Wire bytes of a string literal, and what becomes of them as a Sample. */
struct wire_case {
	const char *what;
	const char *bytes;
	size_t len;
	const struct error_reason *reason; /* NULL: taken */
};
#define CASE(what, bytes, reason)                                                                            \
	{                                                                                                    \
		what, bytes, sizeof(bytes) - 1, reason                                                       \
	}
#define MALFORMED &RPC_REASON_MESSAGE_MALFORMED

static const struct wire_case cases[] = {
	CASE("nothing", "", NULL),
	CASE("int32 (3) of one byte", "\x18\x01", NULL),
	CASE("int32 of ten bytes, negative", "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", NULL),
	CASE("varint longer than needed", "\x18\x81\x00", NULL),
	CASE("varint of ten bytes beyond 64 bits", "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", MALFORMED),
	CASE("varint of eleven bytes", "\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", MALFORMED),
	CASE("varint cut", "\x18\x80", MALFORMED),
	CASE("tag without value", "\x18", MALFORMED),
	CASE("tag cut", "\xf2", MALFORMED),
	CASE("tag of six bytes", "\x98\x80\x80\x80\x80\x00\x01", MALFORMED),
	CASE("tag beyond 32 bits", "\x98\x80\x80\x80\x10\x01", MALFORMED),
	CASE("tag longer than needed", "\x98\x00\x01", NULL),
	CASE("field number 0", "\x00\x01", MALFORMED),
	CASE("field number 0, as bytes", "\x02\x00", MALFORMED),
	CASE("greatest field number, unknown", "\xf8\xff\xff\xff\x0f\x01", NULL),
	CASE("double (1)", "\x09\0\0\0\0\0\0\0\0", NULL),
	CASE("double cut", "\x09\0\0\0\0\0\0\0", MALFORMED),
	CASE("float (2)", "\x15\0\0\0\0", NULL),
	CASE("float cut", "\x15\0\0\0", MALFORMED),
	CASE("string (14)",
	     "\x72\x03"
	     "abc",
	     NULL),
	CASE("string cut",
	     "\x72\x04"
	     "abc",
	     MALFORMED),
	CASE("string with NUL",
	     "\x72\x03"
	     "a\0c",
	     MALFORMED),
	CASE("string with NUL within eight bytes",
	     "\x72\x0a"
	     "abcdefg\0ij",
	     MALFORMED),
	CASE("string of invalid UTF-8",
	     "\x72\x02"
	     "\xc3(",
	     MALFORMED),
	CASE("string cut within a character",
	     "\x72\x01"
	     "\xc3",
	     MALFORMED),
	CASE("string of good UTF-8",
	     "\x72\x0a"
	     "é学😀a",
	     NULL),
	CASE("length beyond 32 bits", "\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", MALFORMED),
	CASE("length just beyond 32 bits", "\x72\x80\x80\x80\x80\x10", MALFORMED),
	CASE("length over the rest", "\x72\xff\xff\xff\xff\x0f", MALFORMED),
	CASE("bytes (15) with anything", "\x7a\x03\xff\x00\xfe", NULL),
	CASE("int32 as 32-bit", "\x1d\0\0\0\0", MALFORMED),
	CASE("int32 as bytes", "\x1a\x01\x01", MALFORMED),
	CASE("string as varint", "\x70\x01", MALFORMED),
	CASE("message as varint", "\x88\x01\x01", MALFORMED),
	CASE("double as varint", "\x08\x01", MALFORMED),
	CASE("group start", "\x1b\x1c", MALFORMED),
	CASE("group end", "\x1c", MALFORMED),
	CASE("unknown group", "\xc3\x3e\xc4\x3e", MALFORMED),
	CASE("wire type 6", "\x1e\x01", MALFORMED),
	CASE("wire type 7", "\x1f\x01", MALFORMED),
	CASE("unknown varint (1000)", "\xc0\x3e\x05", NULL),
	CASE("unknown 64-bit", "\xc1\x3e\1\2\3\4\5\6\7\10", NULL),
	CASE("unknown 32-bit", "\xc5\x3e\1\2\3\4", NULL),
	CASE("unknown bytes, no UTF-8 asked", "\xc2\x3e\x02\xff\x00", NULL),
	CASE("unknown bytes cut", "\xc2\x3e\x02\xff", MALFORMED),
	CASE("leaf (17) with a name",
	     "\x8a\x01\x03\x0a\x01"
	     "a",
	     NULL),
	CASE("leaf with a bad name", "\x8a\x01\x03\x0a\x01\xff", MALFORMED),
	CASE("leaf with a cut name", "\x8a\x01\x02\x0a\x01", MALFORMED),
	CASE("packed int32s (33)", "\x8a\x02\x03\x01\xac\x02", NULL),
	CASE("packed int32s cut", "\x8a\x02\x02\x01\xac", MALFORMED),
	CASE("packed int32s, none", "\x8a\x02\x00", NULL),
	CASE("one int32 of int32s", "\x88\x02\x01", NULL),
	CASE("packed fixed32s (39)", "\xba\x02\x08\1\2\3\4\5\6\7\10", NULL),
	CASE("packed fixed32s of 7 bytes", "\xba\x02\x07\1\2\3\4\5\6\7", MALFORMED),
	CASE("packed doubles (31)", "\xfa\x01\x08\0\0\0\0\0\0\0\0", NULL),
	CASE("packed doubles of 4 bytes", "\xfa\x01\x04\0\0\0\0", MALFORMED),
	CASE("fixed32s as varint", "\xb8\x02\x01", MALFORMED),
	CASE("packed field declared loose (48)", "\x82\x03\x02\x01\x02", NULL),
	CASE("map (61) entry", "\xea\x03\x06\x0a\x01k\x12\x01v", NULL),
	CASE("map entry with a bad value", "\xea\x03\x06\x0a\x01k\x12\x01\xff", MALFORMED),
};

static const struct error_reason *scan(const void *bytes, size_t len, const struct wire_limits *limits)
{
	struct error err;
	int r;

	error_clear(&err);
	/* An exact copy on the heap, so that a sanitizer sees reading beyond it. */
	void *copy = malloc(len);

	if (len > 0)
		memcpy(copy, bytes, len);
	r = wire_scan(&sample__sample__descriptor, span_of(copy, len), limits, &err);
	free(copy);
	assert_int_equal(r, -err.code);
	return r < 0 ? err.reason : NULL;
}

static void test_takes_and_refuses(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct error_reason *reason = scan(cases[i].bytes, cases[i].len, &wire_limits_default);

		if (reason != cases[i].reason)
			fail_msg("%s: %s", cases[i].what, reason ? reason->name : "taken");
	}
}

static void test_takes_null_as_nothing(void **state)
{
	struct error err;

	error_clear(&err);
	assert_int_equal(wire_scan(&sample__sample__descriptor, span_of(NULL, 0), &wire_limits_default, &err),
			 0);
}

static void test_says_which_field(void **state)
{
	struct error err;

	assert_int_equal(wire_scan(&sample__sample__descriptor, span_of("\x72\x01\xff", 3),
				   &wire_limits_default, &err),
			 -STATUS_INVALID_ARGUMENT);
	assert_non_null(strstr(err.message, "a_string"));
	assert_non_null(strstr(err.message, "sample.Sample"));
}

/* a_deep (18) and in it `child` (2), so that `levels` messages lie under the Sample. Lengths stay under 128.
 */
static size_t nested(unsigned char *out, unsigned levels)
{
	size_t n = 0;

	for (unsigned i = 0; i < levels; i++) {
		unsigned rest = 2 * (levels - 1 - i);

		if (i == 0)
			out[n++] = 0x92, out[n++] = 0x01;
		else
			out[n++] = 0x12;
		out[n++] = (unsigned char)rest;
	}
	return n;
}

static void test_bounds_nesting(void **state)
{
	unsigned char bytes[128];

	assert_null(scan(bytes, nested(bytes, 16), &wire_limits_default));
	assert_ptr_equal(scan(bytes, nested(bytes, 17), &wire_limits_default), &RPC_REASON_MESSAGE_TOO_DEEP);
	assert_ptr_equal(scan(bytes, nested(bytes, 50), &wire_limits_default), &RPC_REASON_MESSAGE_TOO_DEEP);
}

static void test_bounds_bytes(void **state)
{
	struct wire_limits limits = {.bytes = 4, .depth = 16, .fields = 100};

	assert_null(scan("\x18\x01\x18\x01", 4, &limits));
	assert_ptr_equal(scan("\x18\x01\x18\x80\x01", 5, &limits), &RPC_REASON_MESSAGE_TOO_LARGE);
}

static void test_bounds_fields_of_every_kind(void **state)
{
	struct wire_limits limits = {.bytes = 1000, .depth = 16, .fields = 3};

	assert_null(scan("\x18\x01\x18\x01\x18\x01", 6, &limits));
	/* Known, unknown, packed and nested fields each count; so does a packed field without elements. */
	assert_ptr_equal(scan("\x18\x01\x18\x01\x18\x01\x18\x01", 8, &limits), &RPC_REASON_MESSAGE_TOO_LARGE);
	assert_ptr_equal(scan("\xc0\x3e\x01\xc0\x3e\x01\xc0\x3e\x01\xc0\x3e\x01", 12, &limits),
			 &RPC_REASON_MESSAGE_TOO_LARGE);
	assert_null(scan("\x8a\x02\x02\x01\x02", 5, &limits));
	assert_ptr_equal(scan("\x8a\x02\x03\x01\x02\x03", 6, &limits), &RPC_REASON_MESSAGE_TOO_LARGE);
	assert_ptr_equal(scan("\xba\x02\x0c\1\2\3\4\1\2\3\4\1\2\3\4", 15, &limits),
			 &RPC_REASON_MESSAGE_TOO_LARGE);
	assert_ptr_equal(scan("\x8a\x01\x06\x10\x01\x10\x01\x10\x01", 9, &limits),
			 &RPC_REASON_MESSAGE_TOO_LARGE);
	assert_ptr_equal(scan("\x8a\x02\0\x8a\x02\0\x8a\x02\0\x8a\x02\0", 12, &limits),
			 &RPC_REASON_MESSAGE_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_and_refuses), cmocka_unit_test(test_takes_null_as_nothing),
		cmocka_unit_test(test_says_which_field),  cmocka_unit_test(test_bounds_nesting),
		cmocka_unit_test(test_bounds_bytes),      cmocka_unit_test(test_bounds_fields_of_every_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
