/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/runtime/error.h"

/* What every command takes, from flags, else from the environment. Zeroed: nothing is said yet. Strings
 * belong to argv or the environment. */
struct options {
	const char *target;        /* never NULL */
	const char *profile;       /* never NULL; names one of several sessions kept for a target */
	const char *token;         /* NULL: the kept session's */
	const char *ca_file;       /* NULL: the system's roots */
	const char *authority;     /* NULL: the target's */
	const char *json;          /* a file with the request, "-": stdin; NULL: flags only */
	const char *password_file; /* holds the request's password, "-": stdin; NULL: asked for */
	int64_t timeout_ms;        /* 0: not said */
	bool tls, output_json, all, verbose, help, version;
};

/* Takes what no flag said from the environment, held against the same rules, or else from the defaults. */
int options_complete(struct options *o, struct error *err) __attribute__((warn_unused_result));

/* True for the name (without "--") of an option; *takes_value says how it is written. */
bool option_find(const char *name, bool *takes_value);

/* Sets it; `value` NULL for one that takes none. FIELD_INVALID names it. */
int option_set(struct options *o, const char *name, const char *value, struct error *err)
	__attribute__((warn_unused_result));

/* Calls `each` for every option, with the shape of its value ("" for none) and a line of help. */
void options_visit(void (*each)(void *arg, const char *name, const char *shape, const char *help), void *arg);

#endif
