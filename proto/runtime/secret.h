/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_SECRET_H
#define RUNTIME_SECRET_H

#include <stdio.h>

#include "proto/runtime/error.h"

enum { SECRET_MAX = 1024 /* with the NUL */ };

/* One line without its end; never a part of one. `what` names the source in errors. FIELD_INVALID. */
int secret_read_line(FILE *in, const char *what, char out[SECRET_MAX], struct error *err)
	__attribute__((warn_unused_result));

/* The first line of a file, "-" being standard input. */
int secret_read_file(const char *path, char out[SECRET_MAX], struct error *err)
	__attribute__((warn_unused_result));

#endif
