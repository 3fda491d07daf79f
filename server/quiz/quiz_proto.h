/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QUIZ_QUIZ_PROTO_H
#define QUIZ_QUIZ_PROTO_H

#include "edu/v1/quiz.tables.h"
#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/span.h"

/*
 * A quiz as it is stored: packed twice, whole and without its solutions, so that what a learner gets is made
 * of bytes that have none. Each is written field by field, what the contract does not know left out: a field
 * that is new is shown to nobody before it is named here. The ids, the revision and the time are not in them.
 */
struct quiz_packed {
	struct span whole, shown;
};

int quiz_pack(const Quiz *quiz, struct arena *arena, struct quiz_packed *ret, struct error *err)
	__attribute__((warn_unused_result));

/* Either of the two. */
int quiz_unpack(struct span packed, struct arena *arena, Quiz **ret, struct error *err)
	__attribute__((warn_unused_result));

#endif
