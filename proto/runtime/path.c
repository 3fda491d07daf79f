/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/path.h"

#include <string.h>

/* Paths are built for every field that is checked and shown for hardly any, so no printf() here. */
static void path_append(struct path *path, const char *text, size_t len)
{
	size_t room = sizeof(path->text) - 1 - path->len;

	if (len > room)
		len = room;
	memcpy(path->text + path->len, text, len);
	path_cut(path, path->len + len);
}

void path_push(struct path *path, const char *name)
{
	if (path->len > 0)
		path_append(path, ".", 1);
	path_append(path, name, strlen(name));
}

void path_push_index(struct path *path, size_t index)
{
	char text[24], *p = text + sizeof(text);

	*--p = ']';
	do
		*--p = (char)('0' + index % 10);
	while (index /= 10);
	*--p = '[';
	path_append(path, p, (size_t)(text + sizeof(text) - p));
}

void path_push_key(struct path *path, const char *key)
{
	path_append(path, "[\"", 2);
	path_append(path, key, strlen(key));
	path_append(path, "\"]", 2);
}

void path_cut(struct path *path, size_t len)
{
	path->len = len;
	path->text[len] = '\0';
}
