/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_MONEY_PROTO_H
#define MONEY_MONEY_PROTO_H

#include "edu/v1/common.tables.h"
#include "proto/runtime/arena.h"

/* An amount as the contract's message, in the arena; NULL when it is full: ask arena_check() once at the end.
 */
Money *money_to_proto(struct arena *arena, const char *currency_code, int64_t minor_units);

#endif
