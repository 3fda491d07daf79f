/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/gate.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/rpc/server.h"

enum {
	RESERVE = 128,          /* for the database, metrics, files; of a small limit a quarter */
	LISTENERS_MAX = 16,     /* of all servers in the process */
	DESCRIPTORS_MAX = 4096, /* a listening socket has a smaller one */
	ANSWER_MS = 1000,
};

static _Atomic int guarded[LISTENERS_MAX]; /* descriptors; 0: none */
static _Atomic unsigned refused;

void rpc_server_widen(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static bool is_guarded(int fd)
{
	for (int i = 0; i < LISTENERS_MAX; i++) {
		if (atomic_load_explicit(&guarded[i], memory_order_relaxed) == fd)
			return true;
	}
	return false;
}

/* Descriptors are given lowest first: one that is not below this is among the last. */
static int first_reserved(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX)
		return INT_MAX;
	return (int)(limit.rlim_cur - (limit.rlim_cur < 4 * RESERVE ? limit.rlim_cur / 4 : RESERVE));
}

/*
 * In place of libc's, for core and everybody else in the process. Core waits for the next connection after
 * EAGAIN, and ends its loop after what says that there are no descriptors or no memory.
 */
int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	const socklen_t room = len ? *len : 0;

	for (;;) {
		int got = (int)syscall(SYS_accept4, fd, address, len, flags);

		if (!is_guarded(fd))
			return got;
		if (got < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
				atomic_fetch_add(&refused, 1);
				errno = EAGAIN;
			}
			return got;
		}
		if (got < first_reserved())
			return got;
		close(got);
		atomic_fetch_add(&refused, 1);
		if (len)
			*len = room;
	}
}

static int port_of(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	if (address->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	return address->ss_family == AF_UNIX ? 1 : 0;
}

static bool listens_at(int fd, int port, struct sockaddr_storage *address, socklen_t *len)
{
	int listens = 0;
	socklen_t size = sizeof(listens);

	*len = sizeof(*address);
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
	       getsockname(fd, (struct sockaddr *)address, len) == 0 && port_of(address) == port;
}

static void guard(int was, int is)
{
	for (int i = 0; i < LISTENERS_MAX; i++) {
		int expected = was;

		if (atomic_compare_exchange_strong(&guarded[i], &expected, is))
			return;
	}
}

void gate_init(struct gate *g, int port)
{
	struct sockaddr_storage address;
	socklen_t len;

	*g = (struct gate){0};
	g->port = port;
	for (int fd = 1; fd < DESCRIPTORS_MAX; fd++) {
		if (!listens_at(fd, port, &address, &len))
			continue;
		if (!is_guarded(fd))
			guard(0, fd);
		g->address = address;
		g->len = len;
	}
}

void gate_done(struct gate *g)
{
	struct sockaddr_storage address;
	socklen_t len;

	for (int i = 0; i < LISTENERS_MAX; i++) {
		const int fd = atomic_load(&guarded[i]);

		if (fd && listens_at(fd, g->port, &address, &len))
			guard(fd, 0);
	}
}

bool gate_answers(const struct gate *g)
{
	struct pollfd wait = {.events = POLLIN};
	bool answers = false;

	if (!g->len)
		return true;
	wait.fd = socket(g->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (wait.fd < 0) /* out of all descriptors, the reserve too: who comes finds nobody either */
		return false;
	/* The kernel takes connections for whoever listens. That nothing will be sent makes core answer, with
	 * its settings or by closing, TLS or not. */
	if (connect(wait.fd, (const struct sockaddr *)&g->address, g->len) == 0 || errno == EINPROGRESS) {
		struct pollfd connected = {.fd = wait.fd, .events = POLLOUT};

		answers = poll(&connected, 1, ANSWER_MS) == 1 && shutdown(wait.fd, SHUT_WR) == 0 &&
			  poll(&wait, 1, ANSWER_MS) == 1;
	}
	close(wait.fd);
	return answers;
}

unsigned gate_refused(void)
{
	return atomic_exchange(&refused, 0);
}
