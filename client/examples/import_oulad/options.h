/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_OPTIONS_H
#define IMPORT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/runtime/error.h"
#include "proto/runtime/money.h"

enum { OPTION_WORKERS_MAX = 256, OPTION_IN_FLIGHT_MAX = 10000 };

/* The command line. Texts belong to argv and the environment. */
struct options {
	const char *dir, *presentation, *subject;
	const char *target, *ca_file, *authority;
	bool tls;
	const char *user, *password_file, *learner_secret_file;
	const char *approver, *approver_password_file; /* both or neither */
	char currency[CURRENCY_MAX];
	int64_t price;               /* minor units */
	unsigned workers, in_flight; /* learners at work at once; reports under way at once */
	bool help, version;
};

int options_read(int argc, char **argv, struct options *ret, struct error *err)
	__attribute__((warn_unused_result));

void options_help(FILE *out);

/* "49.00 EUR": above zero, with no more digits than the currency has. */
int options_price(const char *text, int64_t *ret, char currency[CURRENCY_MAX], struct error *err)
	__attribute__((warn_unused_result));

#endif
