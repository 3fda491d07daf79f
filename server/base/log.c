/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "server/base/log_line.h"
#include "server/base/log_writer.h"

static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

const char *log_quote(struct log_text *out, const char *text)
{
	char *at = out->quoted, *end = out->quoted + sizeof(out->quoted) - sizeof("\\xNN\"");

	*at++ = '"';
	for (; *text && at < end; text++) {
		const unsigned char c = (unsigned char)*text;

		if (plain(c))
			*at++ = (char)c;
		else
			at += snprintf(at, sizeof("\\xNN"), "\\x%02x", c);
	}
	*at++ = '"';
	*at = '\0';
	return out->quoted;
}

void log_write(enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	int saved_errno = errno;
	va_list args;

	va_start(args, format);
	size_t len = log_line_make(line, level, format, args);
	va_end(args);
	if (len > 0 && !log_writer_take(line, len))
		log_line_write(line, len);
	errno = saved_errno;
}
