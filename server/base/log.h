/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>

/*
 * One line per event on standard error: time, level, message, then key=value fields. Thread-safe; a line is
 * written with one write(2). Secrets (passwords, tokens, keys) are never passed to it.
 */
enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

void log_set_level(enum log_level level);
/* "debug", "info", "warning", "error"; -1 for anything else. */
int log_level_parse(const char *name);

/*
 * From here on a thread writes the lines, so that nobody who logs waits for who reads standard error. What it
 * cannot write in time is dropped and counted: the log says how many lines, once it can, and so does the
 * metric edu_log_lines_lost_total. 0 or a negative errno. Once, at the start of a server.
 */
int log_writer_start(void) __attribute__((warn_unused_result));

/* Waits until what was logged is written, but no longer than that: before the process ends. */
void log_flush(int ms);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Text that others chose, as one quoted value: it can end neither its value nor its line, nor look like a
 * field, for those who read by fields and for those who look for "level=error". What is no visible ASCII
 * character, and quotes, backslashes and equal signs, become \xNN. What does not fit is cut.
 */
struct log_text {
	char quoted[1024];
};
const char *log_quote(struct log_text *out, const char *text);

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
