/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/policy.h"

#include <stdio.h>
#include <strings.h>

enum { NAMES_MAX = 128 };

int policy_deadline(int64_t deadline_us, struct error *err)
{
	if (deadline_us == INT64_MAX || monotonic_us() < deadline_us)
		return 0;
	return error_raise(err, &RPC_REASON_DEADLINE_PASSED,
			   "The deadline passed before the call could start; nothing was done. Repeat it "
			   "with more time.");
}

/* "Bearer <token>", the scheme in any case (RFC 9110, 11.1). */
static struct span bearer_token(struct span authorization)
{
	static const char scheme[] = "Bearer ";
	const size_t len = sizeof(scheme) - 1;

	if (authorization.len <= len || strncasecmp((const char *)authorization.data, scheme, len) != 0)
		return (struct span){0};
	return span_of(authorization.data + len, authorization.len - len);
}

static int caller_authenticate(const struct rpc_authenticator *auth, const struct policy_caller *caller,
			       struct principal *who, struct span *token, struct error *err)
{
	const struct rpc_bearer bearer = {
		.token = bearer_token(caller->authorization),
		.address = caller->address,
		.began_us = caller->began_us,
	};

	*token = bearer.token;
	if (bearer.token.len == 0)
		return error_raise(
			err, &RPC_REASON_TOKEN_INVALID,
			"The authorization header must be \"Bearer\", a space and an access token.");
	return auth->authenticate(auth->arg, &bearer, who, err);
}

static const char *name_of_role(uint32_t bit)
{
	return role_name((enum role)bit);
}

static const char *name_of_scope(uint32_t bit)
{
	return scope_name((enum scope)bit);
}

/* The names of the bits: "SUPPORT or ADMIN". */
static void names_write(uint32_t mask, const char *(*name_of)(uint32_t bit), char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	for (; mask && n < size; mask &= mask - 1) {
		const char *name = name_of(mask & -mask);
		n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? " or " : "", name ? name : "?");
	}
}

static int role_missing(uint32_t roles, struct error *err)
{
	char names[NAMES_MAX];
	int r = error_raise(err, &RPC_REASON_ROLE_MISSING, "You lack the role that this method asks for.");

	names_write(roles, name_of_role, names, sizeof(names));
	error_add_metadata(err, "roles", "%s", names);
	return r;
}

static int scope_missing(uint32_t scopes, struct error *err)
{
	char names[NAMES_MAX];

	if (!scopes)
		return error_raise(err, &RPC_REASON_SCOPE_MISSING,
				   "This method is not for service accounts.");
	int r = error_raise(err, &RPC_REASON_SCOPE_MISSING,
			    "The service account lacks the scope that this method asks for.");
	names_write(scopes, name_of_scope, names, sizeof(names));
	error_add_metadata(err, "scopes", "%s", names);
	return r;
}

static int caller_may(const struct method *m, const struct principal *who, struct error *err)
{
	const bool service_account = who->organization_id != 0;

	if (service_account && !(who->scopes & m->scopes))
		return scope_missing(m->scopes, err);
	if (!service_account && m->roles && !principal_has_role(who, m->roles))
		return role_missing(m->roles, err);
	return 0;
}

int policy_allow(const struct method *m, const struct principal *who, struct error *err)
{
	switch (m->access) {
	case METHOD_ACCESS_PUBLIC:
		return 0;
	case METHOD_ACCESS_SIGNED_IN:
		if (principal_signed_in(who))
			return caller_may(m, who, err);
		return error_raise(err, &RPC_REASON_TOKEN_MISSING,
				   "This method needs an access token; send it as \"authorization: Bearer "
				   "<token>\".");
	case METHOD_ACCESS_NONE:
		break;
	}
	return error_raise(err, &RPC_REASON_ROLE_MISSING, "This method is open to nobody.");
}

int policy_others(const struct method *m, const struct principal *who, struct error *err)
{
	char names[NAMES_MAX];

	if (who->organization_id)
		return who->scopes & m->subject_scopes ? 0 : scope_missing(m->subject_scopes, err);
	if (principal_has_role(who, m->subject_roles))
		return 0;
	if (!m->subject_roles)
		return error_raise(err, &RPC_REASON_ROLE_MISSING,
				   "This method is for one's own data alone; name nobody else.");
	int r = error_raise(err, &RPC_REASON_ROLE_MISSING,
			    "Another's data needs a role that you do not hold.");
	names_write(m->subject_roles, name_of_role, names, sizeof(names));
	error_add_metadata(err, "roles", "%s", names);
	return r;
}

int policy_identify(const struct method *m, const struct rpc_authenticator *auth,
		    const struct policy_caller *caller, struct principal *who, struct span *token,
		    struct error *err)
{
	int known = 0, r = 0;

	*who = (struct principal){0};
	*token = (struct span){0};
	if (caller->authorization.data && auth->authenticate)
		known = caller_authenticate(auth, caller, who, token, err);
	if (known >= 0 && auth->admit && !m->uncounted)
		r = auth->admit(auth->arg, m->desc->policy.rate_class, who, caller->address, err);
	return r < 0 ? r : known;
}
