/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_GATE_H
#define RPC_GATE_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * What core's listener lets in. Its accept loop ends for good once accept4() says that no descriptor is left,
 * so core never hears that: the last descriptors are kept, and a connection that would take one of them is
 * closed. And whether the listener answers at all is found out the way a client would, by connecting.
 */
struct gate {
	struct sockaddr_storage address; /* bound */
	socklen_t len;                   /* 0: none found */
	int port;
};

/* After core has bound `port` (1: a unix socket): guards its listening sockets. */
void gate_init(struct gate *g, int port);
void gate_done(struct gate *g);

/* Does somebody answer there? Waits for a second at most. */
bool gate_answers(const struct gate *g);

/* Connections refused for want of descriptors since this was last asked. */
unsigned gate_refused(void);

#endif
