/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/payload.h"

#include <grpc/byte_buffer_reader.h>

#include "proto/runtime/codec.h"
#include "proto/runtime/rules.h"
#include "server/rpc/metadata.h"

/* The whole message as one run of bytes: core's own where it is one slice already, else a copy. */
static grpc_slice buffer_flatten(grpc_byte_buffer *buffer)
{
	const grpc_slice_buffer *slices = &buffer->data.raw.slice_buffer;
	grpc_byte_buffer_reader reader;

	if (slices->count == 1)
		return grpc_slice_ref(slices->slices[0]);
	if (!grpc_byte_buffer_reader_init(&reader, buffer))
		return grpc_empty_slice();
	grpc_slice flat = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	return flat;
}

/* Takes the buffer. */
static int buffer_unpack(const struct method *m, grpc_byte_buffer *buffer, const struct wire_limits *limits,
			 struct arena *arena, ProtobufCMessage **ret, struct error *err)
{
	grpc_slice flat = buffer_flatten(buffer);

	/* Or it is held three times: as it came, as one run of bytes, and unpacked. */
	grpc_byte_buffer_destroy(buffer);
	int r = codec_unpack(m->desc->request, slice_span(&flat), limits, arena, ret, err);
	grpc_slice_unref(flat);
	return r;
}

int payload_unpack(const struct method *m, grpc_byte_buffer *buffer, const struct wire_limits *limits,
		   struct arena *arena, ProtobufCMessage **ret, struct error *err)
{
	struct wire_limits own = *limits;

	if (!buffer)
		return error_raise(err, &RPC_REASON_MESSAGE_MALFORMED,
				   "The call brought no message; the method takes one.");
	if (own.bytes > m->desc->policy.max_request_bytes)
		own.bytes = m->desc->policy.max_request_bytes;
	/* Before the bytes are touched. */
	int r = wire_check_size(grpc_byte_buffer_length(buffer), &own, err);
	if (r < 0)
		grpc_byte_buffer_destroy(buffer);
	else
		r = buffer_unpack(m, buffer, &own, arena, ret, err);
	if (r == 0)
		r = rules_check(m->desc->request_rules, *ret, arena, err);
	return r;
}

grpc_byte_buffer *payload_pack(const ProtobufCMessage *message)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return buffer;
}
