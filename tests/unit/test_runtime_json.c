/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "proto/runtime/array.h"
#include "proto/runtime/json.h"
#include "tests/lib/json_sample.pb-c.h"
#include "tests/lib/random_message.h"

static const uint64_t seed = 20240101;

static int setup(void **state)
{
	static struct arena arena;

	arena_init(&arena, 64 << 20);
	*state = &arena;
	return 0;
}

static int teardown(void **state)
{
	arena_done(*state);
	return 0;
}

/* The Sample that the text says, or NULL with err set. */
static Sample__Sample *read_text(const char *text, struct arena *arena, struct error *err)
{
	json_auto_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	ProtobufCMessage *message;
	int r;

	if (!json)
		fail_msg("no JSON: %s", text);
	error_clear(err);
	r = json_to_message(&sample__sample__descriptor, json, arena, &message, err);
	assert_int_equal(r, -err->code);
	return r < 0 ? NULL : (Sample__Sample *)message;
}

static Sample__Sample *take(const char *text, struct arena *arena)
{
	struct error err;
	Sample__Sample *message = read_text(text, arena, &err);

	if (!message)
		fail_msg("%s: %s", text, err.message);
	return message;
}

/* Reads and writes again: what a text means, in the form we give it. */
static void assert_becomes(const char *text, const char *expected, struct arena *arena)
{
	Sample__Sample *message = take(text, arena);
	json_auto_t *json = NULL;
	char *written;
	struct error err;

	if (json_from_message(&message->base, false, &json, &err) < 0)
		fail_msg("%s: %s", text, err.message);
	written = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(written, expected);
	free(written);
}

static void assert_refused(const char *text, const char *field, struct arena *arena)
{
	struct error err;

	if (read_text(text, arena, &err))
		fail_msg("took %s", text);
	assert_ptr_equal(err.reason, &RPC_REASON_FIELD_INVALID);
	assert_string_equal(err.violations[0].field, field);
}

static void test_random_messages_come_back(void **state)
{
	struct random r = {seed};
	struct arena *arena = *state;

	print_message("seed %llu\n", (unsigned long long)seed);
	for (int i = 0; i < 1000; i++) {
		ProtobufCMessage *message = random_message(&r, &sample__sample__descriptor, 5, arena), *back;
		json_auto_t *json = NULL;
		struct error err;

		if (json_from_message(message, i % 2, &json, &err) < 0)
			fail_msg("message %d is not written: %s", i, err.message);
		if (json_to_message(message->descriptor, json, arena, &back, &err) < 0)
			fail_msg("message %d is not read: %s", i, err.message);
		if (!message_equal(message, back))
			fail_msg("message %d came back different: %s", i, json_dumps(json, 0));
		arena_reset(arena);
	}
}

static void test_names(void **state)
{
	char name[64], small[5];

	json_field_name("course_id", name, sizeof(name));
	assert_string_equal(name, "courseId");
	json_field_name("double__under_2x", name, sizeof(name));
	assert_string_equal(name, "doubleUnder2x");
	json_field_name("course_id", small, sizeof(small));
	assert_string_equal(small, "cour");
	assert_becomes("{\"anInt32\": 1}", "{\"anInt32\":1}", *state);
	assert_becomes("{\"an_int32\": 1, \"double__under\": \"x\"}", "{\"anInt32\":1,\"doubleUnder\":\"x\"}",
		       *state);
	assert_refused("{\"an_Int32\": 1}", "an_Int32", *state);
	assert_refused("{\"aLeaf\": {\"nme\": 1}}", "a_leaf.nme", *state);
	assert_refused("{\"anInt32\": 1, \"an_int32\": 1}", "an_int32", *state);
	assert_refused("[]", "message", *state);
}

