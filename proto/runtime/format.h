/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_FORMAT_H
#define RUNTIME_FORMAT_H

#include <stdbool.h>

#include "proto/runtime/service.h"

/* The forms a string field may be asked to have. */

/* True when it is text for people, which is compared and kept in Unicode's normalization form C. */
bool format_is_text(enum string_format format);

/* True when the string has the form; every string is STRING_ANY. */
bool format_check(enum string_format format, const char *s);

/* What to tell whoever sent a string without the form: "must be ...". Not for STRING_ANY. */
const char *format_must(enum string_format format);

/*
 * Gives a language tag that has the form the case of RFC 5646, section 2.1.1, in place: "zh-Hant-TW" for
 * "ZH-hant-tw". One language then has one text, and a filter finds it.
 */
void format_language(char *tag);

#endif
