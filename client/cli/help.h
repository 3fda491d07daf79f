/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "client/cli/docs.h"
#include "client/cli/invocation.h"

/* Help, all of it from the contract: its comments, policies and rules. */
void help_overview(FILE *out, const struct service_desc *service, const struct docs *docs);
void help_own(FILE *out, const struct own_command *own);
void help_method(FILE *out, const struct method_desc *method, const struct docs *docs);

#endif
