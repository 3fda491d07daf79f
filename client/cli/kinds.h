/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_KINDS_H
#define CLI_KINDS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/runtime/arena.h"

/* What a field or a message is to people, beyond its type. */

bool kind_is_money(const ProtobufCMessageDescriptor *desc);
bool kind_is_timestamp(const ProtobufCMessageDescriptor *desc);
bool kind_is_duration(const ProtobufCMessageDescriptor *desc);
bool kind_is_mask(const ProtobufCMessageDescriptor *desc);

/* True for the messages that have a text of their own, which are those above. */
bool kind_has_text(const ProtobufCMessageDescriptor *desc);

/* By name: ..._basis_points, hundredths of a percent; ..._hundredths; ...coverage, 64 slices; ..._seconds and
 * ..._ms, a time; ..._limit, of which 0 is none; planned_..., of which 0 is not said. */
bool kind_is_basis_points(const ProtobufCFieldDescriptor *field);
bool kind_is_hundredths(const ProtobufCFieldDescriptor *field);
bool kind_is_coverage(const ProtobufCFieldDescriptor *field);
bool kind_is_limit(const ProtobufCFieldDescriptor *field);
bool kind_is_plan(const ProtobufCFieldDescriptor *field);
bool kind_is_seconds(const ProtobufCFieldDescriptor *field);
bool kind_is_milliseconds(const ProtobufCFieldDescriptor *field);

/* The name under which it is shown: of completed_basis_points, "completed", since its text is a percentage,
 * of average_hundredths "average". */
const char *kind_shown_name(const ProtobufCFieldDescriptor *field, struct arena *arena);

/* True for what is a number or one amount of money: columns of them end on one line. */
bool kind_is_amount(const ProtobufCFieldDescriptor *field);

/* The name of an enum's value without the enum's own: VIDEO of LESSON_KIND_VIDEO; "video" in `out`. */
const char *kind_enum_strip(const ProtobufCEnumDescriptor *desc, const char *name);
void kind_enum_short(const ProtobufCEnumDescriptor *desc, const char *name, char *out, size_t size);

bool kind_name_ends(const char *name, const char *end);

#endif
