/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/path.h"

#include <stdarg.h>
#include <stdio.h>

static void __attribute__((format(printf, 2, 3))) path_append(struct path *path, const char *format, ...)
{
	size_t room = sizeof(path->text) - path->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(path->text + path->len, room, format, args);
	va_end(args);
	if (n > 0)
		path->len += (size_t)n < room ? (size_t)n : room - 1;
}

void path_push(struct path *path, const char *name)
{
	path_append(path, "%s%s", path->len ? "." : "", name);
}

void path_push_index(struct path *path, size_t index)
{
	path_append(path, "[%zu]", index);
}

void path_push_key(struct path *path, const char *key)
{
	path_append(path, "[\"%s\"]", key);
}

void path_cut(struct path *path, size_t len)
{
	path->len = len;
	path->text[len] = '\0';
}
