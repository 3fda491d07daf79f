/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/runtime/array.h"
#include "server/base/log_writer.h"

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static _Atomic int threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

int log_level_parse(const char *name)
{
	for (int i = 0; i < (int)ARRAY_SIZE(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0)
			return i;
	}
	return -1;
}

/* "2026-01-31T12:00:00.123456Z level=info " */
static size_t line_begin(char *line, size_t size, enum log_level level)
{
	struct timespec ts;
	struct tm tm;
	size_t len;
	int more;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	more = snprintf(line + len, size - len, ".%06ldZ level=%s ", ts.tv_nsec / 1000, level_names[level]);
	return len + (size_t)more;
}

/* What callers sent may be in a message: it must not be able to forge a line or steer a terminal. */
static void line_defuse(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
	}
}

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
	size_t len, room;
	va_list args;
	int wrote;

	if ((int)level < atomic_load_explicit(&threshold, memory_order_relaxed))
		return;
	len = line_begin(line, sizeof(line), level);
	room = sizeof(line) - len - 1; /* one byte for the newline */
	va_start(args, format);
	wrote = vsnprintf(line + len, room, format, args);
	va_end(args);
	if (wrote < 0)
		wrote = 0;
	if ((size_t)wrote >= room)
		wrote = (int)room - 1;
	line_defuse(line + len, (size_t)wrote);
	len += (size_t)wrote;
	line[len++] = '\n';
	if (!log_writer_take(line, len))
		log_line_write(line, len);
	errno = saved_errno;
}
