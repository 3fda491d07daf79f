/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_MESSAGES_H
#define IMPORT_MESSAGES_H

#include <stdio.h>

#include "client/examples/import_oulad/import.h"

/* What a person is told. */

/* What was read, and what of it belongs to nothing. */
void message_data(const struct oulad *o, FILE *out);

/* Which course, and the tally. */
void message_summary(const struct import *im, double seconds, FILE *out);

/* What failed, to what, and what to do. */
void message_failure(const struct error *err, FILE *out);

#endif
