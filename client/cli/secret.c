/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/secret.h"

#include <bsd/readpassphrase.h>
#include <string.h>

/* readpassphrase() turns the echo on again before a signal ends or stops the program. */
int secret_ask(const char *prompt, char out[SECRET_MAX], struct error *err)
{
	char shown[64], line[SECRET_MAX + 1]; /* a byte more than fits tells what is too long */
	int r = 0;

	snprintf(shown, sizeof(shown), "%s: ", prompt);
	if (!readpassphrase(shown, line, sizeof(line), RPP_REQUIRE_TTY))
		return error_raise(err, &RPC_REASON_FIELD_INVALID,
				   "there is no terminal to ask for the %s: use --password-file", prompt);
	if (!*line)
		r = error_raise(err, &RPC_REASON_FIELD_INVALID, "no %s was typed", prompt);
	else if (strlen(line) == SECRET_MAX)
		r = error_raise(err, &RPC_REASON_FIELD_INVALID, "the %s is too long", prompt);
	else
		memcpy(out, line, strlen(line) + 1);
	explicit_bzero(line, sizeof(line));
	return r;
}

int secret_ask_new(const char *prompt, char out[SECRET_MAX], struct error *err)
{
	char again[SECRET_MAX], shown[48];
	int r = secret_ask(prompt, out, err);

	snprintf(shown, sizeof(shown), "%s again", prompt);
	if (r == 0)
		r = secret_ask(shown, again, err);
	if (r == 0 && strcmp(out, again) != 0)
		r = error_raise(err, &RPC_REASON_FIELD_INVALID, "the two %ss differ: nothing was done",
				prompt);
	explicit_bzero(again, sizeof(again));
	return r;
}
