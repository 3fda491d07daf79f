/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_RANK_H
#define SEARCH_RANK_H

#include "server/db/due.h"

/*
 * What courses are ordered by that many calls would change: how they are rated and how many learn them. It is
 * counted every 15 minutes, some courses a transaction, and written (course_rank) where it has changed, so
 * that no course's row is written by each who enrolls; replicas read what was written (keeper.h).
 */
extern const struct due_kind rank_due;      /* begins with the first course */
extern const struct due_kind rank_some_due; /* goes on behind its subject */

extern const struct db_stmt_list rank_stmts;

#endif
