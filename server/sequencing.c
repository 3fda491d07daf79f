/* SPDX-License-Identifier: Apache-2.0 */
#include "server/sequencing.h"

#include <stdlib.h>

#include "server/db/sequencer.h"
#include "server/money/money_names.h"
#include "server/organization/audience.h"
#include "server/progress/progress_day_store.h"
#include "server/progress/progress_marks.h"
#include "server/purchase/purchase_names.h"
#include "server/review/review_names.h"

struct sequencing {
	struct app *app;
	int64_t record_us;
	struct sequencer *sequencer;
};

static const char *const platform_kinds[] = {MONEY_PLATFORM_EVENTS(NAME_OF) PURCHASE_PLATFORM_EVENTS(NAME_OF)
						     REVIEW_PLATFORM_EVENTS(NAME_OF) NULL};

static int on_placed(void *arg, struct db_conn *conn, const struct event *events, unsigned n,
		     struct error *err)
{
	return audience_write(conn, platform_kinds, events, n, err);
}

/* Who makes no ids, because his clock is off, could make no events of marks, and would keep others from
 * it. */
static bool fit_to_lead(void *arg)
{
	const struct sequencing *s = arg;
	const char *why;
	return node_lease_ready(s->app->node, &why);
}

/* The clock of the marks, since both are the servers': a difference only delays. */
static int on_turn(void *arg, struct db_conn *conn, struct error *err)
{
	const struct sequencing *s = arg;
	return progress_marks_turn(s->app, conn, clock_now_us(s->app->clock) - s->record_us, err);
}

static const struct db_stmt_list *const stmts[] = {&audience_stmts, &progress_day_stmts, &event_stmts, NULL};

int sequencing_start(const struct service_config *config, const struct db_config *db, struct app *app,
		     struct sequencing **ret, struct error *err)
{
	struct sequencing *s = calloc(1, sizeof(*s));
	if (!s)
		return error_internal(err, "out of memory for the sequencer");
	*s = (struct sequencing){.app = app, .record_us = config->record_us};
	const struct sequencer_config sequencer = {
		.db = db,
		.poll_ms = config->feed_poll_ms,
		.stmts = stmts,
		.fit = fit_to_lead,
		.turn = on_turn,
		.placed = on_placed,
		.arg = s,
	};
	int r = sequencer_start(&sequencer, &s->sequencer, err);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void sequencing_stop(struct sequencing *s)
{
	if (!s)
		return;
	sequencer_stop(s->sequencer);
	free(s);
}
