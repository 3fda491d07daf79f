/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_PATIENCE_H
#define IMPORT_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/error.h"

/*
 * Repeats calls that a later try may cure: the server is full or away, the caller is too fast, or the answer
 * did not come. It waits as long as the server asks, otherwise longer each time. Every call of the import may
 * be repeated: it reads, or it merges, or it carries a request_id, or what it makes is found by the next try.
 *
 *	struct patience p = PATIENCE;
 *	do {
 *		r = edu_service_..._call(...);
 *	} while (patience_again(&p, r, err));
 */
struct patience {
	int64_t limit_ms; /* from the first failure on */
	int64_t begin_ms; /* of the first failure; 0 before */
	unsigned tries;
};

#define PATIENCE ((struct patience){.limit_ms = 120 * 1000})

/* True when the call is to be made again; then it has waited. */
bool patience_again(struct patience *p, int r, const struct error *err);

/* True for a failure that another try may cure. */
bool patience_curable(int r, const struct error *err);

#endif
