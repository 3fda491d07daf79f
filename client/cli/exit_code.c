/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/exit_code.h"

#include <string.h>

#include "client/client.h"

static const char *const helps[EXIT_CODES] = {
	[EXIT_DONE] = "done",
	[EXIT_USAGE] = "the command line is wrong; nothing was called",
	[EXIT_REQUEST] = "the request is wrong: correct it",
	[EXIT_SIGN_IN] = "not signed in, or no longer: edu login",
	[EXIT_DENIED] = "not allowed to you",
	[EXIT_NOT_FOUND] = "not found, or not visible to you",
	[EXIT_STATE] = "not in this state: it exists already, has changed, or lacks something first",
	[EXIT_LATER] = "not executed: the same may succeed later",
	[EXIT_UNKNOWN] = "no answer: it may have happened; repeat it, with the same request id if any",
	[EXIT_FAULT] = "a fault of the server, or one that this program does not understand",
	[EXIT_OUTPUT] = "called and answered, but the answer could not be written: a full disk, or the like",
	[EXIT_SESSION] = ("the kept session's file cannot be used: make it yours to read and write, or set "
			  "XDG_STATE_HOME to a directory that is"),
};

const struct error_reason CLI_REASON_OUTPUT = {"OUTPUT_NOT_WRITTEN", STATUS_DATA_LOSS};
const struct error_reason CLI_REASON_SESSION = {"SESSION_FILE", STATUS_FAILED_PRECONDITION};

const char *exit_code_help(enum exit_code code)
{
	return helps[code];
}

static bool reason_is(const struct error *err, const struct error_reason *reason)
{
	return err->reason && strcmp(err->reason->name, reason->name) == 0;
}

/* True when the error came without a reason of the server's: it is named like its code. */
static bool reason_is_plain(const struct error *err)
{
	return !err->reason || strcmp(err->reason->name, status_code_name(err->code)) == 0;
}

static enum exit_code exhausted_exit(const struct error *err)
{
	return reason_is(err, &RPC_REASON_MESSAGE_TOO_LARGE) ? EXIT_REQUEST : EXIT_LATER;
}

enum exit_code exit_code_of(const struct error *err)
{
	if (reason_is(err, &CLIENT_REASON_NOT_CONNECTED))
		return EXIT_LATER;
	if (reason_is(err, &CLI_REASON_OUTPUT))
		return EXIT_OUTPUT;
	if (reason_is(err, &CLI_REASON_SESSION))
		return EXIT_SESSION;
	switch (err->code) {
	case STATUS_OK:
		return EXIT_DONE;
	case STATUS_INVALID_ARGUMENT:
	case STATUS_OUT_OF_RANGE:
		return EXIT_REQUEST;
	case STATUS_UNAUTHENTICATED:
		return EXIT_SIGN_IN;
	case STATUS_PERMISSION_DENIED:
		return EXIT_DENIED;
	case STATUS_NOT_FOUND:
		return EXIT_NOT_FOUND;
	case STATUS_ALREADY_EXISTS:
	case STATUS_FAILED_PRECONDITION:
		return EXIT_STATE;
	case STATUS_ABORTED:
		return reason_is(err, &RPC_REASON_CONFLICT) ? EXIT_LATER : EXIT_STATE;
	case STATUS_RESOURCE_EXHAUSTED:
		return exhausted_exit(err);
	case STATUS_UNAVAILABLE:
		return reason_is_plain(err) ? EXIT_UNKNOWN : EXIT_LATER;
	case STATUS_DEADLINE_EXCEEDED:
		return reason_is(err, &RPC_REASON_DEADLINE_PASSED) ? EXIT_LATER : EXIT_UNKNOWN;
	case STATUS_CANCELLED:
		return EXIT_UNKNOWN;
	default:
		return EXIT_FAULT;
	}
}
