/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.v1.Probe as a program: what the rpc room costs by itself, next to echo_server. Prints the port, then
 * serves until SIGINT or SIGTERM. The only argument is the number of pollers.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/probe_server.h"

int main(int argc, char **argv)
{
	struct rpc_server_config config;
	struct rpc_server *server;
	struct error err;
	sigset_t signals;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	probe_config(&config);
	config.hot_slots = 1000;
	config.max_calls = 4096;
	config.executors[RPC_ON_DB].queue = 4096;
	config.executors[RPC_ON_DB].wait_ms = 500;
	config.pollers = argc > 1 ? (unsigned)atoi(argv[1]) : 2;
	if (rpc_server_new(&config, probe_rows, probe_services, &server, &err) < 0 ||
	    rpc_server_start(server, &err) < 0) {
		fprintf(stderr, "probe: %s\n", err.message);
		return EXIT_FAILURE;
	}
	rpc_server_set_serving(server, true);
	printf("%d\n", rpc_server_port(server));
	fflush(stdout);
	sigwait(&signals, &signal);
	rpc_server_free(server);
	return EXIT_SUCCESS;
}