static void test_whole_numbers(void **state)
{
	assert_becomes(
		"{\"anInt32\": \"-2147483648\", \"anInt64\": -5, \"aUint64\": \"18446744073709551615\"}",
		"{\"aUint64\":\"18446744073709551615\",\"anInt32\":-2147483648,\"anInt64\":\"-5\"}", *state);
	assert_becomes("{\"anInt64\": \"-9223372036854775808\", \"aSint64\": \"9223372036854775807\"}",
		       "{\"aSint64\":\"9223372036854775807\",\"anInt64\":\"-9223372036854775808\"}", *state);
	assert_becomes("{\"anInt32\": 1e5, \"aUint32\": \"1.0e2\", \"anInt64\": -3.0}",
		       "{\"aUint32\":100,\"anInt32\":100000,\"anInt64\":\"-3\"}", *state);
	assert_becomes("{\"aUint32\": 4294967295, \"aUint64\": -0}", "{\"aUint32\":4294967295}", *state);
	assert_refused("{\"anInt32\": 2147483648}", "an_int32", *state);
	assert_refused("{\"anInt32\": -2147483649}", "an_int32", *state);
	assert_refused("{\"anInt32\": 1.5}", "an_int32", *state);
	assert_refused("{\"anInt32\": \"1.5\"}", "an_int32", *state);
	assert_refused("{\"anInt32\": \"\"}", "an_int32", *state);
	assert_refused("{\"anInt32\": \"-\"}", "an_int32", *state);
	assert_refused("{\"anInt32\": \" 1\"}", "an_int32", *state);
	assert_refused("{\"anInt32\": \"01\"}", "an_int32", *state);
	assert_refused("{\"anInt32\": \"0x1\"}", "an_int32", *state);
	assert_refused("{\"anInt32\": \"1\\u0000\"}", "an_int32", *state);
	assert_refused("{\"anInt32\": true}", "an_int32", *state);
	assert_refused("{\"aUint32\": -1}", "a_uint32", *state);
	assert_refused("{\"aUint32\": 4294967296}", "a_uint32", *state);
	assert_refused("{\"aUint64\": \"18446744073709551616\"}", "a_uint64", *state);
	assert_refused("{\"aUint64\": 18446744073709551616.0}", "a_uint64", *state);
	assert_refused("{\"anInt64\": \"9223372036854775808\"}", "an_int64", *state);
	assert_refused("{\"anInt64\": \"-9223372036854775809\"}", "an_int64", *state);
	assert_refused("{\"anInt64\": \"NaN\"}", "an_int64", *state);
}

static void test_real_numbers(void **state)
{
	assert_becomes("{\"aDouble\": \"NaN\", \"aFloat\": \"-Infinity\"}",
		       "{\"aDouble\":\"NaN\",\"aFloat\":\"-Infinity\"}", *state);
	assert_becomes("{\"aDouble\": \"1.5e2\", \"aFloat\": 3}", "{\"aDouble\":150.0,\"aFloat\":3.0}",
		       *state);
	assert_true(take("{\"aFloat\": 0.1}", *state)->a_float == 0.1f);
	assert_true(take("{\"aDouble\": \"20000000000000000000\"}", *state)->a_double == 2e19);
	assert_refused("{\"aFloat\": 1e39}", "a_float", *state);
	assert_refused("{\"aFloat\": \"nan\"}", "a_float", *state);
	assert_refused("{\"aDouble\": \"1e400\"}", "a_double", *state);
	assert_refused("{\"aDouble\": \"1,5\"}", "a_double", *state);
	assert_refused("{\"aDouble\": \"\"}", "a_double", *state);
	assert_refused("{\"aDouble\": false}", "a_double", *state);
}

/* 0.1 as a float is not the double 0.1; people and other readers want to see the 0.1. */
static void test_floats_are_written_short(void **state)
{
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	json_auto_t *json = NULL;
	struct error err;

	message.a_float = 0.1f;
	assert_int_equal(json_from_message(&message.base, false, &json, &err), 0);
	assert_true(json_real_value(json_object_get(json, "aFloat")) == 0.1);
}

