/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/log_line.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/runtime/array.h"

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

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	size_t len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	int more =
		snprintf(line + len, size - len, ".%06ldZ level=%s ", ts.tv_nsec / 1000, level_names[level]);
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

size_t log_line_make(char line[LOG_LINE_MAX], enum log_level level, const char *format, va_list args)
{
	if ((int)level < atomic_load_explicit(&threshold, memory_order_relaxed))
		return 0;
	size_t len = line_begin(line, LOG_LINE_MAX, level);
	size_t room = LOG_LINE_MAX - len - 1; /* one byte for the newline */
	int wrote = vsnprintf(line + len, room, format, args);
	if (wrote < 0)
		wrote = 0;
	if ((size_t)wrote >= room)
		wrote = (int)room - 1;
	line_defuse(line + len, (size_t)wrote);
	len += (size_t)wrote;
	line[len++] = '\n';
	return len;
}

size_t log_line_print(char line[LOG_LINE_MAX], enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	size_t len = log_line_make(line, level, format, args);
	va_end(args);
	return len;
}

void log_line_write(const char *line, size_t len)
{
	/* Nobody is left to tell when standard error is gone. */
	while (write(STDERR_FILENO, line, len) < 0 && errno == EINTR)
		;
}
