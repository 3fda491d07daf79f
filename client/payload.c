/* SPDX-License-Identifier: Apache-2.0 */
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>

#include "client/internal.h"
#include "proto/runtime/codec.h"

int client_payload_pack(const ProtobufCMessage *message, grpc_slice *ret, struct error *err)
{
	size_t size = protobuf_c_message_get_packed_size(message);

	if (size > CLIENT_MESSAGE_MAX)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "the request has %zu bytes; at most %d are taken", size,
				   CLIENT_MESSAGE_MAX);
	grpc_slice slice = grpc_slice_malloc(size);
	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	*ret = slice;
	return 0;
}

/* The bytes as one run: in place when they came as one slice, else copied together. */
static int payload_bytes(grpc_byte_buffer_reader *reader, struct arena *arena, struct span *ret,
			 struct error *err)
{
	size_t total = grpc_byte_buffer_length(reader->buffer_out), used = 0;
	uint8_t *joined = NULL;
	grpc_slice *slice;

	*ret = span_of(NULL, 0);
	while (grpc_byte_buffer_reader_peek(reader, &slice)) {
		size_t len = GRPC_SLICE_LENGTH(*slice);

		if (len == total) {
			*ret = span_of(GRPC_SLICE_START_PTR(*slice), len);
			return 0;
		}
		if (!joined) {
			joined = arena_alloc(arena, total);
			if (!joined)
				return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
						   "the reply of %zu bytes exceeds the memory for it", total);
		}
		memcpy(joined + used, GRPC_SLICE_START_PTR(*slice), len);
		used += len;
	}
	*ret = span_of(joined, used);
	return 0;
}

int client_payload_unpack(const ProtobufCMessageDescriptor *desc, grpc_byte_buffer *payload,
			  struct arena *arena, ProtobufCMessage **ret, struct error *err)
{
	grpc_byte_buffer_reader reader;
	struct span bytes;

	if (!grpc_byte_buffer_reader_init(&reader, payload))
		return error_raise(err, client_plain_reason(STATUS_INTERNAL),
				   "the reply could not be decompressed");
	int r = payload_bytes(&reader, arena, &bytes, err);
	if (r == 0)
		r = codec_unpack(desc, bytes, &wire_limits_default, arena, ret, err);
	grpc_byte_buffer_reader_destroy(&reader);
	return r;
}
