/* SPDX-License-Identifier: Apache-2.0 */
#include "server/duties.h"

#include <stdlib.h>

#include "proto/runtime/array.h"
#include "server/app/due_kinds.h"
#include "server/base/log.h"
#include "server/db/idem.h"
#include "server/db/lease.h"
#include "server/jobs/jobs.h"
#include "server/jobs/retention.h"
#include "server/lesson/content_store.h"
#include "server/lesson/download.h"
#include "server/money/checkpoint.h"
#include "server/money/checkpoint_store.h"
#include "server/progress/progress_store.h"
#include "server/search/misses.h"
#include "server/search/rank.h"
#include "server/user/session_store.h"

/* --- what is dropped when --- */

static const struct {
	struct due_kind kind;
	const struct retention *table;
	size_t keep; /* where the period stands in the config */
} tables[] = {
	{RETENTION_KIND(DUE_RETENTION_IDEMPOTENCY, "idempotency"), &idem_retention,
	 offsetof(struct service_config, keep_replies_us)},
	{RETENTION_KIND(DUE_RETENTION_SESSION, "session"), &session_retention,
	 offsetof(struct service_config, keep_sessions_us)},
	{RETENTION_KIND(DUE_RETENTION_PROGRESS_SESSION, "progress_session"), &progress_session_retention,
	 offsetof(struct service_config, keep_progress_us)},
	{RETENTION_KIND(DUE_RETENTION_EVENT, "event"), &event_retention,
	 offsetof(struct service_config, keep_events_us)},
	{RETENTION_KIND(DUE_RETENTION_LEASE, "lease"), &lease_retention,
	 offsetof(struct service_config, keep_leases_us)},
	{RETENTION_KIND(DUE_RETENTION_SEARCH_MISS, "search_miss"), &miss_retention,
	 offsetof(struct service_config, keep_misses_us)},
	{RETENTION_KIND(DUE_RETENTION_CONTENT, "content"), &content_retention,
	 offsetof(struct service_config, keep_uploads_us)},
	{RETENTION_KIND(DUE_RETENTION_DOWNLOAD, "download"), &download_retention,
	 offsetof(struct service_config, keep_downloads_us)},
};

/* --- what areas do at a time; each is given the app --- */

static const struct due_kind *const kinds[] = {
	&checkpoint_due,
	&rank_due,
	&rank_some_due,
	NULL,
};

/* Every statement that one of them may run. */
static const struct db_stmt_list *const stmts[] = {
	&due_stmts,        &idem_stmts, &session_stmts, &event_stmts,   &lease_stmts,    &progress_stmts,
	&checkpoint_stmts, &miss_stmts, &rank_stmts,    &content_stmts, &download_stmts, NULL,
};

/* --- all of it --- */

enum { N_TABLES = ARRAY_SIZE(tables), N_KINDS = ARRAY_SIZE(kinds) - 1 };

struct duties {
	struct retention_job retention[N_TABLES];
	struct job list[N_TABLES + N_KINDS];
	struct jobs *jobs;
};

static void measure(struct db_conn *conn, void *arg)
{
	struct duties *d = arg;
	struct error err;
	for (unsigned i = 0; i < N_TABLES; i++)
		if (retention_measure(&d->retention[i], conn, &err) < 0)
			log_warning("cannot measure %s: %s", tables[i].kind.name, err.message);
}

static void list_duties(struct duties *d, const struct service_config *config, struct app *app)
{
	for (unsigned i = 0; i < N_TABLES; i++) {
		d->retention[i] = (struct retention_job){
			.kind = &tables[i].kind,
			.table = tables[i].table,
			.keep_us = *(const int64_t *)((const char *)config + tables[i].keep),
		};
		retention_init(&d->retention[i]);
		d->list[i] = (struct job){&tables[i].kind, &d->retention[i]};
	}
	for (unsigned i = 0; kinds[i]; i++)
		d->list[N_TABLES + i] = (struct job){kinds[i], app};
}

int duties_start(const struct service_config *config, const struct db_config *db, struct app *app,
		 struct duties **ret, struct error *err)
{
	struct duties *d = calloc(1, sizeof(*d));
	if (!d)
		return error_internal(err, "out of memory for what is done in the background");
	list_duties(d, config, app);
	const struct jobs_config jobs = {
		.db = db,
		.stmts = stmts,
		.jobs = d->list,
		.n_jobs = N_TABLES + N_KINDS,
		.threads = config->job_workers,
		.measure = measure,
		.arg = d,
	};
	int r = jobs_start(&jobs, &d->jobs, err);
	if (r < 0) {
		free(d);
		return r;
	}
	*ret = d;
	return 0;
}

void duties_end(struct duties *d)
{
	if (d)
		jobs_end(d->jobs);
}

void duties_stop(struct duties *d)
{
	if (!d)
		return;
	jobs_stop(d->jobs);
	free(d);
}
