/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ORGANIZATION_AUDIENCE_STORE_H
#define ORGANIZATION_AUDIENCE_STORE_H

#include "server/db/db.h"

/* From where to where in the feed an organization sees its member. */
struct audience_span {
	int64_t user_id, member_id, organization_id;
	int64_t begin_position, end_position; /* 0: it lasts */
};

struct audience_row {
	int64_t audience_id, position, event_id;
};

/* Begins and ends spans, in the order given: a span that is there ends with the first end it gets. */
int audience_store_spans(struct db_conn *conn, const struct audience_span *spans, unsigned n,
			 struct error *err) __attribute__((warn_unused_result));

int audience_store_rows(struct db_conn *conn, const struct audience_row *rows, unsigned n, struct error *err)
	__attribute__((warn_unused_result));

/* For the events at these positions, both included, the organizations that their users' spans tell. */
int audience_store_members(struct db_conn *conn, int64_t first, int64_t last, struct error *err)
	__attribute__((warn_unused_result));

#endif