static void test_text_bytes_booleans_and_enums(void **state)
{
	assert_becomes("{\"aString\": \"é\\u5b66\", \"aBool\": true}", "{\"aBool\":true,\"aString\":\"é学\"}",
		       *state);
	assert_becomes("{\"someBytes\": \"_-8\"}", "{\"someBytes\":\"/+8=\"}", *state);
	assert_becomes(
		"{\"someBytes\": \"/+8=\", \"manyBytes\": [\"\", \"YQ\", \"YQ==\", \"YWI\", \"YWJj\"]}",
		"{\"manyBytes\":[\"\",\"YQ==\",\"YQ==\",\"YWI=\",\"YWJj\"],\"someBytes\":\"/+8=\"}", *state);
	assert_becomes("{\"aColor\": \"COLOR_GREEN\", \"colors\": [7, -3, 42, \"COLOR_RED\"]}",
		       "{\"aColor\":\"COLOR_GREEN\",\"colors\":[\"COLOR_GREEN\",\"COLOR_BELOW_ZERO\",42,"
		       "\"COLOR_RED\"]}",
		       *state);
	assert_refused("{\"aString\": 5}", "a_string", *state);
	assert_refused("{\"aBool\": \"true\"}", "a_bool", *state);
	assert_refused("{\"aBool\": 1}", "a_bool", *state);
	assert_refused("{\"aColor\": \"COLOR_PINK\"}", "a_color", *state);
	assert_refused("{\"aColor\": 1.5}", "a_color", *state);
	assert_refused("{\"someBytes\": \"a\"}", "some_bytes", *state);
	assert_refused("{\"someBytes\": \"YR==\"}", "some_bytes", *state);
	assert_refused("{\"someBytes\": \"YQ=\"}", "some_bytes", *state);
	assert_refused("{\"someBytes\": \"Y Q\"}", "some_bytes", *state);
	assert_refused("{\"someBytes\": \"====\"}", "some_bytes", *state);
}

/* A parser may be told to let U+0000 in: it must not end a text early. */
static void test_nul_in_strings_is_refused(void **state)
{
	assert_refused("{\"aString\": \"a\\u0000b\"}", "a_string", *state);
	assert_refused("{\"aColor\": \"COLOR_RED\\u0000\"}", "a_color", *state);
	assert_refused("{\"aDouble\": \"NaN\\u0000\"}", "a_double", *state);
	assert_refused("{\"aTime\": \"2024-01-01T00:00:00Z\\u0000\"}", "a_time", *state);
	assert_refused("{\"aDuration\": \"1s\\u0000\"}", "a_duration", *state);
	assert_refused("{\"aMask\": \"x\\u0000\"}", "a_mask", *state);
	assert_refused("{\"someBytes\": \"YQ==\\u0000\"}", "some_bytes", *state);
}

static void test_null_is_absent(void **state)
{
	assert_becomes(
		"{\"anInt32\": null, \"aLeaf\": null, \"int32s\": null, \"labels\": null, \"aTime\": null,"
		" \"int64Value\": null, \"chosenString\": null, \"chosenInt64\": \"0\"}",
		"{\"chosenInt64\":\"0\"}", *state);
	assert_refused("{\"int32s\": [1, null]}", "int32s[1]", *state);
	assert_refused("{\"leaves\": [null]}", "leaves[0]", *state);
	assert_refused("{\"labels\": {\"a\": null}}", "labels[\"a\"]", *state);
}

static void test_repeated_and_nested(void **state)
{
	assert_becomes("{\"int32s\": [], \"leaves\": [{}, {\"name\": \"x\"}], \"aLeaf\": {}}",
		       "{\"aLeaf\":{},\"leaves\":[{},{\"name\":\"x\"}]}", *state);
	assert_refused("{\"int32s\": 1}", "int32s", *state);
	assert_refused("{\"int32s\": [1, \"x\"]}", "int32s[1]", *state);
	assert_refused("{\"leaves\": [{\"count\": []}]}", "leaves[0].count", *state);
	assert_refused("{\"aLeaf\": []}", "a_leaf", *state);
}

static void test_oneof_takes_one_member(void **state)
{
	assert_becomes("{\"chosenString\": \"\"}", "{\"chosenString\":\"\"}", *state);
	assert_becomes("{\"chosenLeaf\": {}}", "{\"chosenLeaf\":{}}", *state);
	assert_refused("{\"chosenInt64\": 1, \"chosenString\": \"x\"}", "chosen_string", *state);
}

