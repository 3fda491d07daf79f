/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever bytes arrive as a message or as JSON: nothing crashes, what the scan takes unpacks within its
 * limits, and what has a JSON form comes back the same from it.
 */
#include <stdlib.h>

#include "proto/runtime/codec.h"
#include "proto/runtime/field.h"
#include "proto/runtime/json.h"
#include "proto/runtime/rules.h"
#include "tests/lib/json_sample.pb-c.h"

enum { ARENA_CAP = 8 << 20 };

/* JSON nests deeper than the wire may. */
static const struct wire_limits json_limits = {.bytes = 64 << 20, .depth = 32, .fields = 10000000};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_message(const ProtobufCMessage *message, unsigned depth);

static void check_value(const ProtobufCFieldDescriptor *field, const void *value, unsigned depth)
{
	if (field->type == PROTOBUF_C_TYPE_STRING)
		must(utf8_valid(span_str(*(char *const *)value)));
	else if (field->type == PROTOBUF_C_TYPE_MESSAGE && *(ProtobufCMessage *const *)value)
		check_message(*(ProtobufCMessage *const *)value, depth + 1);
}

/* What the scan promises, seen in the message instead of in the bytes. */
static void check_message(const ProtobufCMessage *message, unsigned depth)
{
	must(depth <= wire_limits_default.depth);
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		size_t item = field_value_size(field->type);

		if (!field_is_set(field, message))
			continue;
		if (field->label != PROTOBUF_C_LABEL_REPEATED)
			check_value(field, field_member(message, field->offset), depth);
		else
			for (size_t k = 0; k < field_count(field, message); k++)
				check_value(field, field_items(field, message) + k * item, depth);
	}
}

static const struct field_rule leaf_fields[] = {
	{.name = "name",
	 .index = 0,
	 .required = true,
	 .min_length = 2,
	 .max_length = 9,
	 .format = STRING_USER_NAME},
	{.name = "count", .index = 1, .has_range = true, .min = -1, .max = 9},
};
static const struct message_rules leaf_rules = {&sample__leaf__descriptor, leaf_fields, 2};

/* Rules of every kind; the fields of Sample are in the order of their numbers. */
static const struct field_rule sample_fields[] = {
	{.name = "a_double", .index = 0, .has_range = true, .min = 0, .max = 1},
	{.name = "a_uint64", .index = 5, .has_range = true, .min = 1, .max = 100},
	{.name = "a_string", .index = 13, .required = true, .format = STRING_URL},
	{.name = "some_bytes", .index = 14, .max_length = 4},
	{.name = "a_leaf", .index = 16, .required = true, .nested = &leaf_rules},
	{.name = "url_2", .index = 18, .format = STRING_EMAIL},
	{.name = "double__under", .index = 19, .format = STRING_LANGUAGE},
	{.name = "alreadyCamel", .index = 20, .id_kind = "crs"},
};
static const struct message_rules sample_rules = {&sample__sample__descriptor, sample_fields, 8};

static void check_rules(const ProtobufCMessage *message)
{
	struct error err;

	(void)rules_check(message->descriptor == sample_rules.desc ? &sample_rules : NULL, message, &err);
	for (unsigned i = 0; i < err.n_violations && i < ERROR_VIOLATIONS_MAX; i++)
		must(err.violations[i].field[0] && err.violations[i].description[0] &&
		     utf8_valid(span_str(err.violations[i].description)));
}

/* JSON to message to JSON: the same. */
static void check_json(const json_t *json, const ProtobufCMessageDescriptor *desc)
{
	json_auto_t *again = NULL;
	ProtobufCMessage *message;
	struct arena arena;
	struct error err;

	arena_init(&arena, 8 * ARENA_CAP);
	must(json_to_message(desc, json, &arena, &message, &err) == 0);
	must(json_from_message(message, false, &again, &err) == 0);
	must(json_equal((json_t *)json, again));
	arena_done(&arena);
}

static void fuzz_wire(const ProtobufCMessageDescriptor *desc, struct span bytes)
{
	json_auto_t *json = NULL, *defaults = NULL;
	ProtobufCMessage *message;
	struct arena arena;
	struct error err;
	bool scanned;

	arena_init(&arena, ARENA_CAP);
	scanned = wire_scan(desc, bytes, &wire_limits_default, &err) == 0;
	if (codec_unpack(desc, bytes, &wire_limits_default, &arena, &message, &err) < 0) {
		must(!scanned || arena.exhausted);
		arena_done(&arena);
		return;
	}
	must(scanned);
	check_message(message, 0);
	check_rules(message);
	if (json_from_message(message, false, &json, &err) == 0)
		check_json(json, desc);
	else /* some messages have no JSON, but not for want of UTF-8, which jansson judges for itself */
		must(err.code != STATUS_INTERNAL);
	(void)json_from_message(message, true, &defaults, &err);
	arena_done(&arena);
}

static void fuzz_json(const ProtobufCMessageDescriptor *desc, struct span text)
{
	json_auto_t *json =
		json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	ProtobufCMessage *message, *back;
	struct arena arena;
	struct span bytes;
	struct error err;

	if (!json)
		return;
	arena_init(&arena, ARENA_CAP);
	if (json_to_message(desc, json, &arena, &message, &err) == 0) {
		check_rules(message);
		must(codec_pack(message, &arena, &bytes, &err) == 0 || arena.exhausted);
		must(arena.exhausted || codec_unpack(desc, bytes, &json_limits, &arena, &back, &err) == 0 ||
		     arena.exhausted);
	}
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_of(data, size);

	fuzz_wire(&sample__sample__descriptor, bytes);
	fuzz_wire(&sample__deep__descriptor, bytes);
	fuzz_json(&sample__sample__descriptor, bytes);
	fuzz_json(&sample__deep__descriptor, bytes);
	return 0;
}
