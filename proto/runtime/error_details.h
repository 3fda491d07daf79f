/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_ERROR_DETAILS_H
#define RUNTIME_ERROR_DETAILS_H

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/span.h"

/* An error as it travels: the google.rpc.Status in the trailer grpc-status-details-bin. */

/*
 * The error as packed google.rpc.Status, at most ERROR_DETAILS_MAX bytes (violations are dropped from the end
 * until it fits), in the arena. `domain` is ErrorInfo.domain, cut at 255 bytes. Returns 0 or
 * -STATUS_RESOURCE_EXHAUSTED when the arena is full.
 */
int error_encode(const struct error *err, const char *domain, struct arena *arena, struct span *ret)
	__attribute__((warn_unused_result));

/*
 * Reads what error_encode() wrote, or any google.rpc.Status; details it does not know are skipped. `reason`
 * lives in the arena and is NULL without an ErrorInfo; violations that were counted and not sent are empty.
 * Returns 0 or -STATUS_INVALID_ARGUMENT.
 */
int error_decode(struct span bytes, struct arena *arena, struct error *ret)
	__attribute__((warn_unused_result));

#endif
