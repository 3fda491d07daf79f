/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_METHOD_H
#define RPC_METHOD_H

#include <stdbool.h>
#include <stdint.h>

#include "server/rpc/call.h"
#include "server/rpc/observe.h"

/* How long a method's tasks take at each place, of late; under the lock of that place's executor. */
struct method_times {
	int64_t mean_us[RPC_PLACES];
};

/* A row as the server uses it: names resolved to masks once, at start. Constant once the server runs. */
struct method {
	const struct rpc_row *row;
	const struct method_desc *desc;
	enum method_access access;
	uint32_t roles, scopes;                 /* masks; 0: none named */
	uint32_t subject_roles, subject_scopes; /* masks: who may ask about others; 0: none */
	bool records;                           /* reads what may be another's: see subject.h */
	uint32_t number;                        /* stable: CRC-32 of the path */
	bool uncounted;                         /* the row's */
	void *registered;                       /* core's handle of a hot method; NULL for the rest */
	struct observe observe;
	struct method_times *times;
};

/*
 * Resolves a row. INTERNAL when the row serves nothing of its method's kind, or the contract names a role or
 * scope this server does not know, or does not say whom requests are about: better no start than a rule
 * nobody enforces.
 */
int method_bind(struct method *m, const struct rpc_row *row, struct error *err)
	__attribute__((warn_unused_result));

/* CRC-32 (IEEE 802.3) of a string. */
uint32_t method_number(const char *path);

/* Does the call begin with exactly one message from the client? */
static inline bool method_takes_one(const struct method *m)
{
	return m->desc->kind == METHOD_UNARY || m->desc->kind == METHOD_SERVER_STREAM;
}

#endif
