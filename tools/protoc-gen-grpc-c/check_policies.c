/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

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
