/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_LINE_H
#define BASE_LOG_LINE_H

#include <stdarg.h>
#include <stddef.h>

#include "server/base/log.h"

/* One line of the log: beneath log.c and the thread that writes. */

enum {
	LOG_LINE_MAX = 2048
}; /* a longer line is cut, which keeps it one write to a pipe (PIPE_BUF is 4,096) */

/* Makes it, with its newline; returns its length, 0 when lines of this level are not wanted. */
size_t log_line_make(char line[LOG_LINE_MAX], enum log_level level, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
size_t log_line_print(char line[LOG_LINE_MAX], enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes it on the caller's thread. */
void log_line_write(const char *line, size_t len);

#endif
