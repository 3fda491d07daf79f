/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include "proto/runtime/error.h"

enum { SECRET_MAX = 1024 };

/* The first line of a file, "-" being stdin, without its end. */
int secret_read_file(const char *path, char out[SECRET_MAX], struct error *err)
	__attribute__((warn_unused_result));

/* Asks on the terminal, without echo. Fails when there is none. */
int secret_ask(const char *prompt, char out[SECRET_MAX], struct error *err)
	__attribute__((warn_unused_result));

#endif
