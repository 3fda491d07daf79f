/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_LEDGER_CHECK_H
#define TESTS_LEDGER_CHECK_H

#include "tests/lib/testdb.h"

/*
 * How many things are wrong with the money in a database, 0 for none: transactions that do not sum to zero in
 * a currency or have no entries, entries without a transaction, wallets that are not the sum of their entries
 * or are overdrawn, entries of wallets without a wallet, transactions without their cause or their event,
 * causes that moved money twice, checkpoints that are off, charges and payments that are not what their
 * transaction moved, purchases without a charge, completed ones without a grant and an enrollment. Prints
 * each kind.
 */
int64_t ledger_faults(const struct testdb *t);

#endif
