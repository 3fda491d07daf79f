/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/message_check.h"

#include "proto/runtime/codec.h"
#include "proto/runtime/field.h"
#include "proto/runtime/json.h"
#include "proto/runtime/rules.h"
#include "proto/runtime/utf8.h"
#include "tests/fuzz/must.h"
#include "tests/lib/random_message.h"

enum { ARENA_CAP = 8 << 20 };

/* JSON nests deeper than the wire may, and what is packed anew may be longer than it came. */
static const struct wire_limits wide_limits = {.bytes = 64 << 20, .depth = 32, .fields = 10000000};

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

void message_check_error(const struct error *err)
{
	must(err->code > STATUS_OK && err->code <= STATUS_UNAUTHENTICATED && err->reason);
	must(err->message[0] && utf8_valid(span_str(err->message)));
	for (unsigned i = 0; i < err->n_violations && i < ERROR_VIOLATIONS_MAX; i++)
		must(err->violations[i].field[0] && err->violations[i].description[0] &&
		     utf8_valid(span_str(err->violations[i].description)));
}

/* The number of violations. Text may be brought into another form, in the arena. */
static unsigned check_rules(const struct message_rules *rules, ProtobufCMessage *message, struct arena *arena)
{
	struct error err;

	if (rules_check(rules, message, arena, &err) == 0)
		return 0;
	message_check_error(&err);
	must(err.n_violations > 0 || arena->exhausted);
	return err.n_violations;
}

/* Packed and unpacked it is the same message, to whoever compares it and to its rules. */
static void check_packed(const struct message_rules *rules, ProtobufCMessage *message, struct arena *own)
{
	ProtobufCMessage *again;
	struct arena arena;
	struct span bytes;
	struct error err;

	arena_init(&arena, 8 * ARENA_CAP);
	if (codec_pack(message, &arena, &bytes, &err) == 0 &&
	    codec_unpack(message->descriptor, bytes, &wide_limits, &arena, &again, &err) == 0) {
		must(message_equal(message, again));
		must(check_rules(rules, again, &arena) == check_rules(rules, message, own) || own->exhausted);
	} else {
		must(arena.exhausted);
	}
	arena_done(&arena);
}

/* JSON to message to JSON: the same. */
static void check_form(const json_t *json, const ProtobufCMessageDescriptor *desc)
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

/*
 * protobuf-c 1.4 refuses a singular message that comes twice, which the wire format allows, when a oneof of
 * it is set in neither. So what is scanned need not unpack where there is a oneof.
 */
static bool may_have_oneof(const ProtobufCMessageDescriptor *desc, unsigned depth)
{
	if (depth == 0)
		return false;
	for (unsigned i = 0; i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &desc->fields[i];

		if (field_in_oneof(field) ||
		    (field->type == PROTOBUF_C_TYPE_MESSAGE && may_have_oneof(field->descriptor, depth - 1)))
			return true;
	}
	return false;
}

void message_check_wire(const ProtobufCMessageDescriptor *desc, const struct message_rules *rules,
			struct span bytes)
{
	json_auto_t *json = NULL, *defaults = NULL;
	ProtobufCMessage *message;
	struct arena arena;
	struct error err;
	bool scanned;

	arena_init(&arena, ARENA_CAP);
	scanned = wire_scan(desc, bytes, &wire_limits_default, &err) == 0;
	if (codec_unpack(desc, bytes, &wire_limits_default, &arena, &message, &err) < 0) {
		must(!scanned || arena.exhausted || may_have_oneof(desc, 4));
		message_check_error(&err);
		arena_done(&arena);
		return;
	}
	must(scanned);
	check_message(message, 0);
	check_packed(rules, message, &arena);
	if (json_from_message(message, false, &json, &err) == 0)
		check_form(json, desc);
	else /* some messages have no JSON, but not for want of UTF-8, which jansson judges for itself */
		must(err.code != STATUS_INTERNAL);
	if (json_from_message(message, true, &defaults, &err) == 0)
		must(json != NULL);
	arena_done(&arena);
}

void message_check_json(const ProtobufCMessageDescriptor *desc, const struct message_rules *rules,
			const json_t *json)
{
	ProtobufCMessage *message;
	struct arena arena;
	struct error err;

	arena_init(&arena, ARENA_CAP);
	if (json_to_message(desc, json, &arena, &message, &err) == 0)
		check_packed(rules, message, &arena);
	else
		message_check_error(&err);
	arena_done(&arena);
}

void message_check_text(const ProtobufCMessageDescriptor *desc, const struct message_rules *rules,
			struct span text)
{
	json_auto_t *json =
		json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	if (json)
		message_check_json(desc, rules, json);
}
