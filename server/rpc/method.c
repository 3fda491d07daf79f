/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/method.h"

uint32_t method_number(const char *path)
{
	uint32_t crc = UINT32_MAX;

	for (; *path; path++) {
		crc ^= (uint8_t)*path;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static int names_to_mask(const struct method_desc *desc, const char *kind, const char *const *names,
			 uint32_t (*from_name)(const char *), uint32_t *ret, struct error *err)
{
	*ret = 0;
	for (; names && *names; names++) {
		uint32_t bit = from_name(*names);

		if (!bit)
			return error_internal(err, "%s asks for the unknown %s \"%s\"", desc->path, kind,
					      *names);
		*ret |= bit;
	}
	return 0;
}

static int row_check(const struct rpc_row *row, struct error *err)
{
	const struct method_desc *desc = row->method;

	if (desc->kind == METHOD_UNARY ? !row->thunk || !row->handler : !row->stream)
		return error_internal(err, "the row of %s has no handler of its kind", desc->path);
	if ((unsigned)row->place >= RPC_PLACES)
		return error_internal(err, "the row of %s names no place", desc->path);
	if (desc->policy.subject.source == METHOD_SUBJECT_UNSAID)
		return error_internal(err, "%s does not say whom its requests are about", desc->path);
	return 0;
}

static int subject_bind(struct method *m, struct error *err)
{
	const struct subject_policy *policy = &m->desc->policy.subject;
	int r = names_to_mask(m->desc, "role", policy->roles, role_from_name, &m->subject_roles, err);

	if (r == 0)
		r = names_to_mask(m->desc, "scope", policy->scopes, scope_from_name, &m->subject_scopes, err);
	m->records = m->desc->idempotency == METHOD_NO_SIDE_EFFECTS &&
		     (policy->source == METHOD_SUBJECT_HANDLER || policy->delegates || m->subject_roles ||
		      m->subject_scopes);
	/* A stream stays on its place. */
	if (r == 0 && m->records && m->desc->kind != METHOD_UNARY && m->row->place != RPC_ON_DB)
		r = error_internal(err,
				   "%s reads what may be another's and must run on the database's threads",
				   m->desc->path);
	return r;
}

int method_bind(struct method *m, const struct rpc_row *row, struct error *err)
{
	const struct method_desc *desc = row->method;
	int r = row_check(row, err);

	if (r < 0)
		return r;
	*m = (struct method){
		.row = row,
		.desc = desc,
		.access = desc->policy.access,
		.uncounted = row->uncounted,
		.number = method_number(desc->path),
	};
	r = names_to_mask(desc, "role", desc->policy.roles, role_from_name, &m->roles, err);
	if (r == 0)
		r = names_to_mask(desc, "scope", desc->policy.scopes, scope_from_name, &m->scopes, err);
	return r < 0 ? r : subject_bind(m, err);
}
