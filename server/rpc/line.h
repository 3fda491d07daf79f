/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_LINE_H
#define RPC_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct poller;
struct rpc_call;
struct rpc_server;

/*
 * The calls of a poller, so that one can be given up for another. A caller may begin a call and never send
 * its message, or never read its answer: such calls cost him nothing, and without an end would be all the
 * server takes. Any thread may use any line.
 */

/* When the call is taken, and when it is given back. */
void line_add(struct poller *p, struct rpc_call *call);
void line_remove(struct poller *p, struct rpc_call *call);

/*
 * Cancels a call of any line that has waited for its caller longer than an honest one lets it, in favor of a
 * new one. False when none is found: a long line is not searched whole at once, the search goes on where it
 * was left.
 */
bool line_evict(struct rpc_server *s);

/* Cancels every call that has waited for its caller longer than any may. Once a second is often enough. */
void line_tend(struct rpc_server *s);

/* Watches the calls on executors that have come before then (monotonic): call_watch_later(). */
void line_watch(struct rpc_server *s, int64_t since_us);

#endif
