/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/wire.h"

#include "proto/runtime/utf8.h"

const struct wire_limits wire_limits_default = {.bytes = 4 * 1024 * 1024, .depth = 16, .fields = 20000};

enum {
	WIRE_GROUP_START = 3,
	WIRE_GROUP_END = 4,
	VARINT_MAX = 10,
	VARINT32_MAX = 5,
};

/* What is left of the bytes of one message. */
struct cursor {
	const uint8_t *p, *end;
};

struct scan {
	const struct wire_limits *limits;
	unsigned fields; /* counted so far, in all nested messages */
	struct error *err;
};

static int malformed(struct scan *s, const ProtobufCMessageDescriptor *desc, const char *what)
{
	return error_raise(s->err, &RPC_REASON_MESSAGE_MALFORMED, "The bytes are no valid %s: %s.",
			   desc->name, what);
}

static int malformed_field(struct scan *s, const ProtobufCMessageDescriptor *desc,
			   const ProtobufCFieldDescriptor *field, const char *what)
{
	return error_raise(s->err, &RPC_REASON_MESSAGE_MALFORMED, "The bytes are no valid %s: field %s %s.",
			   desc->name, field->name, what);
}

static int count_fields(struct scan *s, size_t n)
{
	if (n > s->limits->fields - s->fields)
		return error_raise(s->err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "The message has more fields than are taken; send less at once.");
	s->fields += (unsigned)n;
	return 0;
}

/*
 * A varint of at most `max` bytes whose value fits `max` bytes' type (64 bits for 10, 32 for 5). Longer forms
 * than needed are allowed within that, as every protobuf reader allows them.
 */
static bool read_varint(struct cursor *c, unsigned max, uint64_t *ret)
{
	uint8_t last_most = max == VARINT_MAX ? 0x01 : 0x0F;
	uint64_t value = 0;

	for (unsigned i = 0; i < max && c->p < c->end; i++) {
		uint8_t byte = *c->p++;

		value |= (uint64_t)(byte & 0x7F) << (7 * i);
		if (byte < 0x80) {
			*ret = value;
			return i + 1 < max || byte <= last_most;
		}
	}
	return false;
}

/* The bytes of a length-prefixed field. protobuf-c takes lengths of at most five bytes. */
static bool read_bytes(struct cursor *c, struct span *ret)
{
	uint64_t len;

	if (!read_varint(c, VARINT32_MAX, &len) || len > (uint64_t)(c->end - c->p))
		return false;
	*ret = span_of(c->p, len);
	c->p += len;
	return true;
}

static bool skip_fixed(struct cursor *c, size_t size)
{
	if ((size_t)(c->end - c->p) < size)
		return false;
	c->p += size;
	return true;
}

/* What a single value of the type is on the wire. */
static unsigned wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return PROTOBUF_C_WIRE_TYPE_32BIT;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return PROTOBUF_C_WIRE_TYPE_64BIT;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
	default:
		return PROTOBUF_C_WIRE_TYPE_VARINT;
	}
}

/* Packed elements count one each; the field itself was counted as one already, so an empty one costs too. */
static int scan_packed(struct scan *s, const ProtobufCMessageDescriptor *desc,
		       const ProtobufCFieldDescriptor *field, struct span bytes)
{
	unsigned wire_type = wire_type_of(field->type);
	size_t size = wire_type == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8;
	struct cursor c = {bytes.data, bytes.data + bytes.len};
	size_t n = 0;

	if (bytes.len == 0)
		return 0;
	if (wire_type != PROTOBUF_C_WIRE_TYPE_VARINT) {
		if (bytes.len % size != 0)
			return malformed_field(s, desc, field,
					       "has a length that is no multiple of its element's");
		return count_fields(s, bytes.len / size);
	}
	for (; c.p < c.end; n++) {
		uint64_t value;

		if (!read_varint(&c, VARINT_MAX, &value))
			return malformed_field(s, desc, field, "has a bad varint");
	}
	return count_fields(s, n);
}

