/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"

/* One value as people write it, against the type of its field. */

/*
 * Text to proto3 JSON; one element of a repeated field. `text` NULL: the flag stood without a value. Money
 * that names no currency is of `currency`, NULL for none. FIELD_INVALID names `flag`. The caller owns *ret.
 */
int value_parse(const ProtobufCFieldDescriptor *field, const char *flag, const char *text,
		const char *currency, json_t **ret, struct error *err) __attribute__((warn_unused_result));

/* What a value of this field looks like, for help: "TEXT", "video|text|quiz", "TIME". In the arena. */
const char *value_shape(const ProtobufCFieldDescriptor *field, struct arena *arena);

#endif