static void test_maps(void **state)
{
	assert_becomes("{\"labels\": {\"a\": \"b\", \"\": \"\"}, \"leafByInt32\": {\"-1\": {\"count\": 2}}}",
		       "{\"labels\":{\"\":\"\",\"a\":\"b\"},\"leafByInt32\":{\"-1\":{\"count\":2}}}", *state);
	assert_becomes("{\"colorByBool\": {\"true\": \"COLOR_RED\", \"false\": 0}}",
		       "{\"colorByBool\":{\"false\":\"COLOR_UNSPECIFIED\",\"true\":\"COLOR_RED\"}}", *state);
	assert_becomes("{\"bytesByUint64\": {\"18446744073709551615\": \"\"}}",
		       "{\"bytesByUint64\":{\"18446744073709551615\":\"\"}}", *state);
	assert_becomes("{\"labels\": {}}", "{}", *state);
	assert_refused("{\"colorByBool\": {\"yes\": 0}}", "color_by_bool[\"yes\"]", *state);
	assert_refused("{\"leafByInt32\": {\"x\": {}}}", "leaf_by_int32[\"x\"]", *state);
	assert_refused("{\"leafByInt32\": {\"2147483648\": {}}}", "leaf_by_int32[\"2147483648\"]", *state);
	assert_refused("{\"labels\": []}", "labels", *state);
}

/* On the wire an entry may lack its value. */
static void test_map_entry_without_value(void **state)
{
	Sample__Sample__LeafByInt32Entry leaf = SAMPLE__SAMPLE__LEAF_BY_INT32_ENTRY__INIT,
					 *leaves[] = {&leaf};
	Sample__Sample__TimeByStringEntry time = SAMPLE__SAMPLE__TIME_BY_STRING_ENTRY__INIT,
					  *times[] = {&time};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	json_auto_t *json = NULL;
	struct error err;
	char *text;

	message.leaf_by_int32 = leaves;
	message.time_by_string = times;
	message.n_leaf_by_int32 = message.n_time_by_string = 1;
	assert_int_equal(json_from_message(&message.base, false, &json, &err), 0);
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text,
			    "{\"leafByInt32\":{\"0\":{}},\"timeByString\":{\"\":\"1970-01-01T00:00:00Z\"}}");
	free(text);
}

static void test_times(void **state)
{
	assert_becomes("{\"times\": [\"1970-01-01T00:00:00Z\", \"0001-01-01T00:00:00Z\", "
		       "\"9999-12-31T23:59:59.999999999Z\"]}",
		       "{\"times\":[\"1970-01-01T00:00:00Z\",\"0001-01-01T00:00:00Z\","
		       "\"9999-12-31T23:59:59.999999999Z\"]}",
		       *state);
	assert_becomes("{\"times\": [\"2024-02-29T12:00:00.5Z\", \"2000-02-29T23:59:59.1234Z\", "
		       "\"2024-01-01T00:00:00.000001Z\"]}",
		       "{\"times\":[\"2024-02-29T12:00:00.500Z\",\"2000-02-29T23:59:59.123400Z\","
		       "\"2024-01-01T00:00:00.000001Z\"]}",
		       *state);
	assert_becomes("{\"times\": [\"2024-03-01T01:30:00+02:00\", \"2023-12-31T23:00:00-01:30\"]}",
		       "{\"times\":[\"2024-02-29T23:30:00Z\",\"2024-01-01T00:30:00Z\"]}", *state);
	assert_int_equal(take("{\"aTime\": \"2038-01-19T03:14:08.25Z\"}", *state)->a_time->seconds,
			 INT64_C(2147483648));
	assert_int_equal(take("{\"aTime\": \"2038-01-19T03:14:08.25Z\"}", *state)->a_time->nanos, 250000000);
}

static void test_no_times(void **state)
{
	static const char *const texts[] = {
		"\"\"",
		"\"2024-01-01\"",
		"\"2024-01-01T00:00:00\"",
		"\"2024-01-01 00:00:00Z\"",
		"\"2024-01-01t00:00:00z\"",
		"\"2024-13-01T00:00:00Z\"",
		"\"2024-00-01T00:00:00Z\"",
		"\"2024-01-00T00:00:00Z\"",
		"\"2023-02-29T00:00:00Z\"",
		"\"1900-02-29T00:00:00Z\"",
		"\"2024-04-31T00:00:00Z\"",
		"\"2024-01-01T24:00:00Z\"",
		"\"2024-01-01T00:60:00Z\"",
		"\"2024-01-01T00:00:60Z\"",
		"\"2024-01-01T00:00:00.Z\"",
		"\"2024-01-01T00:00:00.1234567890Z\"",
		"\"2024-01-01T00:00:00+24:00\"",
		"\"2024-01-01T00:00:00+0100\"",
		"\"2024-01-01T00:00:00Z \"",
		"\"0000-01-01T00:00:00Z\"",
		"\"0001-01-01T00:00:00+00:01\"",
		"\"9999-12-31T23:59:59-00:01\"",
		"\"12024-01-01T00:00:00Z\"",
		"5",
		"{\"seconds\": 5}",
	};
	char text[100];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		snprintf(text, sizeof(text), "{\"aTime\": %s}", texts[i]);
		assert_refused(text, "a_time", *state);
	}
}

