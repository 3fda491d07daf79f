/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/secret.h"

#include <errno.h>
#include <string.h>

int secret_read_line(FILE *in, const char *what, char out[SECRET_MAX], struct error *err)
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
		return secret_read_line(stdin, "standard input", out, err);
	FILE *in = fopen(path, "re");
	if (!in)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s cannot be read: %s", path,
				   strerror(errno));
	int r = secret_read_line(in, path, out, err);
	fclose(in);
	return r;
}
