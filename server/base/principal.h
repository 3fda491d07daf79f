/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PRINCIPAL_H
#define BASE_PRINCIPAL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Who is calling, as the token says and the database has confirmed. Plain data, copied into the call. It
 * lives in base because rpc enforces policy on it and auth makes it, and neither knows the other.
 */
/* Bits; named apart from the contract's enum Role, whose constants are numbers. */
enum role {
	ROLE_MASK_LEARNER = 1u << 0,
	ROLE_MASK_INSTRUCTOR = 1u << 1,
	ROLE_MASK_SUPPORT = 1u << 2,
	ROLE_MASK_PAYMENTS = 1u << 3,
	ROLE_MASK_ADMIN = 1u << 4,
};

enum scope {
	SCOPE_MEMBERS_WRITE = 1u << 0,
	SCOPE_RECORDS_READ = 1u << 1,
	SCOPE_RECORDS_WRITE = 1u << 2,
	SCOPE_RECORDS_IMPORT = 1u << 3,
	SCOPE_ENROLL = 1u << 4,
	SCOPE_PAYMENTS = 1u << 5,
	SCOPE_NOTIFICATIONS_SEND = 1u << 6,
	SCOPE_CLIENT_FORWARD = 1u << 7,
};

struct principal {
	int64_t user_id;         /* 0: anonymous */
	int64_t organization_id; /* of a service account; 0 for users */
	int64_t session_id;
	int64_t rights_epoch; /* counts the changes of what the user may do; a token of an older one is void
			       */
	int64_t expire_us;    /* of the token */
	uint32_t roles;       /* enum role */
	uint32_t scopes;      /* enum scope; 0 for users */
};

static inline bool principal_signed_in(const struct principal *p)
{
	return p->user_id != 0;
}

static inline bool principal_has_role(const struct principal *p, uint32_t any_of)
{
	return (p->roles & any_of) != 0;
}

/* Names as the contract writes them ("ADMIN", "members.write"); 0 for an unknown name. */
uint32_t role_from_name(const char *name);
uint32_t scope_from_name(const char *name);
/* The name of one bit; NULL for anything else. */
const char *role_name(enum role role);
const char *scope_name(enum scope scope);

#endif
