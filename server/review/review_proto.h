/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REVIEW_REVIEW_PROTO_H
#define REVIEW_REVIEW_PROTO_H

#include "edu/v1/edu_service.tables.h"
#include "server/review/review_store.h"

/* The review as the contract shows it. It lives in the arena; see arena_check() for when that is full. */
Review *review_to_proto(struct arena *arena, const struct review *r);

#endif
