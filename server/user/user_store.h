/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_USER_STORE_H
#define USER_USER_STORE_H

#include "server/user/user.h"

/* Users as they are stored. Text lies in the arena given to whoever filled them. */
struct user {
	int64_t user_id;
	char *user_name; /* lower case */
	char *email;     /* normalized; NULL: none. Not verified yet, it is a note and no more */
	char *display_name, *bio, *language, *time_zone;
	char *password_hash;
	uint32_t roles;       /* enum role */
	int64_t rights_epoch; /* raised by whatever voids the user's access tokens, which carry it; from 1 */
	enum user_state state;
	int64_t version, create_us, update_us;
};

/* 1 and *ret; 0 when there is none; negative. The name and the address are normalized. */
int user_store_read(struct db_conn *conn, struct arena *arena, int64_t user_id, struct user *ret,
		    struct error *err) __attribute__((warn_unused_result));
int user_store_by_name(struct db_conn *conn, struct arena *arena, const char *user_name, struct user *ret,
		       struct error *err) __attribute__((warn_unused_result));
/* By a verified address. */
int user_store_by_email(struct db_conn *conn, struct arena *arena, const char *email, struct user *ret,
			struct error *err) __attribute__((warn_unused_result));

/* The same by id, locked until the transaction ends; USER_NOT_FOUND when there is none. Whoever writes a
 * user, or hands out tokens with its roles, locks it first. */
int user_store_lock(struct db_conn *conn, struct arena *arena, int64_t user_id, struct user *ret,
		    struct error *err) __attribute__((warn_unused_result));

/* With an address that is not verified yet. USER_NAME_IN_USE. */
int user_store_insert(struct db_conn *conn, const struct user *u, struct error *err)
	__attribute__((warn_unused_result));

/* Writes everything of a locked user but its name and password. Another address is not verified. */
int user_store_update(struct db_conn *conn, const struct user *u, struct error *err)
	__attribute__((warn_unused_result));

/* Replaces the hash, unless it is no longer `old`. */
int user_store_rehash(struct db_conn *conn, int64_t user_id, const char *old, const char *new,
		      struct error *err) __attribute__((warn_unused_result));

/*
 * Locks every active administrator, in the order of their ids, and counts those but one. Before
 * user_store_lock(), so that two who would take each other's role away wait for one another in one order.
 */
int user_store_other_administrators(struct db_conn *conn, struct arena *arena, int64_t but_user_id,
				    unsigned *ret, struct error *err) __attribute__((warn_unused_result));

#endif
