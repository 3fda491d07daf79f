/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/change.h"

#include <string.h>

#include "edu/v1/error.tables.h"
#include "server/db/audit.h"

static int64_t *number_at(void *object, size_t offset)
{
	return (int64_t *)((char *)object + offset);
}

static int64_t version_of(const struct change *change, const void *object)
{
	return *(const int64_t *)((const char *)object + change->kind->version);
}

static int *state_of(const struct change *change, void *object)
{
	return (int *)((char *)object + change->kind->state);
}

static int check_etag(const struct change *change, void *object, struct error *err)
{
	if (!*change->etag)
		return 0;
	const char *current = app_etag(change->arena, version_of(change, object));
	if (!current)
		return arena_full(err);
	if (strcmp(change->etag, current) == 0)
		return 0;
	return error_raise(err, &REASON_ETAG_MISMATCH, "It has changed since it was read; read it again.");
}

static int check_state(const struct change *change, void *object, struct error *err)
{
	int state = *state_of(change, object);
	if (!change->step->to || change->step->to[state])
		return 0;
	error_raise(err, change->kind->state_reason, "The state it is in does not allow this.");
	return error_add_metadata(err, "state", "%s", change->kind->state_name(state));
}

static int apply(struct change *change, void *object, struct error *err)
{
	const struct transition *step = change->step;
	int r = step->may ? step->may(change, object, err) : 0;
	if (r >= 0)
		r = check_etag(change, object, err);
	if (r >= 0)
		r = check_state(change, object, err);
	if (r >= 0 && step->apply)
		r = step->apply(change, object, err);
	if (r < 0)
		return r;
	if (step->to)
		*state_of(change, object) = step->to[*state_of(change, object)];
	++*number_at(object, change->kind->version);
	*number_at(object, change->kind->update_us) = change->now_us;
	return 0;
}

/* The event, and the audit row. */
static int record(const struct change *change, const void *object, struct error *err)
{
	struct event event = {
		.event_id = change->event_id,
		.kind = change->step->event,
		.subject_id = change->subject_id,
		.version = version_of(change, object),
		.create_us = change->now_us,
	};
	const struct audit audit = {
		.audit_id = change->audit_id,
		.actor_id = change->who->user_id,
		.action = change->step->audit,
		.subject_id = change->id,
		.reason = change->reason,
		.detail = change->detail,
		.create_us = change->now_us,
	};
	const bool own = change->step->own_unaudited && audit.subject_id == audit.actor_id;
	change->kind->concerns(change, object, &event);
	int r = event_append(change->conn, &event, err);
	return r >= 0 && audit.action && !own ? audit_append(change->conn, &audit, err) : r;
}

static int body(struct db_conn *conn, void *arg, struct error *err)
{
	struct change *change = arg;
	const struct change_kind *kind = change->kind;
	void *object = arena_alloc(change->arena, kind->size);
	change->conn = conn;
	if (!object)
		return arena_full(err);
	int r = change->step->prepare ? change->step->prepare(change, err) : 0;
	if (r >= 0)
		r = kind->lock(conn, change->arena, change->id, object, err);
	change->now_us = app_now_us(change->call);
	if (r >= 0)
		r = apply(change, object, err);
	if (r >= 0)
		r = kind->write(conn, change->arena, object, err);
	if (r >= 0)
		r = record(change, object, err);
	if (r < 0)
		return r;
	void *message = change->ret ? kind->to_proto(change->arena, object) : NULL;
	if (change->ret)
		memcpy(change->ret, &message, sizeof(message));
	return arena_check(change->arena, err);
}

static int begin(struct change *change, struct error *err)
{
	change->arena = rpc_arena(change->call);
	change->who = rpc_principal(change->call);
	if (!change->subject_id)
		change->subject_id = change->id;
	return app_new_ids(change->call, APP_IDS(&change->event_id, &change->audit_id), err);
}

static int settled(const struct change *change, int r, const struct error *err)
{
	if (change->kind->changed && app_perhaps_done(r, err))
		change->kind->changed(change);
	return r;
}

int change_run(struct change *change, ProtobufCMessage *reply, struct error *err)
{
	int r = begin(change, err);
	if (r < 0)
		return r;
	return settled(change, app_transaction(change->call, change->keep_us, body, change, reply, err), err);
}