static void test_durations(void **state)
{
	assert_becomes(
		"{\"durations\": [\"1s\", \"-1.5s\", \"0.000001s\", \"-0.5s\", \"315576000000s\", \"0s\"]}",
		"{\"durations\":[\"1s\",\"-1.500s\",\"0.000001s\",\"-0.500s\",\"315576000000s\",\"0s\"]}",
		*state);
	assert_int_equal(take("{\"aDuration\": \"-1.5s\"}", *state)->a_duration->nanos, -500000000);
	assert_refused("{\"aDuration\": \"1\"}", "a_duration", *state);
	assert_refused("{\"aDuration\": \"s\"}", "a_duration", *state);
	assert_refused("{\"aDuration\": \".5s\"}", "a_duration", *state);
	assert_refused("{\"aDuration\": \"--1s\"}", "a_duration", *state);
	assert_refused("{\"aDuration\": \"1.s\"}", "a_duration", *state);
	assert_refused("{\"aDuration\": \"1.0000000001s\"}", "a_duration", *state);
	assert_refused("{\"aDuration\": \"315576000001s\"}", "a_duration", *state);
	assert_refused("{\"aDuration\": \"99999999999999999999s\"}", "a_duration", *state);
	assert_refused("{\"aDuration\": 1}", "a_duration", *state);
}

static void test_masks(void **state)
{
	Sample__Sample *message = take("{\"aMask\": \"displayName,a.bC,x\"}", *state);

	assert_int_equal(message->a_mask->n_paths, 3);
	assert_string_equal(message->a_mask->paths[0], "display_name");
	assert_string_equal(message->a_mask->paths[1], "a.b_c");
	assert_becomes("{\"aMask\": \"displayName,a.bC,x\"}", "{\"aMask\":\"displayName,a.bC,x\"}", *state);
	assert_becomes("{\"aMask\": \"\"}", "{\"aMask\":\"\"}", *state);
	assert_refused("{\"aMask\": \"display_name\"}", "a_mask", *state);
	assert_refused("{\"aMask\": [\"x\"]}", "a_mask", *state);
}

static int write_mask(const char *path, struct error *err)
{
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	json_auto_t *json = NULL;
	char *paths[] = {(char *)path};

	mask.paths = paths;
	mask.n_paths = 1;
	message.a_mask = &mask;
	return json_from_message(&message.base, false, &json, err);
}

