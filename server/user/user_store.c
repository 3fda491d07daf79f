/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/user_store.h"

#include <assert.h>
#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/ids.h"
#include "server/app/app.h"
#include "server/user/user_names.h"

#define COLUMNS                                                                                              \
	"user_id, user_name, email, display_name, bio, language, password_hash, roles, rights_epoch, "       \
	"state, "                                                                                            \
	"version,"                                                                                           \
	" create_time, update_time, time_zone"
#define TYPES "issssssiiiiiis"

enum stmt { READ, LOCK, BY_NAME, BY_EMAIL, INSERT, UPDATE, REHASH, ADMINISTRATORS, ROLES, EXISTS, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[READ] = {"user_read", "i", TYPES, "SELECT " COLUMNS " FROM user WHERE user_id = ?"},
	[LOCK] = {"user_lock", "i", TYPES, "SELECT " COLUMNS " FROM user WHERE user_id = ? FOR UPDATE"},
	[BY_NAME] = {"user_by_name", "s", TYPES, "SELECT " COLUMNS " FROM user WHERE user_name = ?"},
	[BY_EMAIL] = {"user_by_email", "s", TYPES, "SELECT " COLUMNS " FROM user WHERE verified_email = ?"},
	[INSERT] = {"user_insert", TYPES, "",
		    "INSERT INTO user (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
	[UPDATE] = {"user_update", "ssssiiiisi", "",
		    "UPDATE user SET email = ?, verified_email = IF(verified_email = email, email, NULL), "
		    "display_name = ?, bio = ?, language = ?, roles = ?, "
		    "rights_epoch "
		    "= ?,"
		    " version = ?, update_time = ?, time_zone = ? WHERE user_id = ?"},
	[REHASH] = {"user_rehash", "sis", "",
		    "UPDATE user SET password_hash = ? WHERE user_id = ? AND password_hash = ?"},
	[ADMINISTRATORS] =
		{"user_administrators", "", "ii",
		 "SELECT user_id, state FROM user FORCE INDEX (user_administrator) WHERE administrator = 1"
		 " ORDER BY user_id FOR UPDATE"},
	[ROLES] = {"user_roles", "iiiiiiiiii", "ii",
		   "SELECT user_id, roles FROM user WHERE state = 1 AND user_id IN (?, ?, ?, ?, ?, ?, ?, ?, "
		   "?, ?)"},
	[EXISTS] = {"user_exists", "i", "i", "SELECT 1 FROM user WHERE user_id = ?"},
};

const struct db_stmt_list user_stmts = {"user", stmts, N_STMTS};

static void read_user(const struct db_rows *rows, struct arena *arena, struct user *ret)
{
	*ret = (struct user){
		.user_id = db_col_i64(rows, 0),
		.user_name = db_col_str(rows, 1, arena),
		.email = db_is_null(rows, 2) ? NULL : db_col_str(rows, 2, arena),
		.display_name = db_col_str(rows, 3, arena),
		.bio = db_col_str(rows, 4, arena),
		.language = db_col_str(rows, 5, arena),
		.password_hash = db_col_str(rows, 6, arena),
		.roles = (uint32_t)db_col_i64(rows, 7),
		.rights_epoch = db_col_i64(rows, 8),
		.state = (enum user_state)db_col_i64(rows, 9),
		.version = db_col_i64(rows, 10),
		.create_us = db_col_i64(rows, 11),
		.update_us = db_col_i64(rows, 12),
		.time_zone = db_col_str(rows, 13, arena),
	};
}

static int read_one(struct db_conn *conn, struct arena *arena, enum stmt stmt, struct db_value key,
		    struct user *ret, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query_row(conn, &stmts[stmt], DB_ARGS(key), &rows, err);
	if (r <= 0)
		return r;
	read_user(&rows, arena, ret);
	r = app_built(arena, err);
	return r < 0 ? r : 1;
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
	int r = db_exec(conn, &stmts[INSERT],
			DB_ARGS(db_i64(u->user_id), db_str(u->user_name), db_str(u->email),
				db_str(u->display_name), db_str(u->bio), db_str(u->language),
				db_str(u->password_hash), db_i64(u->roles), db_i64(u->rights_epoch),
				db_i64(u->state), db_i64(u->version), db_i64(u->create_us),
				db_i64(u->update_us), db_str(u->time_zone)),
			NULL, err);
	return in_use(conn, r, err);
}

int user_store_update(struct db_conn *conn, const struct user *u, struct error *err)
{
	int r = db_exec(conn, &stmts[UPDATE],
			DB_ARGS(db_str(u->email), db_str(u->display_name), db_str(u->bio),
				db_str(u->language), db_i64(u->roles), db_i64(u->rights_epoch),
				db_i64(u->version), db_i64(u->update_us), db_str(u->time_zone),
				db_i64(u->user_id)),
			NULL, err);
	return in_use(conn, r, err);
}

int user_store_rehash(struct db_conn *conn, int64_t user_id, const char *old, const char *new,
		      struct error *err)
{
	return db_exec(conn, &stmts[REHASH], DB_ARGS(db_str(new), db_i64(user_id), db_str(old)), NULL, err);
}

int user_store_other_administrators(struct db_conn *conn, int64_t but_user_id, unsigned *ret,
				    struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query(conn, &stmts[ADMINISTRATORS], DB_NO_ARGS, &rows, err);
	if (r < 0)
		return r;
	*ret = 0;
	while ((r = db_next(&rows, err)) > 0)
		*ret += db_col_i64(&rows, 0) != but_user_id && db_col_i64(&rows, 1) == USER_ACTIVE;
	return r;
}

int user_roles_read(struct db_conn *conn, const int64_t *user_ids, unsigned n, uint32_t *ret_roles,
		    struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	static_assert(USER_ROLES_READ_MAX == 10, "user_roles has as many parameters");
	struct db_value args[USER_ROLES_READ_MAX];
	for (unsigned i = 0; i < USER_ROLES_READ_MAX; i++)
		args[i] = db_i64(i < n ? user_ids[i] : 0);
	int r = db_query(conn, &stmts[ROLES], args, USER_ROLES_READ_MAX, &rows, err);
	if (r < 0)
		return r;
	memset(ret_roles, 0, n * sizeof(*ret_roles));
	while ((r = db_next(&rows, err)) > 0)
		for (unsigned i = 0; i < n; i++)
			if (user_ids[i] == db_col_i64(&rows, 0))
				ret_roles[i] = (uint32_t)db_col_i64(&rows, 1);
	return r;
}

int user_require(struct db_conn *conn, int64_t user_id, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query_row(conn, &stmts[EXISTS], DB_ARGS(db_i64(user_id)), &rows, err);
	if (r < 0)
		return r;
	return r == 0 ? user_not_found(err, user_id) : 0;
}

int user_not_found(struct error *err, int64_t user_id)
{
	char text[ID_TEXT_MAX];
	id_format(ID_USER, user_id, text);
	error_raise(err, &REASON_USER_NOT_FOUND, "There is no such user.");
	return error_set_resource(err, "edu.v1.User", text);
}
