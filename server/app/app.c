/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/app.h"

#include <google/protobuf/timestamp.pb-c.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"
#include "proto/runtime/codec.h"
#include "server/base/log.h"
#include "server/db/audit.h"
#include "server/db/idem.h"
#include "server/db/lease.h"

enum { RECORD_RETRY_MS = 1000 };

struct db_conn *db_of(struct rpc_call *call)
{
	struct db_conn *conn = rpc_context(call);
	db_set_deadline(conn, rpc_deadline_us(call));
	db_set_unwanted(conn, rpc_caller_gone(call));
	return conn;
}

int app_new_ids(struct rpc_call *call, int64_t *const *ret, unsigned n, struct error *err)
{
	int r = 0;
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = node_lease_new_id(app_of(call)->node, ret[i], err);
	return r;
}

int app_record_read(struct rpc_call *call, int64_t subject_id, struct error *err)
{
	struct audit audit = {
		.actor_id = rpc_principal(call)->user_id,
		.action = rpc_method(call)->name,
		.subject_id = subject_id,
		.create_us = app_now_us(call),
	};
	struct log_text text;
	int r = app_new_ids(call, APP_IDS(&audit.audit_id), err);

	if (r >= 0)
		r = audit_append(db_of(call), &audit, err);
	if (r >= 0 || err->reason == &RPC_REASON_DEADLINE_PASSED || err->reason == &RPC_REASON_CALL_CANCELLED)
		return r < 0 ? r : 0;
	log_warning("a read by %" PRId64
		    " is not answered, as it cannot be recorded: %s method=%s request=%s",
		    audit.actor_id, log_quote(&text, err->message), audit.action, rpc_request_label(call));
	(void)!error_raise(
		err, &RPC_REASON_DATABASE_UNAVAILABLE,
		"Who reads another's data is recorded, and that failed; nothing was read. Wait and repeat.");
	return error_set_retry(err, RECORD_RETRY_MS);
}

void app_say_replayed(struct rpc_call *call)
{
	rpc_add_header(call, "edu-replayed", "1");
}

int app_replay(struct rpc_call *call, struct span stored, ProtobufCMessage *ret, struct error *err)
{
	ProtobufCMessage *message;
	int r = codec_unpack(ret->descriptor, stored, &wire_limits_default, rpc_arena(call), &message, err);
	if (r < 0)
		return error_internal(err, "a stored reply of %s cannot be read", rpc_method(call)->name);
	/* It is kept under the caller's name: his own, whoever it was about. */
	r = rpc_subject(call, rpc_principal(call)->user_id, false, err);
	if (r < 0)
		return r;
	memcpy(ret, message, ret->descriptor->sizeof_message);
	app_say_replayed(call);
	return 0;
}

/* One run of the transaction, which may be one of several. */
struct app_run {
	struct rpc_call *call;
	int64_t keep_us;
	db_body body;
	void *arg;
	ProtobufCMessage *ret;
	bool repeated;
	struct span stored; /* when repeated */
};

static int run_once(struct db_conn *conn, void *arg, struct error *err)
{
	struct app_run *run = arg;
	const struct request_key *key = rpc_request_key(run->call);
	struct arena *arena = rpc_arena(run->call);
	struct span packed;

	int r = idem_claim(conn, key, app_now_us(run->call), run->keep_us, arena, &run->stored, err);
	run->repeated = r == 1;
	if (r != 0)
		return r < 0 ? r : 0;
	r = run->body(conn, run->arg, err);
	if (r >= 0)
		r = rpc_subject_decided(run->call, err);
	if (r < 0 || !key->present)
		return r;
	r = codec_pack(run->ret, arena, &packed, err);
	return r < 0 ? r : idem_store(conn, key, packed, err);
}

int app_transaction(struct rpc_call *call, int64_t keep_us, db_body body, void *arg, ProtobufCMessage *ret,
		    struct error *err)
{
	struct app_run run = {.call = call, .keep_us = keep_us, .body = body, .arg = arg, .ret = ret};
	int r = db_transaction(db_of(call), rpc_request_key(call)->present, run_once, &run, err);
	if (r < 0)
		return r;
	return run.repeated ? app_replay(call, run.stored, ret, err) : 0;
}

bool app_perhaps_done(int r, const struct error *err)
{
	return r >= 0 || err->reason == &RPC_REASON_OUTCOME_UNKNOWN;
}

int app_check_mask(const struct message_rules *resource, char *const *paths, size_t n_paths,
		   const char *id_path, struct error *err)
{
	const char *const fixed[] = {id_path, "etag"};
	int r = rules_check_mask(resource, "update_mask", paths, n_paths, err);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(fixed); i++)
		if (mask_has(paths, n_paths, fixed[i]))
			r = error_field(err, "update_mask", "may not name %s", fixed[i]);
	return r;
}

Google__Protobuf__Timestamp *app_timestamp(struct arena *arena, int64_t us)
{
	Google__Protobuf__Timestamp *t = us ? arena_alloc(arena, sizeof(*t)) : NULL;
	if (!t)
		return NULL;
	google__protobuf__timestamp__init(t);
	int64_t part = us % 1000000;
	t->seconds = us / 1000000 - (part < 0);
	if (part < 0)
		part += 1000000;
	t->nanos = (int32_t)(part * 1000);
	return t;
}

int64_t app_timestamp_us(const Google__Protobuf__Timestamp *t)
{
	return t ? t->seconds * 1000000 + t->nanos / 1000 : 0;
}

char *app_id(struct arena *arena, const char *kind, int64_t id)
{
	char text[ID_TEXT_MAX];
	return id ? arena_strdup(arena, id_format(kind, id, text)) : (char *)protobuf_c_empty_string;
}

char *app_etag(struct arena *arena, int64_t version)
{
	char text[24];
	snprintf(text, sizeof(text), version ? "v%" PRIx64 : "", (uint64_t)version);
	return arena_strdup(arena, text);
}

int app_not_found(struct error *err, const struct app_resource *resource, int64_t id)
{
	error_raise(err, resource->not_found, "%s", resource->text);
	return app_name_resource(err, resource, id);
}

int app_add_time(struct error *err, const char *key, int64_t us)
{
	time_t seconds = us / 1000000;
	struct tm utc;
	char text[32];

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return error_add_metadata(err, key, "%s", text);
}

int app_name_resource(struct error *err, const struct app_resource *resource, int64_t id)
{
	char text[ID_TEXT_MAX];
	return error_set_resource(err, resource->type, id_format(resource->id_kind, id, text));
}
