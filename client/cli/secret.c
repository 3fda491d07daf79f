/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/secret.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>

/* Without echo only while the line is read. */
int secret_ask(const char *prompt, char out[SECRET_MAX], struct error *err)
{
	FILE *tty = fopen("/dev/tty", "r+e");
	struct termios before, silent;

	if (!tty || tcgetattr(fileno(tty), &before) != 0) {
		if (tty)
			fclose(tty);
		return error_raise(err, &RPC_REASON_FIELD_INVALID,
				   "there is no terminal to ask for the %s: use --password-file", prompt);
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(tty, "%s: ", prompt);
	fflush(tty);
	tcsetattr(fileno(tty), TCSAFLUSH, &silent);
	int r = secret_read_line(tty, "the terminal", out, err);
	tcsetattr(fileno(tty), TCSAFLUSH, &before);
	fputc('\n', tty);
	fclose(tty);
	return r;
}
