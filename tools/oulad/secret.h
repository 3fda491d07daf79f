/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_SECRET_H
#define IMPORT_SECRET_H

#include "proto/runtime/error.h"

enum { SECRET_MAX = 1024 };

/* The first line of a file, "-" being standard input, without its end. */
int secret_read(const char *path, char out[SECRET_MAX], struct error *err)
	__attribute__((warn_unused_result));

#endif
