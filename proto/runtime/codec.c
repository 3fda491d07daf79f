/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/codec.h"

int codec_unpack(const ProtobufCMessageDescriptor *desc, struct span bytes, const struct wire_limits *limits,
		 struct arena *arena, ProtobufCMessage **ret, struct error *err)
{
	bool exhausted_before = arena->exhausted;
	int r = wire_scan(desc, bytes, limits, err);
	if (r < 0)
		return r;
	arena->exhausted = false;
	ProtobufCMessage *message =
		protobuf_c_message_unpack(desc, arena_allocator(arena), bytes.len, bytes.data);
	bool exhausted = arena->exhausted;
	arena->exhausted |= exhausted_before;
	if (!message && exhausted)
		return arena_full(err);
	if (!message)
		return error_raise(err, &RPC_REASON_MESSAGE_MALFORMED, "The bytes are no valid %s.",
				   desc->name);
	*ret = message;
	return 0;
}

int codec_pack(const ProtobufCMessage *message, struct arena *arena, struct span *ret, struct error *err)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = arena_alloc(arena, size);

	if (!bytes)
		return arena_full(err);
	*ret = span_of(bytes, protobuf_c_message_pack(message, bytes));
	return 0;
}

void *codec_new(const ProtobufCMessageDescriptor *desc, struct arena *arena)
{
	ProtobufCMessage *message = arena_alloc(arena, desc->sizeof_message);

	if (message)
		protobuf_c_message_init(desc, message);
	return message;
}
