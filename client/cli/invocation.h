/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INVOCATION_H
#define CLI_INVOCATION_H

#include <jansson.h>

#include "client/cli/options.h"
#include "proto/runtime/service.h"

/* A command line, understood. */
struct invocation {
	struct options options;
	const char *command;              /* NULL: none was given */
	const char *topic;                /* of help; NULL: none */
	const struct method_desc *method; /* NULL: a command that is no RPC */
	json_t *request;                  /* what the flags of the request say; owned */
	unsigned n_flags;                 /* flags of the request that were given */
};

/* Commands that are no RPC, with their help. NULL name ends. */
struct own_command {
	const char *name, *help;
};
extern const struct own_command own_commands[];

/*
 * Reads argv by the methods of the service. `base` is what the request is before its flags, NULL for nothing;
 * options are read already when it is asked for. Errors say what is wrong with which word, and what was
 * probably meant.
 */
typedef int (*invocation_base)(const struct options *options, const struct method_desc *method, json_t **ret,
			       struct error *err);
int invocation_read(const struct service_desc *service, int argc, char **argv, invocation_base base,
		    struct invocation *ret, struct error *err) __attribute__((warn_unused_result));
void invocation_done(struct invocation *i);

/* The method a command names ("create-course"), or NULL. */
const struct method_desc *invocation_method(const struct service_desc *service, const char *command);

#endif
