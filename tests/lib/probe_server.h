/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PROBE_SERVER_H
#define TESTS_PROBE_SERVER_H

#include "server/rpc/server.h"

/*
 * probe.v1.Probe served for tests: its config, rows and the authenticator that takes these tokens.
 *
 *   "admin"    user 7 with role ADMIN         "payer"   service account 8 of organization 3 with scope
 * payments "learner"  user 9 with role LEARNER       "reader"  service account 10 of organization 3 with
 * scope records.read "expired"  TOKEN_EXPIRED                  "slow"    user 11 with role ADMIN, whose
 * budget is used up
 */
extern const struct rpc_row *const probe_rows[];
extern const struct service_desc *const probe_services[];

/* Small numbers, so that limits are met soon: db has 2 threads and room for 4, 64 calls may be under way. */
void probe_config(struct rpc_server_config *config);

/* Lets the Pour streams that wait go on. */
void probe_wake(void);

/* How many streams are open, and how many were closed since the start. */
extern _Atomic int probe_streams_open, probe_streams_closed;

/* Calls that reached a handler of Echo's kind, and threads of the db place whose stop was called. */
extern _Atomic int probe_handled, probe_threads_stopped;

/* Calls of the db place whose caller went away while they ran. */
extern _Atomic int probe_interrupted;

/* Joins what EchoDeferred started; after the server has stopped. */
void probe_join(void);

#endif
