/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_RAW_SERVER_H
#define TESTS_RAW_SERVER_H

#include <stdatomic.h>

/*
 * A gRPC server for tests of the client: ends calls as no server of ours does, one at a time. What it does
 * not end so it answers with OK and an empty message, whatever was asked.
 */
enum raw_end {
	RAW_TRAILERS, /* status CANCELLED, without a message or details */
	RAW_RESET,    /* the stream is reset */
};
extern _Atomic int raw_cancels; /* so many calls to come are cancelled ... */
extern _Atomic int raw_how;     /* ... like this */
extern _Atomic int raw_calls;   /* that came */

/* Starts it on a free port, which is returned, everything above zero. */
int raw_server_start(void);
void raw_server_stop(void);

#endif
