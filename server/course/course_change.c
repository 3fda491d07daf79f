/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_change.h"

#include <assert.h>
#include <stdio.h>

#include "server/app/app.h"
#include "server/course/course_cache.h"
#include "server/course/course_proto.h"
#include "server/course/course_rules.h"
#include "server/user/user.h"

static int append_event(struct db_conn *conn, struct rpc_call *call, const struct event *e, struct error *err)
{
	struct event full = *e;
	full.user_id = rpc_principal(call)->user_id;
	full.create_us = app_now_us(call);
	return event_append(conn, &full, err);
}

int course_append_event(struct db_conn *conn, struct rpc_call *call, const char *kind, int64_t event_id,
			int64_t course_id, struct error *err)
{
	const struct event e = {
		.event_id = event_id, .kind = kind, .subject_id = course_id, .course_id = course_id};
	return append_event(conn, call, &e, err);
}

int course_check_qualified(struct db_conn *conn, struct arena *arena, const struct course *c,
			   struct error *err)
{
	static_assert(COURSE_INSTRUCTORS_MAX_ITEMS <= USER_ROLES_READ_MAX,
		      "who teaches is asked for at once");
	int64_t ids[COURSE_INSTRUCTORS_MAX_ITEMS];
	uint32_t roles[COURSE_INSTRUCTORS_MAX_ITEMS];
	bool raised = false;

	for (unsigned i = 0; i < c->n_instructors; i++)
		ids[i] = c->instructors[i].user_id;
	int r = user_roles_read(conn, arena, ids, c->n_instructors, roles, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < c->n_instructors; i++) {
		char field[64];
		if (roles[i] & ROLE_MASK_INSTRUCTOR)
			continue;
		if (!raised) {
			error_raise(err, &REASON_INSTRUCTOR_NOT_QUALIFIED,
				    "An instructor is no active user with the role INSTRUCTOR; have it given "
				    "first.");
			err->violation_kind = ERROR_VIOLATION_PRECONDITION;
			raised = true;
		}
		snprintf(field, sizeof(field), "instructors[%u]", i);
		error_add_violation(err, field, "is no active user with the role INSTRUCTOR");
	}
	return raised ? -err->code : 0;
}

int course_change_begin(struct course_change *change, struct error *err)
{
	if (!change->subject_id)
		change->subject_id = change->course_id;
	return app_new_ids(change->call, APP_IDS(&change->event_id), err);
}

int course_change_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct course_change *change = arg;
	struct arena *arena = rpc_arena(change->call);
	struct course c;
	int64_t now_us = app_now_us(change->call);

	change->conn = conn;
	int r = course_store_lock(conn, arena, change->course_id, &c, err);
	if (r >= 0)
		r = course_check_teacher(&c, rpc_principal(change->call), err);
	if (r >= 0)
		r = course_check_etag(&c, change->etag, err);
	if (r >= 0)
		r = change->apply(change, &c, err);
	if (r < 0)
		return r;
	c.version++;
	c.update_us = now_us;
	r = course_store_update(conn, arena, &c, err);
	if (r < 0)
		return r;
	const struct event e = {.event_id = change->event_id,
				.kind = change->event_kind,
				.subject_id = change->subject_id,
				.course_id = change->course_id};
	r = append_event(conn, change->call, &e, err);
	if (r < 0)
		return r;
	if (change->ret)
		*change->ret = course_to_proto(arena, &c);
	return arena_check(arena, err);
}

/* When the commit's answer was lost, it may have happened. */
void course_change_settle(struct course_change *change, int r, const struct error *err)
{
	if (r >= 0 || err->reason == &RPC_REASON_OUTCOME_UNKNOWN)
		course_cache_forget(app_of(change->call)->courses, change->course_id);
}

int course_change_run(struct course_change *change, struct error *err)
{
	int r = course_change_begin(change, err);
	if (r < 0)
		return r;
	r = db_transaction(db_of(change->call), false, course_change_body, change, err);
	course_change_settle(change, r, err);
	return r;
}
