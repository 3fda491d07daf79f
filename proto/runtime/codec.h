/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_CODEC_H
#define RUNTIME_CODEC_H

#include <protobuf-c/protobuf-c.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/span.h"
#include "proto/runtime/wire.h"

/*
 * Bytes to message: scan, then unpack into the arena. The message lives as long as the arena and is never
 * freed by itself. Malformed is INVALID_ARGUMENT, over a cap is RESOURCE_EXHAUSTED. A singular message that
 * comes twice is merged, but protobuf-c 1.4 takes it for malformed when it has a oneof that is set in
 * neither; no encoder writes that.
 */
int codec_unpack(const ProtobufCMessageDescriptor *desc, struct span bytes, const struct wire_limits *limits,
		 struct arena *arena, ProtobufCMessage **ret, struct error *err)
	__attribute__((warn_unused_result));

/* Message to bytes in the arena. RESOURCE_EXHAUSTED when the arena is full. */
int codec_pack(const ProtobufCMessage *message, struct arena *arena, struct span *ret, struct error *err)
	__attribute__((warn_unused_result));

/* An initialised, empty message in the arena; NULL when it is full. */
void *codec_new(const ProtobufCMessageDescriptor *desc, struct arena *arena)
	__attribute__((warn_unused_result));

#endif
