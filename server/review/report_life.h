/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REVIEW_REPORT_LIFE_H
#define REVIEW_REPORT_LIFE_H

#include "server/app/change.h"
#include "server/review/report_store.h"

/* The life of a report: one step, which ends it. */

/* The change that resolves it; `arg` is the request. */
struct change report_resolution(struct rpc_call *call, const ResolveReportRequest *req);

/* The report as the contract shows it; `reporter` tells who made it. It lives in the arena. */
Report *report_to_proto(struct arena *arena, const struct content_report *r, bool reporter);

#endif
