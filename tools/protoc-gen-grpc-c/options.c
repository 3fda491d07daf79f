/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <string.h>

#include "memory.h"

enum { OPTION_NUMBER = 51401 };

static size_t read_varint(const uint8_t *data, size_t len, uint64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < len && i < 10; i++) {
		*ret |= (uint64_t)(data[i] & 0x7f) << (7 * i);
		if (!(data[i] & 0x80))
			return i + 1;
	}
	return 0;
}

static void add_misread(struct model *m, const struct place *place, const char *option)
{
	problems_add(&m->problems, place,
		     "option (grpc_c.v1.%s) does not decode; compile with the grpc_c/v1/options.proto that "
		     "came with "
		     "this generator",
		     option);
}

/*
 * The payload of a message option. `option (policy).access = ...; option (policy).roles = ...` are several
 * occurrences of one field, and concatenating their bytes is how protobuf merges them.
 */
static bool gather(struct model *m, const struct place *place, const ProtobufCMessage *options,
		   const char *option, struct span *ret)
{
	uint8_t *bytes = NULL;
	size_t len = 0;

	for (unsigned i = 0; options && i < options->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *u = &options->unknown_fields[i];
		uint64_t payload;

		if (u->tag != OPTION_NUMBER)
			continue;
		size_t prefix = read_varint(u->data, u->len, &payload);
		if (u->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED || prefix == 0 ||
		    payload != u->len - prefix) {
			add_misread(m, place, option);
			return false;
		}
		uint8_t *grown = gen_array(m->arena, len + payload, 1);
		if (len > 0)
			memcpy(grown, bytes, len);
		memcpy(grown + len, u->data + prefix, payload);
		bytes = grown;
		len += payload;
	}
	*ret = span_of(bytes, len);
	return bytes != NULL;
}

static ProtobufCMessage *message_option(struct model *m, const struct place *place,
					const ProtobufCMessage *options, const char *option,
					const ProtobufCMessageDescriptor *type)
{
	struct span bytes;

	if (!gather(m, place, options, option, &bytes))
		return NULL;
	ProtobufCMessage *message =
		protobuf_c_message_unpack(type, arena_allocator(m->arena), bytes.len, bytes.data);
	if (!message)
		add_misread(m, place, option);
	else if (message->n_unknown_fields > 0)
		problems_add(
			&m->problems, place,
			"option (grpc_c.v1.%s) sets field %u, which this generator does not know and could "
			"not "
			"enforce; take it out, or build the generator with the newer grpc_c/v1/options.proto",
			option, message->unknown_fields[0].tag);
	return message;
}

static uint64_t number_option(struct model *m, const struct place *place, const ProtobufCMessage *options,
			      const char *option)
{
	uint64_t value = 0;

	for (unsigned i = 0; options && i < options->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *u = &options->unknown_fields[i];

		if (u->tag != OPTION_NUMBER)
			continue;
		if (u->wire_type != PROTOBUF_C_WIRE_TYPE_VARINT ||
		    read_varint(u->data, u->len, &value) != u->len)
			add_misread(m, place, option);
	}
	return value;
}

/* Of a message within an option. */
static void check_known(struct model *m, const struct place *place, const char *option,
			const ProtobufCMessage *message)
{
	if (message && message->n_unknown_fields > 0)
		problems_add(&m->problems, place,
			     "option (grpc_c.v1.%s sets field %u, which this generator does not know; take "
			     "it out, or build the generator with the newer grpc_c/v1/options.proto",
			     option, message->unknown_fields[0].tag);
}

const MethodPolicy *options_policy(struct model *m, const struct place *place, const MethodProto *method)
{
	const MethodPolicy *policy = (const MethodPolicy *)message_option(
		m, place, method->options ? &method->options->base : NULL, "policy",
		&grpc_c__v1__method_policy__descriptor);

	if (policy && policy->subject)
		check_known(m, place, "policy).subject", &policy->subject->base);
	return policy;
}

const FieldRules *options_rules(struct model *m, const struct place *place, const FieldProto *field)
{
	const FieldRules *rules =
		(const FieldRules *)message_option(m, place, field->options ? &field->options->base : NULL,
						   "rules", &grpc_c__v1__field_rules__descriptor);

	if (rules && rules->range)
		check_known(m, place, "rules).range", &rules->range->base);
	return rules;
}

bool options_error_reasons(struct model *m, const struct place *place, const EnumProto *e)
{
	return number_option(m, place, e->options ? &e->options->base : NULL, "error_reasons") != 0;
}

int options_status(struct model *m, const struct place *place, const EnumValueProto *value)
{
	return (int)number_option(m, place, value->options ? &value->options->base : NULL, "status");
}
