/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/random_message.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "proto/runtime/array.h"
#include "proto/runtime/codec.h"
#include "proto/runtime/field.h"

enum { ITEMS_MAX = 4 };

uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

uint64_t random_below(struct random *r, uint64_t n)
{
	return random_next(r) % n;
}

/* An allocation that fails is a test that asked for too much: it ends there. */
static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static uint64_t random_bits(struct random *r)
{
	static const uint64_t edges[] = {0,
					 1,
					 127,
					 128,
					 INT32_MAX,
					 UINT32_MAX,
					 INT64_MAX,
					 UINT64_MAX,
					 UINT64_C(1) << 63,
					 UINT64_C(1) << 31};

	if (random_below(r, 3) == 0)
		return edges[random_below(r, ARRAY_SIZE(edges))];
	return random_next(r) >> random_below(r, 64);
}

/* Never negative zero, which protobuf-c does not send where it stands alone. */
static double random_double(struct random *r)
{
	static const double edges[] = {0, 1, -1.5, 0.1, 1e300, -1e-300, 5e-324, 123456789.125};

	switch (random_below(r, 8)) {
	case 0:
		return NAN;
	case 1:
		return random_below(r, 2) ? INFINITY : -INFINITY;
	case 2:
	case 3:
		return edges[random_below(r, ARRAY_SIZE(edges))];
	default:
		return ((double)random_below(r, 1u << 30) + 1) / ((double)random_below(r, 1u << 20) + 1);
	}
}

static char *random_string(struct random *r, struct arena *arena)
{
	static const char *const pieces[] = {"a",  "Z",    "0", " ",  "\"", "\\",
					     "\n", "\x7f", "é", "学", "😀",  "\xEF\xBF\xBF"};
	size_t n = random_below(r, 12), len = 0;
	char *text = must(arena_zalloc(arena, n * 4 + 1));

	for (size_t i = 0; i < n; i++) {
		const char *piece = pieces[random_below(r, ARRAY_SIZE(pieces))];

		memcpy(text + len, piece, strlen(piece));
		len += strlen(piece);
	}
	return text;
}

static ProtobufCBinaryData random_bytes(struct random *r, struct arena *arena)
{
	ProtobufCBinaryData bytes = {.len = random_below(r, 20)};

	if (bytes.len > 0)
		bytes.data = must(arena_alloc(arena, bytes.len));
	for (size_t i = 0; i < bytes.len; i++)
		bytes.data[i] = (uint8_t)random_next(r);
	return bytes;
}

/* Now and then a number without a name, which proto3 keeps. */
static int random_enum(struct random *r, const ProtobufCEnumDescriptor *desc)
{
	if (random_below(r, 8) == 0)
		return (int)random_below(r, 100000) - 50000;
	return desc->values[random_below(r, desc->n_values)].value;
}

static int32_t random_nanos(struct random *r)
{
	static const int32_t units[] = {0, 1, 1000, 1000000};
	int32_t unit = units[random_below(r, 4)];

	return unit ? (int32_t)random_below(r, 1000000000 / (uint32_t)unit) * unit : 0;
}

static void random_timestamp(struct random *r, Google__Protobuf__Timestamp *t)
{
	t->seconds = (int64_t)random_below(r, UINT64_C(315537897600)) - INT64_C(62135596800);
	t->nanos = random_nanos(r);
}

static void random_duration(struct random *r, Google__Protobuf__Duration *d)
{
	int sign = random_below(r, 2) ? 1 : -1;

	d->seconds = sign * (int64_t)(random_below(r, 2) ? random_below(r, UINT64_C(315576000000))
							 : random_below(r, 3));
	d->nanos = sign * random_nanos(r);
}

static void random_mask(struct random *r, Google__Protobuf__FieldMask *mask, struct arena *arena)
{
	static const char *const paths[] = {"name", "display_name", "a.b_c.d", "x",
					    "very_long_name_of_a_field"};

	mask->n_paths = random_below(r, 4);
	if (mask->n_paths > 0)
		mask->paths = must(arena_array(arena, mask->n_paths, sizeof(*mask->paths)));
	for (size_t i = 0; i < mask->n_paths; i++)
		mask->paths[i] = (char *)paths[random_below(r, ARRAY_SIZE(paths))];
}

static void random_value(struct random *r, const ProtobufCFieldDescriptor *field, unsigned depth,
			 struct arena *arena, void *value)
{
	uint64_t bits = random_bits(r);

	switch (field->type) {
	case PROTOBUF_C_TYPE_FLOAT:
		/* What is too small for a float must not become a negative zero either. */
		*(float *)value = (float)random_double(r) + 0.0f;
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		*(double *)value = random_double(r);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)value = bits & 1;
		break;
	case PROTOBUF_C_TYPE_ENUM:
		*(int *)value = random_enum(r, field->descriptor);
		break;
	case PROTOBUF_C_TYPE_STRING:
		*(char **)value = random_string(r, arena);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)value = random_bytes(r, arena);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)value = random_message(r, field->descriptor, depth - 1, arena);
		break;
	default:
		memcpy(value, &bits, field_value_size(field->type));
	}
}

static bool entries_share_key(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	const ProtobufCFieldDescriptor *key = &a->descriptor->fields[0];
	const void *x = field_member(a, key->offset), *y = field_member(b, key->offset);

	if (key->type == PROTOBUF_C_TYPE_STRING)
		return strcmp(*(char *const *)x, *(char *const *)y) == 0;
	return memcmp(x, y, field_value_size(key->type)) == 0;
}

