/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_ENROLLMENT_PROTO_H
#define PROGRESS_ENROLLMENT_PROTO_H

#include "edu/v1/access.tables.h"
#include "server/progress/progress_store.h"

/* An enrollment as the contract shows it at a time, in the arena; see arena_check() for when it is full. */
Enrollment *enrollment_to_proto(struct arena *arena, const struct progress_enrollment *e, int64_t now_us);

#endif
