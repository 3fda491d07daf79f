/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_PURCHASE_PROTO_H
#define PURCHASE_PURCHASE_PROTO_H

#include "edu/v1/error.tables.h"
#include "edu/v1/purchase.tables.h"
#include "edu/v1/wallet.tables.h"
#include "proto/runtime/arena.h"
#include "proto/runtime/span.h"
#include "server/purchase/purchase.h"
#include "server/purchase/wallet_store.h"

/*
 * What is stored as messages of the contract, in the arena. Where it is full they leave pieces out or return
 * NULL: ask arena_check() once at the end.
 */
Purchase *purchase_to_proto(struct arena *arena, const struct purchase *p);
Wallet *wallet_to_proto(struct arena *arena, int64_t user_id, const struct wallet_balance *balances,
			unsigned n);

/* The payload of EVENT_PURCHASE_COMPLETED: a JSON object with ids as text and amounts as text. */
char *purchase_event_payload(struct arena *arena, const struct purchase *p);

extern const struct app_resource purchase_resource;

#endif
