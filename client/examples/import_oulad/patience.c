/* SPDX-License-Identifier: Apache-2.0 */
#include "client/examples/import_oulad/patience.h"

#include <string.h>
#include <time.h>

enum { WAIT_MIN_MS = 50, WAIT_MAX_MS = 5000 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool reason_is(const struct error *err, const struct error_reason *reason)
{
	return err->reason && strcmp(err->reason->name, reason->name) == 0;
}

bool patience_curable(int r, const struct error *err)
{
	switch (-r) {
	case STATUS_UNAVAILABLE:
	case STATUS_DEADLINE_EXCEEDED:
	case STATUS_CANCELLED:
		return true;
	case STATUS_RESOURCE_EXHAUSTED:
		return reason_is(err, &RPC_REASON_RATE_LIMITED);
	case STATUS_ABORTED:
		return reason_is(err, &RPC_REASON_CONFLICT);
	default:
		return false;
	}
}

/* What the server asks, and up to as long again as it doubles, so that many who wait do not come back at
 * once. */
static int64_t wait_ms(const struct patience *p, const struct error *err)
{
	int64_t own = (int64_t)WAIT_MIN_MS << (p->tries < 8 ? p->tries : 8);
	struct timespec now;

	if (own > WAIT_MAX_MS)
		own = WAIT_MAX_MS;
	if (err->retry_delay_ms < 0)
		return own;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return err->retry_delay_ms + now.tv_nsec / 1000 % own;
}

bool patience_again(struct patience *p, int r, const struct error *err)
{
	int64_t now = now_ms();

	if (r == 0 || !patience_curable(r, err))
		return false;
	if (p->begin_ms == 0)
		p->begin_ms = now;
	int64_t wait = wait_ms(p, err);
	if (now + wait > p->begin_ms + p->limit_ms)
		return false;
	struct timespec rest = {.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000};
	nanosleep(&rest, NULL);
	p->tries++;
	return true;
}
