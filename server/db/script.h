/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_SCRIPT_H
#define DB_SCRIPT_H

#include <stdbool.h>

#include "proto/runtime/span.h"

/*
 * Takes the next statement off an SQL text: up to the ';' that ends it, which is none inside quotes or
 * comments. Comments and blanks before it are skipped. False at the end. Compound statements are not for
 * migrations.
 */
bool script_next(struct span *rest, struct span *ret) __attribute__((warn_unused_result));

#endif