static int scan_message(struct scan *s, const ProtobufCMessageDescriptor *desc, struct span bytes,
			unsigned depth);

static int scan_bytes(struct scan *s, const ProtobufCMessageDescriptor *desc,
		      const ProtobufCFieldDescriptor *field, struct span bytes, unsigned depth)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		if (!utf8_valid(bytes))
			return malformed_field(s, desc, field, "is not UTF-8 without U+0000");
		return 0;
	case PROTOBUF_C_TYPE_BYTES:
		return 0;
	case PROTOBUF_C_TYPE_MESSAGE:
		if (depth >= s->limits->depth)
			return error_raise(s->err, &RPC_REASON_MESSAGE_TOO_DEEP,
					   "Field %s of %s is nested too deep.", field->name, desc->name);
		return scan_message(s, field->descriptor, bytes, depth + 1);
	default:
		return scan_packed(s, desc, field, bytes);
	}
}

/* One value, whose tag is read. `field` is NULL when the descriptor does not know it. */
static int scan_value(struct scan *s, const ProtobufCMessageDescriptor *desc,
		      const ProtobufCFieldDescriptor *field, unsigned wire_type, struct cursor *c,
		      unsigned depth)
{
	struct span bytes;
	uint64_t value;
	bool ok;

	if (field && wire_type != wire_type_of(field->type) &&
	    !(wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED && field->label == PROTOBUF_C_LABEL_REPEATED))
		return malformed_field(s, desc, field, "has another type");
	switch (wire_type) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		ok = read_varint(c, VARINT_MAX, &value);
		break;
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		ok = skip_fixed(c, 8);
		break;
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		ok = skip_fixed(c, 4);
		break;
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		ok = read_bytes(c, &bytes);
		if (ok && field)
			return scan_bytes(s, desc, field, bytes, depth);
		break;
	case WIRE_GROUP_START:
	case WIRE_GROUP_END:
		return malformed(s, desc, "it has a group, which is not supported");
	default:
		return malformed(s, desc, "it has an unknown wire type");
	}
	return ok ? 0 : malformed(s, desc, "it is truncated, or a varint is too long");
}

/* Writers send fields in order, so the field is nearly always the last one or one of the next. */
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *desc, uint32_t id,
						  unsigned *hint)
{
	for (unsigned i = *hint; i < desc->n_fields && i < *hint + 3; i++) {
		if (desc->fields[i].id == id) {
			*hint = i;
			return &desc->fields[i];
		}
	}
	return protobuf_c_message_descriptor_get_field(desc, id);
}

static int scan_message(struct scan *s, const ProtobufCMessageDescriptor *desc, struct span bytes,
			unsigned depth)
{
	struct cursor c = {bytes.data, bytes.data + bytes.len};
	unsigned hint = 0;

	while (c.p < c.end) {
		const ProtobufCFieldDescriptor *field;
		uint64_t tag;

		if (!read_varint(&c, VARINT32_MAX, &tag))
			return malformed(s, desc, "a field's tag is truncated or too long");
		if (tag >> 3 == 0)
			return malformed(s, desc, "it has field number 0");
		int r = count_fields(s, 1);
		if (r < 0)
			return r;
		field = find_field(desc, (uint32_t)(tag >> 3), &hint);
		r = scan_value(s, desc, field, tag & 7, &c, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

int wire_check_size(size_t len, const struct wire_limits *limits, struct error *err)
{
	if (len <= limits->bytes)
		return 0;
	error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
		    "The message has more bytes than are taken; send less at once.");
	error_add_metadata(err, "bytes", "%zu", len);
	return error_add_metadata(err, "max_bytes", "%zu", limits->bytes);
}

int wire_scan(const ProtobufCMessageDescriptor *desc, struct span bytes, const struct wire_limits *limits,
	      struct error *err)
{
	struct scan s = {.limits = limits, .err = err};

	int r = wire_check_size(bytes.len, limits, err);

	return r == 0 && bytes.len > 0 ? scan_message(&s, desc, bytes, 0) : r;
}
