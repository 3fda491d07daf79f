/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/subject.h"

#include "proto/runtime/ids.h"
#include "server/rpc/policy.h"
#include "server/rpc/server_state.h"

/* What is not recorded yet stays so: of two others one would be forgotten. */
static int subject_decided(struct rpc_call *call, int64_t subject_id, struct error *err)
{
	const bool unrecorded = call->subject == CALL_SUBJECT_UNRECORDED;

	if (subject_id == 0)
		return 0;
	if (!call->method->records || subject_id == call->principal.user_id ||
	    subject_id == call->recorded_id) {
		call->subject = unrecorded ? CALL_SUBJECT_UNRECORDED : CALL_SUBJECT_SETTLED;
		return 0;
	}
	if (unrecorded && subject_id != call->subject_id)
		return error_internal(err, "%s is about two others at once", call->method->desc->path);
	call->subject = CALL_SUBJECT_UNRECORDED;
	call->subject_id = subject_id;
	return 0;
}

int rpc_subject(struct rpc_call *call, int64_t subject_id, bool acts, struct error *err)
{
	int r = 0;

	if (subject_id != call->principal.user_id && !acts)
		r = policy_others(call->method, &call->principal, err);
	if (r == 0)
		r = subject_decided(call, subject_id, err);
	if (r < 0)
		call->subject = CALL_SUBJECT_OPEN;
	return r;
}

int rpc_subject_decided(const struct rpc_call *call, struct error *err)
{
	const struct method_desc *method = call->method->desc;

	if (method->policy.subject.source == METHOD_SUBJECT_NONE || call->subject != CALL_SUBJECT_OPEN)
		return 0;
	return error_internal(err, "%s was to be done before it was decided whom it is about", method->path);
}

/* "" when a message on the way is not there: what must be there is the rules' to ask. */
static const char *subject_text(const struct subject_policy *policy, const ProtobufCMessage *message)
{
	for (unsigned i = 0; message; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[policy->path[i]];
		const void *member = (const char *)message + field->offset;

		if (i + 1 == policy->n_path)
			return *(const char *const *)member;
		message = *(const ProtobufCMessage *const *)member;
	}
	return "";
}

int subject_of_message(struct rpc_call *call, const ProtobufCMessage *message, struct error *err)
{
	const struct subject_policy *policy = &call->method->desc->policy.subject;
	int64_t subject_id = call->principal.user_id;

	if (policy->source != METHOD_SUBJECT_FIELD)
		return 0;
	const char *text = subject_text(policy, message);
	if (*text && !id_parse(policy->id_kind, text, &subject_id))
		return error_internal(err, "the subject of %s is no id", call->method->desc->path);
	int r = rpc_subject(call, subject_id, false, err);
	if (r == 0 || !policy->delegates)
		return r;
	error_clear(err);
	return 0;
}

bool subject_unrecorded(const struct rpc_call *call)
{
	return call->subject == CALL_SUBJECT_UNRECORDED;
}

int subject_record(struct rpc_call *call)
{
	int r = call->server->config.record_read(call, call->subject_id, &call->error);

	if (r < 0)
		return r;
	call->recorded_id = call->subject_id;
	call->subject = CALL_SUBJECT_SETTLED;
	return 0;
}

int subject_check(struct rpc_call *call)
{
	int r = rpc_subject_decided(call, &call->error);

	if (r == 0 && subject_unrecorded(call))
		r = error_internal(&call->error,
				   "%s was to be answered before it was recorded who reads whose data",
				   call->method->desc->path);
	return r;
}