/* What would come back as another message is not written at all. */
static void test_what_has_no_json_is_refused(void **state)
{
	Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	json_auto_t *json = NULL;
	struct error err;

	assert_int_equal(write_mask("good_name", &err), 0);
	assert_int_equal(write_mask("badName", &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(write_mask("bad_2", &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(write_mask("bad_", &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(write_mask("a,b", &err), -STATUS_INVALID_ARGUMENT);
	assert_string_equal(err.violations[0].field, "a_mask");
	time.nanos = -1;
	message.a_time = &time;
	assert_int_equal(json_from_message(&message.base, false, &json, &err), -STATUS_INVALID_ARGUMENT);
	message.a_time = NULL;
	message.a_duration = &duration;
	duration.seconds = 1;
	duration.nanos = -1;
	assert_int_equal(json_from_message(&message.base, false, &json, &err), -STATUS_INVALID_ARGUMENT);
	assert_string_equal(err.violations[0].field, "a_duration");
}

static void test_wrappers_stand_for_their_value(void **state)
{
	assert_becomes(
		"{\"int64Value\": \"0\", \"boolValue\": false, \"stringValue\": \"\", \"floatValue\": "
		"\"NaN\"}",
		"{\"boolValue\":false,\"floatValue\":\"NaN\",\"int64Value\":\"0\",\"stringValue\":\"\"}",
		*state);
	assert_refused("{\"int64Value\": {\"value\": 1}}", "int64_value", *state);
	assert_refused("{\"boolValue\": 0}", "bool_value", *state);
}

static void test_any_and_struct_are_refused(void **state)
{
	static const ProtobufCMessageDescriptor *const types[] = {
		&google__protobuf__any__descriptor, &google__protobuf__struct__descriptor,
		&google__protobuf__value__descriptor, &google__protobuf__list_value__descriptor};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		json_auto_t *json = json_object(), *written = NULL;
		Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
		ProtobufCMessage *message;
		struct error err;

		assert_int_equal(json_to_message(types[i], json, *state, &message, &err),
				 -STATUS_INVALID_ARGUMENT);
		assert_non_null(strstr(err.message, types[i]->name));
		assert_int_equal(json_from_message(&any.base, false, &written, &err),
				 -STATUS_INVALID_ARGUMENT);
	}
}

static void test_defaults_are_shown_on_request(void **state)
{
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	json_auto_t *json = NULL;
	struct error err;

	assert_int_equal(json_from_message(&message.base, true, &json, &err), 0);
	assert_int_equal(json_integer_value(json_object_get(json, "anInt32")), 0);
	assert_true(json_is_integer(json_object_get(json, "anInt32")));
	assert_string_equal(json_string_value(json_object_get(json, "anInt64")), "0");
	assert_string_equal(json_string_value(json_object_get(json, "aString")), "");
	assert_string_equal(json_string_value(json_object_get(json, "aColor")), "COLOR_UNSPECIFIED");
	assert_true(json_is_array(json_object_get(json, "int32s")));
	assert_true(json_is_object(json_object_get(json, "labels")));
	assert_null(json_object_get(json, "aLeaf"));
	assert_null(json_object_get(json, "chosenString"));
}

/* `levels` messages within each other, as JSON. */
static json_t *nested(unsigned levels)
{
	json_t *json = json_object();

	for (unsigned i = 1; i < levels; i++)
		json = json_pack("{s:o}", "child", json);
	return json;
}

static void test_nesting_is_bounded(void **state)
{
	json_auto_t *most = nested(32), *over = nested(33), *written = NULL;
	Sample__Deep outer = SAMPLE__DEEP__INIT;
	ProtobufCMessage *message;
	struct error err;

	assert_int_equal(json_to_message(&sample__deep__descriptor, most, *state, &message, &err), 0);
	assert_int_equal(json_from_message(message, false, &written, &err), 0);
	assert_true(json_equal(written, most));
	assert_int_equal(json_to_message(&sample__deep__descriptor, over, *state, &message, &err),
			 -STATUS_INVALID_ARGUMENT);
	assert_int_equal(json_to_message(&sample__deep__descriptor, most, *state, &message, &err), 0);
	outer.child = (Sample__Deep *)message;
	assert_int_equal(json_from_message(&outer.base, false, &written, &err), -STATUS_INVALID_ARGUMENT);
}

static void test_every_cap_fails_cleanly(void **state)
{
	struct random r = {seed + 1};
	ProtobufCMessage *message = random_message(&r, &sample__sample__descriptor, 4, *state), *back;
	json_auto_t *json = NULL;
	struct error err;
	size_t cap = 0;
	int res;

	assert_int_equal(json_from_message(message, false, &json, &err), 0);
	do {
		struct arena arena;

		arena_init(&arena, cap++);
		res = json_to_message(message->descriptor, json, &arena, &back, &err);
		assert_true(res == 0 || res == -STATUS_RESOURCE_EXHAUSTED);
		arena_done(&arena);
	} while (res < 0);
	assert_true(cap > sizeof(Sample__Sample));
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_random_messages_come_back),
		test(test_names),
		test(test_whole_numbers),
		test(test_real_numbers),
		test(test_floats_are_written_short),
		test(test_text_bytes_booleans_and_enums),
		test(test_nul_in_strings_is_refused),
		test(test_null_is_absent),
		test(test_repeated_and_nested),
		test(test_oneof_takes_one_member),
		test(test_maps),
		test(test_map_entry_without_value),
		test(test_times),
		test(test_no_times),
		test(test_durations),
		test(test_masks),
		test(test_what_has_no_json_is_refused),
		test(test_wrappers_stand_for_their_value),
		test(test_any_and_struct_are_refused),
		test(test_defaults_are_shown_on_request),
		test(test_nesting_is_bounded),
		test(test_every_cap_fails_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
