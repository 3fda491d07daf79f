/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/refusal.h"

/* When this server drains, another is there. */
enum { OVERLOADED_RETRY_MS = 250, DRAINING_RETRY_MS = 100 };

int refuse_busy(struct error *err)
{
	(void)!error_raise(err, &RPC_REASON_OVERLOADED,
			   "The server is busy. Nothing was done; wait and repeat.");
	return error_set_retry(err, OVERLOADED_RETRY_MS);
}

int refuse_crowded(struct error *err)
{
	(void)!error_raise(err, &RPC_REASON_OVERLOADED,
			   "The server has too many calls under way. Nothing was done; wait and repeat.");
	return error_set_retry(err, OVERLOADED_RETRY_MS);
}

int refuse_starved(struct error *err)
{
	(void)!error_raise(err, &RPC_REASON_OVERLOADED,
			   "The server has no memory left for the call. Nothing was done; wait and repeat.");
	return error_set_retry(err, OVERLOADED_RETRY_MS);
}

int refuse_draining(struct error *err)
{
	(void)!error_raise(err, &RPC_REASON_DRAINING,
			   "The server is stopping. Nothing was done; repeat the call elsewhere.");
	return error_set_retry(err, DRAINING_RETRY_MS);
}
