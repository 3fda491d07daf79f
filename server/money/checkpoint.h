/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_CHECKPOINT_H
#define MONEY_CHECKPOINT_H

#include "server/db/due.h"

/*
 * Balances of accounts that keep none, which are all but wallets: a checkpoint has the sum of an account's
 * entries up to a position of the feed, so that a balance is read as the checkpoint and the rest.
 *
 * It is cut at a position, and not at an id or a time: these are made before commit, and what commits late
 * would be lost from every checkpoint that comes. A transaction has the id of its event, which is given its
 * position after commit; once an event is seen to have one, all positions below it are seen too.
 *
 * Events are kept until they have been cut (the table event_reader), however old.
 */

/* Cuts what has come since, a batch at a time. */
extern const struct due_kind checkpoint_due;

#endif
