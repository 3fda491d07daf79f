/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/user_store.h"

#include <assert.h>
#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/ids.h"
#include "server/app/app.h"
#include "server/db/table.h"
#include "server/user/user_names.h"

/* Who one is, which never changes; and the rest. */
#define OWN_COLUMNS(F, C, R)                                                                                 \
	F(R, "user_id", I64, user_id)                                                                        \
	C(R, "user_name", TEXT, user_name)                                                                   \
	C(R, "password_hash", TEXT, password_hash)                                                           \
	C(R, "state", INT, state)                                                                            \
	C(R, "create_time", I64, create_us)
#define CHANGED_COLUMNS(F, C, R)                                                                             \
	F(R, "email", TEXT_OR_NULL, email)                                                                   \
	C(R, "display_name", TEXT, display_name)                                                             \
	C(R, "bio", TEXT, bio)                                                                               \
	C(R, "language", TEXT, language)                                                                     \
	C(R, "time_zone", TEXT, time_zone)                                                                   \
	C(R, "roles", INT, roles)                                                                            \
	C(R, "rights_epoch", I64, rights_epoch)                                                              \
	C(R, "version", I64, version)                                                                        \
	C(R, "update_time", I64, update_us)
#define COLUMNS(F, C, R) OWN_COLUMNS(F, C, R) CHANGED_COLUMNS(C, C, R)
DB_ROW(user_row, struct user, COLUMNS);
DB_ROW(changed_row, struct user, CHANGED_COLUMNS);

#define RIGHTS_COLUMNS(F, C, R)                                                                              \
	F(R, "user_id", I64, user_id) C(R, "roles", INT, roles) C(R, "state", INT, state)
DB_ROW(rights_row, struct user, RIGHTS_COLUMNS);

#define PROFILE_COLUMNS(F, C, R)                                                                             \
	F(R, "display_name", TEXT, display_name)                                                             \
	C(R, "bio", TEXT, bio) C(R, "roles", INT, roles) C(R, "state", INT, state)
DB_ROW(profile_row, struct user_profile, PROFILE_COLUMNS);

enum stmt {
	READ,
	LOCK,
	BY_NAME,
	BY_EMAIL,
	INSERT,
	UPDATE,
	REHASH,
	ADMINISTRATORS,
	ROLES,
	PROFILE,
	EXISTS,
	N_STMTS
};

#define SELECT DB_SELECT(COLUMNS, " FROM user")
static_assert(USER_ACTIVE == 1, "state in the statements");

/* Assignments run left to right: roles are the new ones. */
#define SET_ADMINISTRATOR ", administrator = IF(roles & 16, 1, NULL)"
static_assert(ROLE_MASK_ADMIN == 16, "roles in the statements");

static const struct db_stmt stmts[N_STMTS] = {
	[READ] = {"user_read", "i", &user_row, SELECT " WHERE user_id = ?"},
	[LOCK] = {"user_lock", "i", &user_row, SELECT " WHERE user_id = ? FOR UPDATE"},
	[BY_NAME] = {"user_by_name", "s", &user_row, SELECT " WHERE user_name = ?"},
	[BY_EMAIL] = {"user_by_email", "s", &user_row, SELECT " WHERE verified_email = ?"},
	[INSERT] = {"user_insert", DB_LETTERS(COLUMNS), NULL,
		    "INSERT INTO user SET " DB_SETS(COLUMNS) SET_ADMINISTRATOR},
	[UPDATE] = {"user_update", DB_LETTERS(CHANGED_COLUMNS) "i", NULL,
		    DB_UPDATE(
			    "user", CHANGED_COLUMNS,
			    SET_ADMINISTRATOR
			    ", verified_email = IF(verified_email = email, email, NULL) WHERE user_id = ?")},
	[REHASH] = {"user_rehash", "sis", NULL,
		    "UPDATE user SET password_hash = ? WHERE user_id = ? AND password_hash = ?"},
	[ADMINISTRATORS] = {"user_administrators", "", &rights_row,
			    DB_SELECT(RIGHTS_COLUMNS,
				      " FROM user FORCE INDEX (user_administrator) WHERE administrator = 1"
				      " ORDER BY user_id FOR UPDATE")},
	[ROLES] = {"user_roles", "iiiiiiiiii", &rights_row,
		   DB_SELECT(RIGHTS_COLUMNS,
			     " FROM user WHERE state = 1 AND user_id IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")},
	[PROFILE] = {"user_profile", "i", &profile_row,
		     DB_SELECT(PROFILE_COLUMNS, " FROM user WHERE user_id = ?")},
	[EXISTS] = {"user_exists", "i", &db_row_i64, "SELECT 1 FROM user WHERE user_id = ?"},
};

