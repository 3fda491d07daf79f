/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>

static void check_names_of(struct model *m, const struct method *method, const char *what, char *const *names,
			   size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!*names[i])
			problems_add(&m->problems, &method->place,
				     "method %s: one of the policy's %s is empty; name it or take it out",
				     method->proto->name, what);
	}
}

/* --- subjects --- */

static bool has_name(char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* Whom the policy does not let in would never come to be asked for the subject's. */
static void check_within(struct model *m, const struct method *method, const char *what, char *const *names,
			 size_t n, char *const *outer, size_t n_outer)
{
	for (size_t i = 0; i < n; i++) {
		if (!has_name(outer, n_outer, names[i]))
			problems_add(&m->problems, &method->place,
				     "method %s: its subject's %s have %s, which the policy's do not let in; "
				     "add it there or take it out here",
				     method->proto->name, what, names[i]);
	}
}

/* The table has a field's place alone: of a oneof's it would have to be asked which is set. */
static bool is_plain(const struct field *f)
{
	return !model_is_repeated(f) && !f->proto->has_oneof_index;
}

static bool is_id(const struct field *f)
{
	return f->proto->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING && is_plain(f) &&
	       f->rules && *f->rules->id_kind;
}

static bool leads_to_id(const struct method *method)
{
	for (size_t i = 0; i + 1 < method->n_subject; i++) {
		if (!is_plain(method->subject[i]) || !method->subject[i]->message)
			return false;
	}
	return method->n_subject > 0 && is_id(method->subject[method->n_subject - 1]);
}

/* The kind of id that another method's subject has, when it is not this one's. */
static const char *other_kind(const struct method *method)
{
	const char *kind = method->subject[method->n_subject - 1]->rules->id_kind;
	const struct method *other = method->service->methods;

	for (; other < method; other++) {
		if (leads_to_id(other) &&
		    strcmp(other->subject[other->n_subject - 1]->rules->id_kind, kind) != 0)
			return other->subject[other->n_subject - 1]->rules->id_kind;
	}
	return NULL;
}

static void check_subject_field(struct model *m, const struct method *method, const char *path)
{
	if (!*path)
		problems_add(&m->problems, &method->place,
			     "method %s: SUBJECT_FIELD needs the `field` that has the subject's id",
			     method->proto->name);
	else if (!leads_to_id(method))
		problems_add(
			&m->problems, &method->place,
			"method %s: its subject's field \"%s\" must be a singular string of the request "
			"that says its id_kind; name another, or add [(grpc_c.v1.rules) = {id_kind: ...}]",
			method->proto->name, path);
	else if (other_kind(method))
		problems_add(&m->problems, &method->place,
			     "method %s: its subject's field \"%s\" has another id_kind than the \"%s\" of a "
			     "method before; whoever calls is of one kind",
			     method->proto->name, path, other_kind(method));
}

static void check_subject_source(struct model *m, const struct method *method, const SubjectPolicy *s)
{
	const char *name = method->proto->name;

	switch (s->source) {
	case GRPC_C__V1__SUBJECT__SUBJECT_NONE:
		if (s->n_roles > 0 || s->n_scopes > 0)
			problems_add(
				&m->problems, &method->place,
				"method %s has SUBJECT_NONE and names roles or scopes, which nobody would "
				"ask for; take them out",
				name);
		break;
	case GRPC_C__V1__SUBJECT__SUBJECT_FIELD:
		check_subject_field(m, method, s->field);
		return;
	case GRPC_C__V1__SUBJECT__SUBJECT_HANDLER:
		break;
	default:
		problems_add(
			&m->problems, &method->place,
			"method %s has a subject without a source; set it to SUBJECT_NONE, SUBJECT_FIELD or "
			"SUBJECT_HANDLER",
			name);
	}
	if (*s->field || s->delegates)
		problems_add(
			&m->problems, &method->place,
			"method %s: a subject's `field` and `delegates` are for SUBJECT_FIELD; take them out",
			name);
}

/* Who reads another's data is recorded, so that what only reads may not forget to say so. */
static void check_reading(struct model *m, const struct method *method)
{
	if (!method->proto->options || !method->proto->options->has_idempotency_level)
		problems_add(
			&m->problems, &method->place,
			"method %s is about somebody and does not say whether it only reads; add `option "
			"idempotency_level = NO_SIDE_EFFECTS`, or IDEMPOTENT or IDEMPOTENCY_UNKNOWN",
			method->proto->name);
}

static void check_subject(struct model *m, const struct method *method)
{
	const MethodPolicy *p = method->policy;
	const SubjectPolicy *s = p->subject;
	const bool signed_in = p->access == GRPC_C__V1__ACCESS__ACCESS_SIGNED_IN;

	if (!s && signed_in)
		problems_add(&m->problems, &method->place,
			     "method %s does not say whom its requests are about; add `subject: {source: "
			     "SUBJECT_FIELD, field: \"user_id\"}`, or SUBJECT_HANDLER or SUBJECT_NONE",
			     method->proto->name);
	if (s && !signed_in)
		problems_add(
			&m->problems, &method->place,
			"method %s has a subject, and nobody needs to be signed in; use ACCESS_SIGNED_IN or "
			"take it out",
			method->proto->name);
	if (!s)
		return;
	check_subject_source(m, method, s);
	if (s->source != GRPC_C__V1__SUBJECT__SUBJECT_NONE)
		check_reading(m, method);
	check_names_of(m, method, "subject's roles", s->roles, s->n_roles);
	check_names_of(m, method, "subject's scopes", s->scopes, s->n_scopes);
	if (p->n_roles > 0)
		check_within(m, method, "roles", s->roles, s->n_roles, p->roles, p->n_roles);
	check_within(m, method, "scopes", s->scopes, s->n_scopes, p->scopes, p->n_scopes);
}

/* --- policies --- */

static void check_policy(struct model *m, const struct method *method)
{
	const MethodPolicy *p = method->policy;
	const char *name = method->proto->name;

	switch (p->access) {
	case GRPC_C__V1__ACCESS__ACCESS_PUBLIC:
		if (p->n_roles > 0 || p->n_scopes > 0)
			problems_add(&m->problems, &method->place,
				     "method %s is ACCESS_PUBLIC and names roles or scopes, which nobody "
				     "would check; use "
				     "ACCESS_SIGNED_IN or take them out",
				     name);
		break;
	case GRPC_C__V1__ACCESS__ACCESS_SIGNED_IN:
		break;
	case GRPC_C__V1__ACCESS__ACCESS_UNSPECIFIED:
		problems_add(&m->problems, &method->place,
			     "method %s has a policy without access, so nobody could call it; set `access: "
			     "ACCESS_SIGNED_IN` or `access: ACCESS_PUBLIC`",
			     name);
		break;
	default:
		problems_add(&m->problems, &method->place,
			     "method %s: this generator knows no access %d; use one of grpc_c.v1.Access",
			     name, p->access);
	}
	check_names_of(m, method, "roles", p->roles, p->n_roles);
	check_names_of(m, method, "scopes", p->scopes, p->n_scopes);
	check_subject(m, method);
}

static void check_method(struct model *m, const struct method *method)
{
	if (method->policy)
		check_policy(m, method);
	else if (m->settings.require_policy)
		problems_add(&m->problems, &method->place,
			     "method %s has no policy; say who may call it, as in option (grpc_c.v1.policy) "
			     "= {access: "
			     "ACCESS_SIGNED_IN}, or generate with policy=none",
			     method->proto->name);
}

void check_policies(struct model *m)
{
	for (size_t i = 0; i < m->n_files; i++) {
		for (size_t k = 0; m->files[i].generate && k < m->files[i].n_services; k++) {
			const struct service *s = &m->files[i].services[k];

			for (size_t n = 0; n < s->n_methods; n++)
				check_method(m, &s->methods[n]);
		}
	}
}
