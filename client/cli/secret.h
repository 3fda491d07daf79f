/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include "proto/runtime/secret.h"

/* Asks on the terminal, without echo. Fails when there is none, or when nothing is typed. */
int secret_ask(const char *prompt, char out[SECRET_MAX], struct error *err)
	__attribute__((warn_unused_result));

/* Asks for one that is not known yet, twice: nobody sees what he types. */
int secret_ask_new(const char *prompt, char out[SECRET_MAX], struct error *err)
	__attribute__((warn_unused_result));

#endif
