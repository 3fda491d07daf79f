/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/session_confirm.h"

#include "server/app/app.h"
#include "server/auth/authenticator.h"
#include "server/user/session_store.h"

int session_confirm(struct rpc_call *call, struct span token, struct error *err)
{
	const struct principal *who = rpc_principal(call);
	struct auth *auth = app_of(call)->auth;
	uint64_t ticket = auth_ticket(auth, who->user_id);
	int r = session_store_holds(db_of(call), who, err);

	return r < 0 ? r : auth_confirm(auth, token, who, ticket, r > 0, err);
}
