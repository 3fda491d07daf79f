/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_JSON_FORM_H
#define RUNTIME_JSON_FORM_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/runtime/span.h"

/* The special forms of the proto3 JSON mapping, as text. Readers return false for what is not of the form. */

enum json_form {
	JSON_FORM_OBJECT, /* any message */
	JSON_FORM_TIMESTAMP,
	JSON_FORM_DURATION,
	JSON_FORM_FIELD_MASK,
	JSON_FORM_WRAPPER,     /* stands as its field `value` does */
	JSON_FORM_UNSUPPORTED, /* Any, Struct and what belongs to it */
};

enum { JSON_DEPTH_MAX = 32, JSON_TIME_TEXT_MAX = 40, JSON_NAME_MAX = 128 };

enum json_form json_form_of(const ProtobufCMessageDescriptor *desc);

/* RFC 3339 in the years 0001 to 9999; written in UTC with 0, 3, 6 or 9 digits of fraction, read with any
 * offset. */
bool json_timestamp_write(int64_t seconds, int32_t nanos, char out[JSON_TIME_TEXT_MAX]);
bool json_timestamp_read(const char *text, int64_t *seconds, int32_t *nanos);

/* "1.500s", within 10,000 years. */
bool json_duration_write(int64_t seconds, int32_t nanos, char out[JSON_TIME_TEXT_MAX]);
bool json_duration_read(const char *text, int64_t *seconds, int32_t *nanos);

/* One path of a FieldMask: "user.displayName" for "user.display_name". Only paths that come back the same are
 * taken. */
bool json_path_write(const char *path, char *out, size_t size);
bool json_path_read(const char *text, size_t len, char *out, size_t size);

/* The bytes that base64 of n bytes takes with its NUL, and the bytes that n characters of base64 give at
 * most. */
static inline size_t json_base64_size(size_t n)
{
	return (n + 2) / 3 * 4 + 1;
}

static inline size_t json_base64_capacity(size_t n)
{
	return n / 4 * 3 + 3;
}

/* Written in the standard alphabet with padding; read in that or the URL-safe one, padded or not. */
void json_base64_write(struct span bytes, char *out);
bool json_base64_read(struct span text, uint8_t *out, size_t *len);

#endif
