/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_PURCHASE_PROTO_H
#define PURCHASE_PURCHASE_PROTO_H

#include "edu/v1/error.tables.h"
#include "edu/v1/purchase.tables.h"
#include "proto/runtime/arena.h"
#include "proto/runtime/span.h"
#include "server/purchase/purchase.h"

/* What is stored as a message of the contract, in the arena. Where it is full it leaves pieces out or returns
 * NULL: ask arena_check() once at the end. */
Purchase *purchase_to_proto(struct arena *arena, const struct purchase *p);

/* The payload of EVENT_PURCHASE_COMPLETED: a JSON object with ids as text and amounts as text. */
char *purchase_event_payload(struct arena *arena, const struct purchase *p);

extern const struct app_resource purchase_resource;

#endif
