/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DOCS_H
#define CLI_DOCS_H

#include "proto/runtime/arena.h"
#include "proto/runtime/service.h"

/*
 * The comments of a contract, from the descriptor set its service carries. Texts come unwrapped, one line a
 * paragraph, in the arena; "" where there is no comment.
 */
struct docs;

int docs_new(const struct service_desc *service, struct docs **ret, struct error *err)
	__attribute__((warn_unused_result));
void docs_free(struct docs *d);

const char *docs_method(const struct docs *d, const struct method_desc *method, struct arena *arena);

/* What the file of a message is about: the first sentence of the comment it begins with. */
const char *docs_group(const struct docs *d, const char *message, struct arena *arena);
const char *docs_field(const struct docs *d, const char *message, const char *field, struct arena *arena);

/* What the contract says about an error reason ("COURSE_NOT_FOUND"), without the status it begins with. */
const char *docs_reason(const struct docs *d, const char *reason, struct arena *arena);

#endif
