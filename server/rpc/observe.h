/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_OBSERVE_H
#define RPC_OBSERVE_H

#include <stdint.h>

#include "server/base/metrics.h"

enum { OBSERVE_CODES = 17 };

/* What is counted of one method. */
struct observe {
	struct metric *latency;
	struct metric *answers[OBSERVE_CODES]; /* by status code */
};

/* `service` and `method` may be any text that lives during the call of this function. */
void observe_init(struct observe *o, const char *service, const char *method);

/* One call was answered. */
void observe_answer(const struct observe *o, int code, int64_t latency_us);

/* A gauge of the room; label may be NULL. */
struct metric *observe_gauge(const char *name, const char *help, const char *label, const char *value);

#endif
