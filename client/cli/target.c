/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/target.h"

#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"

static bool is_port(const char *text)
{
	size_t n = strspn(text, "0123456789");
	long port = n > 0 && n <= 5 && text[n] == '\0' ? strtol(text, NULL, 10) : 0;

	return port >= 1 && port <= 65535;
}

static bool is_host_port(const char *text)
{
	size_t n = *text == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":");
	bool host = *text == '[' ? n > 2 && strchr(text, ']') : n > 0;

	return host && !memchr(text, '/', n) && text[n] == ':' && is_port(text + n + 1);
}

/* Source: gRPC's name syntax, doc/naming.md. */
bool target_is(const char *text)
{
	static const char *const schemes[] = {"dns:", "ipv4:", "ipv6:"};

	if (strncmp(text, "unix:", 5) == 0)
		return text[5] != '\0';
	if (strncmp(text, "unix-abstract:", 14) == 0)
		return text[14] != '\0';
	if (strncmp(text, "dns://", 6) == 0) {
		const char *slash = strchr(text + 6, '/');
		return slash && is_host_port(slash + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]);
		if (strncmp(text, schemes[i], n) == 0 && !is_port(text + n))
			return is_host_port(text + n);
	}
	return is_host_port(text);
}
