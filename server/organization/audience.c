/* SPDX-License-Identifier: Apache-2.0 */
#include "server/organization/audience.h"

#include <string.h>

#include "server/organization/audience_store.h"
#include "server/organization/organization.h"
#include "server/organization/organization_names.h"

static bool is_one_of(const char *kind, const char *const *kinds)
{
	while (*kinds && strcmp(*kinds, kind) != 0)
		kinds++;
	return *kinds;
}

static int no_memory(unsigned n, struct error *err)
{
	return error_internal(err, "no memory for the audiences of %u events", n);
}

/* What memberships began and ended with. */
static int write_spans(struct db_conn *conn, struct arena *arena, const struct event *events, unsigned n,
		       struct error *err)
{
	struct audience_span *spans = arena_array(arena, n, sizeof(*spans));
	unsigned n_spans = 0;
	if (!spans)
		return no_memory(n, err);
	for (unsigned i = 0; i < n; i++) {
		const struct event *e = &events[i];
		const bool left = strcmp(e->kind, EVENT_MEMBER_LEFT) == 0;
		if (!left && strcmp(e->kind, EVENT_MEMBER_JOINED) != 0)
			continue;
		spans[n_spans++] = (struct audience_span){
			.user_id = e->user_id,
			.member_id = e->subject_id,
			.organization_id = e->organization_id,
			.begin_position = e->position,
			.end_position = left ? e->position : 0,
		};
	}
	return audience_store_spans(conn, spans, n_spans, err);
}

static void add_row(struct audience_row *rows, unsigned *n, int64_t audience_id, const struct event *e)
{
	rows[(*n)++] = (struct audience_row){audience_id, e->position, e->event_id};
}

/* What an event tells by itself. */
static int write_rows(struct db_conn *conn, struct arena *arena, const char *const *platform_kinds,
		      const struct event *events, unsigned n, struct error *err)
{
	struct audience_row *rows = arena_array(arena, 2 * (size_t)n, sizeof(*rows));
	unsigned n_rows = 0;
	if (!rows)
		return no_memory(n, err);
	for (unsigned i = 0; i < n; i++) {
		if (events[i].user_id)
			add_row(rows, &n_rows, events[i].user_id, &events[i]);
		if (is_one_of(events[i].kind, platform_kinds))
			add_row(rows, &n_rows, ORGANIZATION_PLATFORM, &events[i]);
	}
	return audience_store_rows(conn, rows, n_rows, err);
}

int audience_write(struct db_conn *conn, const char *const *platform_kinds, const struct event *events,
		   unsigned n, struct error *err)
{
	struct arena arena;
	arena_init(&arena, n * (sizeof(struct audience_span) + 2 * sizeof(struct audience_row)) + 4096);
	int r = write_spans(conn, &arena, events, n, err);
	if (r == 0)
		r = write_rows(conn, &arena, platform_kinds, events, n, err);
	if (r == 0)
		r = audience_store_members(conn, events[0].position, events[n - 1].position, err);
	arena_done(&arena);
	return r;
}
