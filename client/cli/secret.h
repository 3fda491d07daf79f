/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include "proto/runtime/secret.h"

/* Asks on the terminal, without echo. Fails when there is none. */
int secret_ask(const char *prompt, char out[SECRET_MAX], struct error *err)
	__attribute__((warn_unused_result));

#endif
