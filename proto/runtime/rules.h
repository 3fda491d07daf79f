/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_RULES_H
#define RUNTIME_RULES_H

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/service.h"

/*
 * Checks a whole message against its rules, nested messages included, and reports every violation at once:
 * raises FIELD_INVALID with a violation per field ("prices[1].currency_code"). An enum value the contract
 * does not know, a Timestamp or Duration outside its range (years 0001 to 9999; nanos 0 to 999,999,999) are
 * violations without a rule being written, and so are more than FIELD_ITEMS_MAX items of a repeated field.
 * The items of a list that is too long are not looked at. `rules` may be NULL.
 *
 * Text for people (TEXT, TEXT_LINE) is first brought into Unicode's normalization form C, in the message:
 * what is checked is what is kept. It lies in the arena; MESSAGE_TOO_LARGE when that is full.
 */
int rules_check(const struct message_rules *rules, ProtobufCMessage *message, struct arena *arena,
		struct error *err) __attribute__((warn_unused_result));

/*
 * Checks an update_mask against the rules of the resource it speaks of, by AIP-134 as the contract narrows
 * it: at least one path, no `*`, no unknown, repeated or output-only path. `field` names the mask in
 * violations. Only top-level fields may be named.
 */
int rules_check_mask(const struct message_rules *resource, const char *field, char *const *paths,
		     size_t n_paths, struct error *err) __attribute__((warn_unused_result));

/* True when the mask names the path. */
bool mask_has(char *const *paths, size_t n_paths, const char *path);

#endif
