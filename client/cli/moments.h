/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MOMENTS_H
#define CLI_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>

/* Times as people type them. */

/* "30m", "1h30m", "1.5s", "500ms", "-2d"; a bare number is seconds. Nanoseconds, up to 292 years. */
bool moment_parse_span(const char *text, int64_t *ret_ns);

/*
 * "now", a span from now with its sign ("-30m", "+1h"), a day, which begins at midnight UTC ("2026-11-26"),
 * or what looks like RFC 3339, as RFC 3339. False for anything else.
 */
enum { MOMENT_SIZE = 64 };
bool moment_parse(const char *text, char out[MOMENT_SIZE]);

#endif
