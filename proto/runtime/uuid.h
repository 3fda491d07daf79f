/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_UUID_H
#define RUNTIME_UUID_H

#include <stdbool.h>
#include <stdint.h>

enum { UUID_TEXT_MAX = 37 /* with the NUL */ };

/* Reads the 36-character form, any case, any version. False for anything else; ret is then undefined. */
bool uuid_parse(const char *text, uint8_t ret[16]) __attribute__((warn_unused_result));

/* The same of a field whose rule (STRING_FORMAT_UUID) has been looked at already. */
void uuid_of(const char *text, uint8_t ret[16]);

/* Writes the lower-case form; returns out. */
char *uuid_format(const uint8_t uuid[16], char out[UUID_TEXT_MAX]);

#endif
