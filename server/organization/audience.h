/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ORGANIZATION_AUDIENCE_H
#define ORGANIZATION_AUDIENCE_H

#include "server/db/event.h"

/*
 * Who may read which events: an audience is a user or an organization, and has a feed of its own, in the
 * order of positions and without late ones. An event goes to the user it concerns; to every organization
 * that he is a member of at its position, those of joining and of leaving included; and, when it is of a kind
 * that payments or notifications are made from, to the platform's own organization.
 *
 * A membership lasts, here, from the position of its member.joined to that of its member.left. Should the
 * second have come to stand before the first, it is all that the organization sees of it.
 */

/*
 * Writes the audiences of events in the transaction that gave them their positions: sequencer_config's
 * `placed`. They ascend by position without gaps. A few statements, however many there are.
 */
int audience_write(struct db_conn *conn, const char *const *platform_kinds, const struct event *events,
		   unsigned n, struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list audience_stmts;

#endif
