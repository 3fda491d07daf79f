/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/ids.h"
#include "server/app/app.h"
#include "server/auth/authenticator.h"
#include "server/user/session_store.h"
#include "server/user/user_life.h"
#include "server/user/user_proto.h"

/*
 * SetUserRoles. Tokens issued before are void: those who hand out tokens lock the user too, so that a token
 * with the old roles always has an older rights_epoch.
 */
struct roles_change {
	uint32_t roles;
	unsigned other_administrators;
};

/*
 * All administrators are locked before the user, when one may cease to be one. Then who asks, as far as his
 * own rights stand in the database: that a replica has not heard yet of their end gives no time to give them
 * back.
 */
int user_prepare_roles(struct change *change, struct error *err)
{
	struct roles_change *m = change->arg;
	int r = 0;
	if (!(m->roles & ROLE_MASK_ADMIN))
		r = user_store_other_administrators(change->conn, change->arena, change->id,
						    &m->other_administrators, err);
	if (r < 0)
		return r;
	r = session_store_lock_holding(change->conn, change->who, err);
	return r == 0 ? auth_revoked(err) : r;
}

/* {"before": ["LEARNER"], "after": [...]}; in the arena. */
static char *describe(struct arena *arena, uint32_t before, uint32_t after)
{
	char text[2][128] = {"", ""};
	const uint32_t roles[2] = {before, after};
	for (unsigned side = 0; side < 2; side++)
		for (uint32_t bit = 1; bit <= ROLE_MASK_ADMIN; bit <<= 1)
			if (roles[side] & bit)
				snprintf(text[side] + strlen(text[side]),
					 sizeof(text[side]) - strlen(text[side]), "%s\"%s\"",
					 *text[side] ? "," : "", role_name((enum role)bit));
	return arena_printf(arena, "{\"before\":[%s],\"after\":[%s]}", text[0], text[1]);
}

int user_apply_roles(struct change *change, void *user, struct error *err)
{
	const struct roles_change *m = change->arg;
	struct user *u = user;
	bool ceases = (u->roles & ROLE_MASK_ADMIN) && !(m->roles & ROLE_MASK_ADMIN);
	if (ceases && m->other_administrators == 0)
		return error_raise(err, &REASON_LAST_ADMINISTRATOR,
				   "No administrator would be left; make another one first.");
	change->detail = describe(change->arena, u->roles, m->roles);
	u->roles = m->roles;
	u->rights_epoch++;
	return 0;
}

static int set_user_roles(struct rpc_call *call, const SetUserRolesRequest *req, SetUserRolesResponse *ret,
			  struct error *err)
{
	struct roles_change m = {0};
	struct change change = user_change(call, STEP_USER_SET_ROLES,
					   user_or_caller(rpc_principal(call), req->user_id), req->etag);
	change.arg = &m;
	change.reason = req->reason;
	change.ret = &ret->user;
	int r = roles_from_proto(req->roles, req->n_roles, &m.roles, err);
	if (r >= 0)
		r = change_run(&change, &ret->base, err);
	/* Whatever came of it: also when the commit's answer was lost, it may have happened. */
	auth_user_changed(app_of(call)->auth, change.id);
	return r;
}

EDU_SERVICE_SET_USER_ROLES(set_user_roles, RPC_ON_DB);
