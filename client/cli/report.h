/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "client/cli/docs.h"
#include "client/cli/exit_code.h"

/*
 * Says on `out` (stderr) what failed, why, which fields broke their rules, when to try again and what to do,
 * the last in the contract's own words. `command` and `request_id` may be NULL; `docs` too. As JSON on one
 * line when `json`. Controls are taken out: what a server says must not drive a terminal.
 */
void report_error(FILE *out, const char *command, const struct error *err, const struct docs *docs,
		  const char *request_id, bool json);

/* A wrong command line, or what it asks for and this machine lacks: a line a fault, since nothing was called.
 */
void report_usage(FILE *out, const char *command, const struct error *err);

#endif