const struct db_stmt_list user_stmts = {"user", stmts, N_STMTS};

static int read_one(struct db_conn *conn, struct arena *arena, enum stmt stmt, struct db_value key,
		    struct user *ret, struct error *err)
{
	return db_read(conn, &stmts[stmt], DB_ARGS(key), arena, ret, err);
}

int user_store_read(struct db_conn *conn, struct arena *arena, int64_t user_id, struct user *ret,
		    struct error *err)
{
	return read_one(conn, arena, READ, db_i64(user_id), ret, err);
}

int user_store_by_name(struct db_conn *conn, struct arena *arena, const char *user_name, struct user *ret,
		       struct error *err)
{
	return read_one(conn, arena, BY_NAME, db_str(user_name), ret, err);
}

int user_store_by_email(struct db_conn *conn, struct arena *arena, const char *email, struct user *ret,
			struct error *err)
{
	return read_one(conn, arena, BY_EMAIL, db_str(email), ret, err);
}

int user_store_lock(struct db_conn *conn, struct arena *arena, int64_t user_id, struct user *ret,
		    struct error *err)
{
	int r = read_one(conn, arena, LOCK, db_i64(user_id), ret, err);
	return r == 0 ? user_not_found(err, user_id) : r < 0 ? r : 0;
}

/* What a violated unique key means; any other error stays as it is. */
static int in_use(struct db_conn *conn, int r, struct error *err)
{
	if (r != -STATUS_ALREADY_EXISTS || strcmp(db_duplicate_key(conn), "user_name_key") != 0)
		return r;
	return error_raise(err, &REASON_USER_NAME_IN_USE, "The user_name is taken; choose another.");
}

int user_store_insert(struct db_conn *conn, const struct user *u, struct error *err)
{
	return in_use(conn, db_write(conn, &stmts[INSERT], &user_row, u, DB_NO_ARGS, err), err);
}

int user_store_update(struct db_conn *conn, const struct user *u, struct error *err)
{
	return db_write(conn, &stmts[UPDATE], &changed_row, u, DB_ARGS(db_i64(u->user_id)), err);
}

int user_store_rehash(struct db_conn *conn, int64_t user_id, const char *old, const char *new,
		      struct error *err)
{
	return db_exec(conn, &stmts[REHASH], DB_ARGS(db_str(new), db_i64(user_id), db_str(old)), NULL, err);
}

int user_store_other_administrators(struct db_conn *conn, struct arena *arena, int64_t but_user_id,
				    unsigned *ret, struct error *err)
{
	struct user *users;
	unsigned n;
	int r = db_read_all(conn, &stmts[ADMINISTRATORS], DB_NO_ARGS, arena, &users, &n, err);
	if (r < 0)
		return r;
	*ret = 0;
	for (unsigned i = 0; i < n; i++)
		*ret += users[i].user_id != but_user_id && users[i].state == USER_ACTIVE;
	return 0;
}

int user_profile_read(struct db_conn *conn, struct arena *arena, int64_t user_id, struct user_profile *ret,
		      struct error *err)
{
	return db_read(conn, &stmts[PROFILE], DB_ARGS(db_i64(user_id)), arena, ret, err);
}

int user_roles_read(struct db_conn *conn, struct arena *arena, const int64_t *user_ids, unsigned n,
		    uint32_t *ret_roles, struct error *err)
{
	static_assert(USER_ROLES_READ_MAX == 10, "user_roles has as many parameters");
	struct db_value args[USER_ROLES_READ_MAX];
	struct user *users;
	unsigned n_users;
	for (unsigned i = 0; i < USER_ROLES_READ_MAX; i++)
		args[i] = db_i64(i < n ? user_ids[i] : 0);
	int r = db_read_all(conn, &stmts[ROLES], args, USER_ROLES_READ_MAX, arena, &users, &n_users, err);
	if (r < 0)
		return r;
	memset(ret_roles, 0, n * sizeof(*ret_roles));
	for (unsigned found = 0; found < n_users; found++)
		for (unsigned i = 0; i < n; i++)
			if (user_ids[i] == users[found].user_id)
				ret_roles[i] = users[found].roles;
	return 0;
}

int user_require(struct db_conn *conn, int64_t user_id, struct error *err)
{
	int r = db_found(conn, &stmts[EXISTS], DB_ARGS(db_i64(user_id)), err);
	if (r < 0)
		return r;
	return r == 0 ? user_not_found(err, user_id) : 0;
}

const struct app_resource user_resource = {"edu.v1.User", ID_USER, &REASON_USER_NOT_FOUND,
					   "There is no such user."};

int user_not_found(struct error *err, int64_t user_id)
{
	return app_not_found(err, &user_resource, user_id);
}
