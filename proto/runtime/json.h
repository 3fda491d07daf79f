/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_JSON_H
#define RUNTIME_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"

/*
 * The proto3 JSON mapping, both ways, driven by descriptors: lowerCamelCase names (the .proto's own are taken
 * too), 64-bit integers as strings, bytes in base64, enums by name, Timestamp, Duration, FieldMask and the
 * wrappers in their special forms, oneof with one member at most. Unknown names and enum names are refused,
 * nesting is bounded at 32. Source: protobuf.dev/programming-guides/json.
 */

/* JSON object to message in the arena. INVALID_ARGUMENT names the path. */
int json_to_message(const ProtobufCMessageDescriptor *desc, const json_t *json, struct arena *arena,
		    ProtobufCMessage **ret, struct error *err) __attribute__((warn_unused_result));

/* Message to JSON. Fields with default values are left out, unless `defaults`. The caller owns *ret
 * (json_decref). */
int json_from_message(const ProtobufCMessage *message, bool defaults, json_t **ret, struct error *err)
	__attribute__((warn_unused_result));

/* The JSON name of a field ("courseId" for course_id) into `out`; truncates. */
void json_field_name(const char *name, char *out, size_t size);

#endif
