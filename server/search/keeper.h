/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_KEEPER_H
#define SEARCH_KEEPER_H

#include "server/search/catalogue.h"

/* Keeps a catalogue as the database has it, on a thread and a connection of its own. */
struct catalogue_keeper;

/* Returns once the catalogue has been read; the feed has begun by then, so that what changes meanwhile is
 * told. The catalogue and the config outlive it. */
int catalogue_keeper_start(struct catalogue *c, const struct db_config *db, struct catalogue_keeper **ret,
			   struct error *err) __attribute__((warn_unused_result));

/* Writes what was counted, and ends. NULL is fine. */
void catalogue_keeper_stop(struct catalogue_keeper *k);

#endif
