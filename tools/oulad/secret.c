/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/oulad/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int line_read(FILE *in, const char *path, char out[SECRET_MAX], struct error *err)
{
	if (!fgets(out, SECRET_MAX, in))
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s holds no line", path);
	size_t n = strcspn(out, "\r\n");
	if (out[n] == '\0' && n == SECRET_MAX - 1)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "the first line of %s is too long", path);
	out[n] = '\0';
	return 0;
}

int secret_read(const char *path, char out[SECRET_MAX], struct error *err)
{
	if (strcmp(path, "-") == 0)
		return line_read(stdin, "standard input", out, err);
	FILE *in = fopen(path, "re");
	if (!in)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s cannot be opened: %s", path,
				   strerror(errno));
	int r = line_read(in, path, out, err);
	fclose(in);
	return r;
}
