/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

static int line_read(FILE *in, const char *what, char out[SECRET_MAX], struct error *err)
{
	if (!fgets(out, SECRET_MAX, in))
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s holds no line", what);
	size_t n = strcspn(out, "\r\n");
	if (out[n] == '\0' && n == SECRET_MAX - 1)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "the first line of %s is too long", what);
	out[n] = '\0';
	return 0;
}

int secret_read_file(const char *path, char out[SECRET_MAX], struct error *err)
{
	if (strcmp(path, "-") == 0)
		return line_read(stdin, "stdin", out, err);
	FILE *in = fopen(path, "re");
	if (!in)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s cannot be read: %s", path,
				   strerror(errno));
	int r = line_read(in, path, out, err);
	fclose(in);
	return r;
}

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
	int r = line_read(tty, "the terminal", out, err);
	tcsetattr(fileno(tty), TCSAFLUSH, &before);
	fputc('\n', tty);
	fclose(tty);
	return r;
}