/* Drops entries whose key an earlier one has. */
static size_t distinct(ProtobufCMessage **entries, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		bool seen = false;

		for (size_t j = 0; j < kept; j++)
			seen |= entries_share_key(entries[i], entries[j]);
		if (!seen)
			entries[kept++] = entries[i];
	}
	return kept;
}

static void random_entry(struct random *r, ProtobufCMessage *entry, unsigned depth, struct arena *arena)
{
	for (unsigned i = 0; i < entry->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &entry->descriptor->fields[i];

		random_value(r, field, depth, arena, field_member(entry, field->offset));
	}
}

static void random_items(struct random *r, const ProtobufCFieldDescriptor *field, unsigned depth,
			 struct arena *arena, ProtobufCMessage *message)
{
	size_t n = 1 + random_below(r, ITEMS_MAX), size = field_value_size(field->type);
	bool map = field_is_map(message->descriptor, field);
	char *items = must(arena_array(arena, n, size));

	for (size_t i = 0; i < n; i++) {
		if (map) {
			((ProtobufCMessage **)items)[i] = must(codec_new(field->descriptor, arena));
			random_entry(r, ((ProtobufCMessage **)items)[i], depth, arena);
		} else {
			random_value(r, field, depth, arena, items + i * size);
		}
	}
	if (map)
		n = distinct((ProtobufCMessage **)items, n);
	*(char **)field_member(message, field->offset) = items;
	*(size_t *)field_member(message, field->quantifier_offset) = n;
}

static void random_field(struct random *r, const ProtobufCFieldDescriptor *field, unsigned depth,
			 struct arena *arena, ProtobufCMessage *message)
{
	if (random_below(r, 2) == 0 || (field->type == PROTOBUF_C_TYPE_MESSAGE && depth == 0))
		return;
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		random_items(r, field, depth, arena, message);
		return;
	}
	if (field_in_oneof(field)) {
		if (field_oneof_case(field, message) != 0)
			return;
		*(unsigned *)field_member(message, field->quantifier_offset) = field->id;
	} else if (field_has_flag(field)) {
		*(protobuf_c_boolean *)field_member(message, field->quantifier_offset) = 1;
	}
	random_value(r, field, depth, arena, field_member(message, field->offset));
}

ProtobufCMessage *random_message(struct random *r, const ProtobufCMessageDescriptor *desc, unsigned depth,
				 struct arena *arena)
{
	ProtobufCMessage *message = must(codec_new(desc, arena));

	if (desc == &google__protobuf__timestamp__descriptor) {
		random_timestamp(r, (Google__Protobuf__Timestamp *)message);
	} else if (desc == &google__protobuf__duration__descriptor) {
		random_duration(r, (Google__Protobuf__Duration *)message);
	} else if (desc == &google__protobuf__field_mask__descriptor) {
		random_mask(r, (Google__Protobuf__FieldMask *)message, arena);
	} else {
		for (unsigned i = 0; i < desc->n_fields; i++)
			random_field(r, &desc->fields[i], depth, arena, message);
	}
	return message;
}

/* ---- Comparing ---- */

static bool bytes_equal(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool value_equal(const ProtobufCFieldDescriptor *field, const void *a, const void *b)
{
	const char *x, *y;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		x = *(char *const *)a, y = *(char *const *)b;
		return strcmp(x ? x : "", y ? y : "") == 0;
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_equal(a, b);
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_equal(*(ProtobufCMessage *const *)a, *(ProtobufCMessage *const *)b);
	case PROTOBUF_C_TYPE_BOOL:
		return !*(const protobuf_c_boolean *)a == !*(const protobuf_c_boolean *)b;
	case PROTOBUF_C_TYPE_FLOAT:
		return (isnan(*(const float *)a) && isnan(*(const float *)b)) || memcmp(a, b, 4) == 0;
	case PROTOBUF_C_TYPE_DOUBLE:
		return (isnan(*(const double *)a) && isnan(*(const double *)b)) || memcmp(a, b, 8) == 0;
	default:
		return memcmp(a, b, field_value_size(field->type)) == 0;
	}
}

static bool maps_equal(ProtobufCMessage **a, ProtobufCMessage **b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool found = false;

		for (size_t j = 0; j < n; j++)
			found |= message_equal(a[i], b[j]);
		if (!found)
			return false;
	}
	return true;
}

static bool items_equal(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *a,
			const ProtobufCMessage *b)
{
	size_t n = field_count(field, a), size = field_value_size(field->type);
	char *x = field_items(field, a), *y = field_items(field, b);

	if (n != field_count(field, b))
		return false;
	if (field_is_map(a->descriptor, field))
		return maps_equal((ProtobufCMessage **)x, (ProtobufCMessage **)y, n);
	for (size_t i = 0; i < n; i++) {
		if (!value_equal(field, x + i * size, y + i * size))
			return false;
	}
	return true;
}

static bool field_equal(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *a,
			const ProtobufCMessage *b)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return items_equal(field, a, b);
	if (field_is_set(field, a) != field_is_set(field, b))
		return false;
	return !field_is_set(field, a) ||
	       value_equal(field, field_member(a, field->offset), field_member(b, field->offset));
}

bool message_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	if (!a || !b)
		return a == b;
	for (unsigned i = 0; i < a->descriptor->n_fields; i++) {
		if (!field_equal(&a->descriptor->fields[i], a, b))
			return false;
	}
	return a->descriptor == b->descriptor;
}
