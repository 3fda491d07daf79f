/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_MESSAGE_CHECK_H
#define TESTS_FUZZ_MESSAGE_CHECK_H

#include <jansson.h>

#include "proto/runtime/service.h"

/*
 * What must hold of a message of any type, whatever bytes it comes as: nothing crashes, what the scan takes
 * unpacks within its limits and packs to the same message again, violations can be read, and what has a JSON
 * form comes back the same from it. `rules` may be NULL.
 */

/* The bytes as they come from the wire. */
void message_check_wire(const ProtobufCMessageDescriptor *desc, const struct message_rules *rules,
			struct span bytes);

/* The bytes as JSON text. */
void message_check_text(const ProtobufCMessageDescriptor *desc, const struct message_rules *rules,
			struct span text);

/* A request as JSON, as the command line has it. */
void message_check_json(const ProtobufCMessageDescriptor *desc, const struct message_rules *rules,
			const json_t *json);

/* A failure must be one that can be shown. */
void message_check_error(const struct error *err);

#endif
