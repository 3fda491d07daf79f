/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EXIT_CODE_H
#define CLI_EXIT_CODE_H

#include "proto/runtime/error.h"

/* How the program ends: what a script may do about it. Part of the interface: numbers never change. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_USAGE = 1,
	EXIT_REQUEST = 2,
	EXIT_SIGN_IN = 3,
	EXIT_DENIED = 4,
	EXIT_NOT_FOUND = 5,
	EXIT_STATE = 6,
	EXIT_LATER = 7,
	EXIT_UNKNOWN = 8,
	EXIT_FAULT = 9,
	EXIT_OUTPUT = 10,
	EXIT_SESSION = 11,
	EXIT_CODES,
};

/* The answer could not be written to where it was to be printed. */
extern const struct error_reason CLI_REASON_OUTPUT;

/* The file of the kept session cannot be read, written, locked or removed. */
extern const struct error_reason CLI_REASON_SESSION;

/* One line each, for help. */
const char *exit_code_help(enum exit_code code);

/* The class a failed call belongs to. */
enum exit_code exit_code_of(const struct error *err);

#endif
