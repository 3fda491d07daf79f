/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_AUDIENCE_PAGE_H
#define TESTS_AUDIENCE_PAGE_H

#include "server/db/event.h"

/*
 * The feed of one audience, read by cursor: the page of events after a position. One range of the key
 * (audience_id, position), and a look into `event` for each row, however long the whole feed is.
 *
 * The cursor is the position of the last event read: an audience's rows are written with their positions, in
 * their order, so that none comes later before one that was read; and none is read that a crash of the
 * database could still give to another event. No RPC reads it yet.
 */
int audience_page_read(struct db_conn *conn, struct arena *arena, int64_t audience_id, int64_t after,
		       unsigned most, const struct event **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list audience_page_stmts;

#endif
