/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "proto/runtime/error.h"
#include "proto/runtime/service.h"

/*
 * Flags are the fields of a request: --course-id for course_id, --course.title for title within course. A
 * name that is no field of the request is looked for in its message fields, then in theirs, and taken when
 * only one has it, so that --title does. What flags say is gathered as proto3 JSON, which json_to_message()
 * turns into the request.
 *
 * A repeated field's flag repeats. Of a repeated message, a flag whose field the last element has begins the
 * next. A message also takes its JSON; Money "12.34 EUR", or "12.34" beside a currency_code; a Timestamp
 * RFC 3339, a day, "now" or "-30m"; a Duration, and a number of seconds, "30m"; a FieldMask a comma list; an
 * enum its name with or without its prefix in any case; a bool nothing or true or false.
 */
enum { FLAG_DEPTH = 8, FLAG_SEARCH = 4 };

/* The fields from the request to the one a flag sets. */
struct flag_path {
	const ProtobufCFieldDescriptor *fields[FLAG_DEPTH];
	unsigned n;
};

/* False when the name (without "--") is no flag of this message. */
bool flag_find(const ProtobufCMessageDescriptor *desc, const char *name, struct flag_path *ret);

/* True for one that may stand without a value: a bool, or a message without fields. */
bool flag_is_switch(const struct flag_path *path);

/* True for an amount of money of the request itself: set it last, once the request's currency_code is known.
 */
bool flag_is_amount(const struct flag_path *path);

/* Sets it in `request`, a JSON object. `value` NULL: it stood without one. FIELD_INVALID names the flag. */
int flag_set(json_t *request, const struct flag_path *path, const char *name, const char *value,
	     struct error *err) __attribute__((warn_unused_result));

/* Calls `each` for every flag of a message, nested ones after a dot ("course.title"). */
typedef void (*flag_visitor)(void *arg, const char *name, const ProtobufCMessageDescriptor *message,
			     const ProtobufCFieldDescriptor *field);
void flags_visit(const ProtobufCMessageDescriptor *desc, flag_visitor each, void *arg);

/*
 * Fills `update_mask` with the fields given of the one message that the request otherwise carries, when the
 * request has a mask and none was given. Its id, its etag and what is the server's to write are not named.
 */
void flags_fill_mask(const struct method_desc *method, json_t *request);

#endif
