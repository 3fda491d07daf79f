/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_WRITER_H
#define BASE_LOG_WRITER_H

#include <stdbool.h>
#include <stddef.h>

/* Between log.c and the thread that writes; see log_writer_start() in log.h. */

/* Has the line written by the thread, or drops and counts it. False when there is no thread. Never blocks. */
bool log_writer_take(const char *line, size_t len);

#endif
