/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <ctype.h>
#include <string.h>

#include "memory.h"
#include "proto/runtime/array.h"

enum letters { LETTERS_CAMEL, LETTERS_LOWER, LETTERS_UPPER };

static char *put_camel(char *out, const char *piece, size_t len)
{
	bool start = true;

	for (size_t i = 0; i < len; i++) {
		if (piece[i] == '_') {
			start = true;
			continue;
		}
		*out++ = start ? (char)toupper((unsigned char)piece[i]) : piece[i];
		start = false;
	}
	return out;
}

/* protobuf-c puts an underscore before a capital that follows anything but a capital, and not at the start.
 */
static char *put_snake(char *out, const char *piece, size_t len, bool upper)
{
	bool was_capital = true;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)piece[i];
		bool capital = isupper(c);

		if (capital && !was_capital)
			*out++ = '_';
		*out++ = (char)(upper ? toupper(c) : tolower(c));
		was_capital = capital;
	}
	return out;
}

static char *convert(struct arena *a, const char *name, enum letters letters, const char *separator)
{
	char *result = gen_alloc(a, 3 * strlen(name) + 1), *out = result;

	while (*name) {
		size_t len = strcspn(name, ".");

		for (const char *s = separator; out != result && *s; s++)
			*out++ = *s;
		if (letters == LETTERS_CAMEL)
			out = put_camel(out, name, len);
		else
			out = put_snake(out, name, len, letters == LETTERS_UPPER);
		name += len;
		name += *name == '.';
	}
	*out = '\0';
	return result;
}

char *name_c_type(struct arena *a, const char *full_name)
{
	return convert(a, full_name, LETTERS_CAMEL, "__");
}

char *name_c_lower(struct arena *a, const char *full_name)
{
	return convert(a, full_name, LETTERS_LOWER, "__");
}

char *name_c_upper(struct arena *a, const char *full_name)
{
	return convert(a, full_name, LETTERS_UPPER, "__");
}

char *name_flat_lower(struct arena *a, const char *full_name)
{
	return convert(a, full_name, LETTERS_LOWER, "_");
}

char *name_flat_upper(struct arena *a, const char *full_name)
{
	return convert(a, full_name, LETTERS_UPPER, "_");
}

char *name_short_type(struct arena *a, const char *name)
{
	return convert(a, name, LETTERS_CAMEL, "_");
}

bool name_is_taken(const char *name)
{
	static const char *const words[] = {
		"BUFSIZ",   "DIR",      "DOMAIN",  "EOF",      "ERANGE", "EDOM",   "FALSE",    "FILE",
		"HUGE_VAL", "INFINITY", "NAN",     "NULL",     "PI",     "TRUE",   "_Bool",    "assert",
		"auto",     "bool",     "break",   "case",     "char",   "const",  "do",       "double",
		"else",     "enum",     "errno",   "extern",   "false",  "float",  "for",      "goto",
		"if",       "inline",   "int",     "linux",    "long",   "main",   "register", "restrict",
		"return",   "short",    "signed",  "sizeof",   "static", "stderr", "stdin",    "stdout",
		"struct",   "switch",   "true",    "typedef",  "union",  "unix",   "unsigned", "void",
		"volatile", "while",    "default", "continue",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i], name) == 0)
			return true;
	}
	return false;
}

bool name_may_be_macro(const char *name)
{
	return isupper((unsigned char)name[0]) && strchr(name, '_') && !name_is_taken(name);
}

char *name_stem(struct arena *a, const char *path)
{
	size_t len = strlen(path);

	if (len > 6 && strcmp(path + len - 6, ".proto") == 0)
		len -= 6;
	return gen_strndup(a, path, len);
}
