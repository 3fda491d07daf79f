/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* RegisterUser, Login, RefreshSession, GetUser, UpdateUser and SetUserRoles, from the channel to the tables.
 */

static const char password[] = "correct horse battery";

static int register_as(struct testserver *t, struct arena *arena, const char *name, const char *email,
		       RegisterUserResponse **ret, struct error *err)
{
	RegisterUserRequest req = REGISTER_USER_REQUEST_INIT;
	struct client_call_options options = as(NULL);
	req.user_name = (char *)name;
	req.password = (char *)password;
	if (email)
		req.email = (char *)email;
	return edu_service_register_user_call(t->channel, &req, &options, arena, ret, err);
}

static const char *register_ok(struct testserver *t, const char *name, const char *email)
{
	RegisterUserResponse *reply;
	struct error err;
	int r = register_as(t, &t->arena, name, email, &reply, &err);
	assert_ok(r, &err);
	return reply->user->user_id;
}

static int login_as(struct testserver *t, const char *login, const char *secret, Session **ret,
		    struct error *err)
{
	LoginRequest req = LOGIN_REQUEST_INIT;
	struct client_call_options options = as(NULL);
	LoginResponse *reply;
	req.login = (char *)login;
	req.password = (char *)secret;
	int r = edu_service_login_call(t->channel, &req, &options, &t->arena, &reply, err);
	if (r >= 0)
		*ret = reply->session;
	return r;
}

static Session *login_ok(struct testserver *t, const char *login)
{
	Session *session = NULL;
	struct error err;
	int r = login_as(t, login, password, &session, &err);
	assert_ok(r, &err);
	return session;
}

static int refresh(struct testserver *t, struct arena *arena, const char *token, Session **ret,
		   struct error *err)
{
	RefreshSessionRequest req = REFRESH_SESSION_REQUEST_INIT;
	struct client_call_options options = as(NULL);
	RefreshSessionResponse *reply;
	req.refresh_token = (char *)token;
	int r = edu_service_refresh_session_call(t->channel, &req, &options, arena, &reply, err);
	if (r >= 0)
		*ret = reply->session;
	return r;
}

static int get_self(struct testserver *t, const char *token, User **ret, struct error *err)
{
	GetUserRequest req = GET_USER_REQUEST_INIT;
	struct client_call_options options = {.token = token};
	GetUserResponse *reply;
	int r = edu_service_get_user_call(t->channel, &req, &options, &t->arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->user;
	return r;
}

static int update(struct testserver *t, const struct testuser *who, User *change, const char *path,
		  User **ret, struct error *err)
{
	UpdateUserRequest req = UPDATE_USER_REQUEST_INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	char *paths[] = {(char *)path};
	struct client_call_options options = as(who);
	UpdateUserResponse *reply;
	req.user = change;
	req.update_mask = &mask;
	mask.paths = paths;
	mask.n_paths = 1;
	int r = edu_service_update_user_call(t->channel, &req, &options, &t->arena, &reply, err);
	if (r >= 0)
		*ret = reply->user;
	return r;
}

/* Repeats until the call fails with the reason; at most for the second in which a replica learns of
 * everything. */
static void await_reason(struct testserver *t, const char *token, const char *reason)
{
	struct error err;
	for (int i = 0; i < 200; i++) {
		if (get_self(t, token, NULL, &err) < 0) {
			assert_reason(-1, &err, reason);
			return;
		}
		usleep(5000);
	}
	fail_msg("%s did not come", reason);
}

/* --- RegisterUser --- */

static void test_register(void **state)
{
	struct testserver *t = *state;
	RegisterUserResponse *reply;
	struct error err;

	int r = register_as(t, &t->arena, "Anna.B", "Anna@Example.org", &reply, &err);
	assert_ok(r, &err);
	assert_string_equal(reply->user->user_name, "anna.b");
	assert_string_equal(reply->user->email, "anna@example.org");
	assert_string_equal(reply->user->display_name, "anna.b");
	assert_int_equal(reply->user->n_roles, 1);
	assert_int_equal(reply->user->roles[0], EDU__V1__ROLE__ROLE_LEARNER);
	assert_int_equal(reply->user->state, EDU__V1__USER_STATE__USER_STATE_ACTIVE);
	assert_non_null(reply->user->create_time);

	r = register_as(t, &t->arena, "ANNA.b", NULL, &reply, &err);
	assert_reason(r, &err, "USER_NAME_IN_USE");
}

static void verify_email(struct testserver *t, const char *name)
{
	char sql[256];
	struct db_conn *conn = testdb_connect(t->db, NULL);
	snprintf(sql, sizeof(sql), "UPDATE user SET verified_email = email WHERE user_name = '%s'", name);
	testdb_run(conn, sql);
	db_close(conn);
}

/* Nobody is told, nor kept from noting it, whose address it is; and whoever noted first has nothing of it. */
static void test_an_address_is_a_note_until_verified(void **state)
{
	struct testserver *t = *state;
	RegisterUserResponse *reply;
	Session *session;
	User change = USER_INIT, *user;
	struct error err;

	register_ok(t, "note.first", "Noted@example.org");
	int r = login_as(t, "noted@example.org", password, &session, &err);
	assert_reason(r, &err, "CREDENTIALS_INVALID");
	r = register_as(t, &t->arena, "note.owner", "noted@EXAMPLE.org", &reply, &err);
	assert_ok(r, &err);
	assert_string_equal(reply->user->email, "noted@example.org");
	verify_email(t, "note.owner");
	session = login_ok(t, "noted@example.org");
	assert_string_equal(session->user->user_name, "note.owner");
	r = register_as(t, &t->arena, "note.third", "noted@example.org", &reply, &err);
	assert_ok(r, &err);

	/* Whoever changes the address signs in with neither, until the new one is verified. */
	struct testuser owner = {0};
	snprintf(owner.token, sizeof(owner.token), "%s", session->access_token);
	change.email = (char *)"Noted@Example.org";
	r = update(t, &owner, &change, "email", &user, &err);
	assert_ok(r, &err);
	login_ok(t, "noted@example.org");
	change.email = (char *)"other@example.org";
	r = update(t, &owner, &change, "email", &user, &err);
	assert_ok(r, &err);
	r = login_as(t, "noted@example.org", password, &session, &err);
	assert_reason(r, &err, "CREDENTIALS_INVALID");
	r = login_as(t, "other@example.org", password, &session, &err);
	assert_reason(r, &err, "CREDENTIALS_INVALID");
	login_ok(t, "note.owner");
}

static void test_a_time_zone_is_one_of_iana(void **state)
{
	static const char *const bad[] = {"Europe/Atlantis", "europe/berlin", "+01:00", "posix/UTC", " UTC"};
	struct testserver *t = *state;
	RegisterUserRequest req = REGISTER_USER_REQUEST_INIT;
	RegisterUserResponse *reply;
	struct testuser ada;
	User change = USER_INIT, *user;
	struct error err;

	req.user_name = (char *)"zoned";
	req.password = (char *)"correct horse";
	req.time_zone = (char *)"America/Argentina/Buenos_Aires";
	int r = edu_service_register_user_call(t->channel, &req, NULL, &t->arena, &reply, &err);
	assert_ok(r, &err);
	assert_string_equal(reply->user->time_zone, "America/Argentina/Buenos_Aires");
	req.user_name = (char *)"zoned.2";
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		req.time_zone = (char *)bad[i];
		r = edu_service_register_user_call(t->channel, &req, NULL, &t->arena, &reply, &err);
		assert_reason(r, &err, "FIELD_INVALID");
		assert_violation(&err, "time_zone");
	}
	req.time_zone = (char *)"";
	r = edu_service_register_user_call(t->channel, &req, NULL, &t->arena, &reply, &err);
	assert_ok(r, &err);
	assert_string_equal(reply->user->time_zone, "");

	testserver_user(t, NULL, 0, &ada);
	change.time_zone = (char *)"Asia/Shanghai";
	r = update(t, &ada, &change, "bio", &user, &err);
	assert_ok(r, &err);
	assert_string_equal(user->time_zone, "");
	r = update(t, &ada, &change, "time_zone", &user, &err);
	assert_ok(r, &err);
	assert_string_equal(user->time_zone, "Asia/Shanghai");
	change.time_zone = (char *)"Shanghai";
	r = update(t, &ada, &change, "time_zone", &user, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "user.time_zone");
	change.time_zone = (char *)"";
	r = update(t, &ada, &change, "time_zone", &user, &err);
	assert_ok(r, &err);
	assert_string_equal(user->time_zone, "");
}

static void test_a_name_begins_and_ends_with_a_letter_or_digit(void **state)
{
	static const char *const bad[] = {".ann", "ann.", "-ann", "ann-", "_ann",
					  "ann_", "...",  "an",   "an n"};
	struct testserver *t = *state;
	RegisterUserResponse *reply;
	struct error err;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		int r = register_as(t, &t->arena, bad[i], "", &reply, &err);
		assert_reason(r, &err, "FIELD_INVALID");
		assert_violation(&err, "user_name");
	}
	int r = register_as(t, &t->arena, "1.a-b_C", "", &reply, &err);
	assert_ok(r, &err);
	assert_string_equal(reply->user->user_name, "1.a-b_c");
}

static void test_register_refuses_bad_fields(void **state)
{
	struct testserver *t = *state;
	RegisterUserRequest req = REGISTER_USER_REQUEST_INIT;
	RegisterUserResponse *reply;
	struct error err;

	int r = edu_service_register_user_call(t->channel, &req, NULL, &t->arena, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "user_name");
	assert_violation(&err, "password");

	req.user_name = (char *)"no spaces";
	req.password = (char *)"short";
	req.email = (char *)"nobody";
	r = edu_service_register_user_call(t->channel, &req, NULL, &t->arena, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "user_name");
	assert_violation(&err, "password");
	assert_violation(&err, "email");
}

struct racer {
	struct testserver *t;
	const char *text;
	int r;
	Session *session; /* of a refresh, in the arena */
	struct error err; /* its reason lies in the arena */
	struct arena arena;
};

static void *race_register(void *arg)
{
	struct racer *racer = arg;
	RegisterUserResponse *reply;
	arena_init(&racer->arena, 1 << 20);
	racer->r = register_as(racer->t, &racer->arena, racer->text, NULL, &reply, &racer->err);
	return NULL;
}

static void test_register_race_has_one_winner(void **state)
{
	struct testserver *t = *state;
	struct racer racers[20];
	unsigned winners = 0;

	for (unsigned i = 0; i < 20; i++)
		racers[i] = (struct racer){.t = t, .text = i % 2 ? "racer" : "RACER"};
	threads_run(20, race_register, racers, sizeof(racers[0]));
	for (unsigned i = 0; i < 20; i++) {
		winners += racers[i].r >= 0;
		if (racers[i].r < 0)
			assert_reason(racers[i].r, &racers[i].err, "USER_NAME_IN_USE");
		arena_done(&racers[i].arena);
	}
	assert_int_equal(winners, 1);
	assert_int_equal(testdb_number(t->db, "SELECT COUNT(*) FROM user WHERE user_name = 'racer'"), 1);
}

static void test_passwords_are_hashed_at_rest(void **state)
{
	struct testserver *t = *state;
	register_ok(t, "hashed", NULL);
	assert_int_equal(
		testdb_number(t->db,
			      "SELECT COUNT(*) FROM user WHERE user_name = 'hashed'"
			      " AND password_hash LIKE '$argon2id$%' AND password_hash NOT LIKE '%horse%'"),
		1);
}

/* --- Login --- */

static void test_login_by_name_and_by_address(void **state)
{
	struct testserver *t = *state;
	const char *id = register_ok(t, "lena", "lena@example.org");
	verify_email(t, "lena");
	User *user;
	struct error err;

	Session *session = login_ok(t, "Lena");
	assert_string_equal(session->user->user_id, id);
	assert_true(session->access_token_expire_time->seconds > session->user->create_time->seconds);
	int r = get_self(t, session->access_token, &user, &err);
	assert_ok(r, &err);
	assert_string_equal(user->user_id, id);

	session = login_ok(t, "LENA@example.org");
	assert_string_equal(session->user->user_id, id);
	assert_int_equal(testdb_number(t->db, "SELECT COUNT(*) FROM session s JOIN user u USING (user_id)"
					      " WHERE u.user_name = 'lena'"),
			 2);
	assert_int_equal(testdb_number(t->db,
				       "SELECT COUNT(*) FROM event e JOIN user u ON u.user_id = e.user_id"
				       " WHERE u.user_name = 'lena' AND e.kind = 'session.started'"),
			 2);
}

/* A keyboard's space, or one that came along with what was pasted, is no other name. */
static void test_login_trims_the_name(void **state)
{
	static const char *const names[] = {" trim.me", "TRIM.me ", "\ttrim.me\r\n", "\u3000trim.me\u00a0 "};
	static const char *const others[] = {"trim me", "trim.me\u200b", "trim.me.", "\u3000", " "};
	struct testserver *t = *state;
	Session *session;
	struct error err;

	register_ok(t, "trim.me", NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		login_ok(t, names[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		int r = login_as(t, others[i], password, &session, &err);
		assert_reason(r, &err, "CREDENTIALS_INVALID");
	}
}

/* One keyboard writes one character, another two: the password is the same. */
static void test_a_password_is_the_same_however_it_is_typed(void **state)
{
	struct testserver *t = *state;
	RegisterUserRequest req = REGISTER_USER_REQUEST_INIT;
	RegisterUserResponse *reply;
	Session *session;
	struct error err;
	char marks[8 + 2 * 31 + 1] = "password";

	req.user_name = (char *)"renee";
	req.password = (char *)"Ren\u00e9e \ud55c\uae00";
	int r = edu_service_register_user_call(t->channel, &req, NULL, &t->arena, &reply, &err);
	assert_ok(r, &err);
	r = login_as(t, "renee", "Rene\u0301e \u1112\u1161\u11ab\u1100\u1173\u11af", &session, &err);
	assert_ok(r, &err);
	r = login_as(t, "renee", "Renee \ud55c\uae00", &session, &err);
	assert_reason(r, &err, "CREDENTIALS_INVALID");

	for (unsigned i = 0; i < 31; i++)
		memcpy(marks + 8 + 2 * i, "\u0301", 2);
	req.user_name = (char *)"zalgo";
	req.password = marks;
	r = edu_service_register_user_call(t->channel, &req, NULL, &t->arena, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "password");
	r = login_as(t, "renee", marks, &session, &err);
	assert_reason(r, &err, "CREDENTIALS_INVALID");
}

static void test_login_tells_nothing(void **state)
{
	struct testserver *t = *state;
	Session *session;
	struct error wrong_password, wrong_user;

	register_ok(t, "mona", NULL);
	int r = login_as(t, "mona", "not the password", &session, &wrong_password);
	assert_reason(r, &wrong_password, "CREDENTIALS_INVALID");
	r = login_as(t, "nobody.at.all", password, &session, &wrong_user);
	assert_reason(r, &wrong_user, "CREDENTIALS_INVALID");
	assert_string_equal(wrong_password.message, wrong_user.message);
	r = login_as(t, "nobody@example.org", password, &session, &wrong_user);
	assert_reason(r, &wrong_user, "CREDENTIALS_INVALID");
}

static void test_login_refuses_the_suspended(void **state)
{
	struct testserver *t = *state;
	Session *session;
	struct error err;

	register_ok(t, "susp", NULL);
	Session *before = login_ok(t, "susp");
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(conn, "UPDATE user SET state = 2 WHERE user_name = 'susp'");
	db_close(conn);
	int r = login_as(t, "susp", password, &session, &err);
	assert_reason(r, &err, "USER_SUSPENDED");
	r = login_as(t, "susp", "not the password", &session, &err);
	assert_reason(r, &err, "CREDENTIALS_INVALID");
	r = refresh(t, &t->arena, before->refresh_token, &session, &err);
	assert_reason(r, &err, "USER_SUSPENDED");
}

static void test_login_upgrades_the_hash(void **state)
{
	struct testserver *t = *state;
	register_ok(t, "rehash", NULL);
	t->config.argon2_passes = 2;
	testserver_restart(t);
	login_ok(t, "rehash");
	assert_int_equal(testdb_number(t->db, "SELECT COUNT(*) FROM user WHERE user_name = 'rehash'"
					      " AND password_hash LIKE '%t=2%'"),
			 1);
	login_ok(t, "rehash");
	t->config.argon2_passes = 1;
	testserver_restart(t);
}

/* --- RefreshSession --- */

static void test_refresh_rotates(void **state)
{
	struct testserver *t = *state;
	Session *next, *after;
	struct error err;

	register_ok(t, "rita", NULL);
	Session *first = login_ok(t, "rita");
	int r = refresh(t, &t->arena, first->refresh_token, &next, &err);
	assert_ok(r, &err);
	assert_string_equal(next->session_id, first->session_id);
	assert_string_not_equal(next->refresh_token, first->refresh_token);
	assert_string_not_equal(next->access_token, first->access_token);
	r = refresh(t, &t->arena, next->refresh_token, &after, &err);
	assert_ok(r, &err);
	assert_int_equal(testdb_number(t->db, "SELECT COUNT(*) FROM session s JOIN user u USING (user_id)"
					      " WHERE u.user_name = 'rita'"),
			 1);
}

/* The answer was lost, or another process of the caller asked too: one more answer, the same successor. */
static void test_a_repeated_refresh_gets_the_same_successor(void **state)
{
	struct testserver *t = *state;
	struct testserver *other = testserver_replica(t);
	Session *next, *again, *after;
	struct error err;

	register_ok(t, "lossy", NULL);
	Session *first = login_ok(t, "lossy");
	int r = refresh(t, &t->arena, first->refresh_token, &next, &err);
	assert_ok(r, &err);
	t->clock.ahead_us += 9000000;
	r = refresh(other, &t->arena, first->refresh_token, &again, &err);
	assert_ok(r, &err);
	assert_string_equal(again->refresh_token, next->refresh_token);
	assert_int_equal(again->refresh_token_expire_time->seconds, next->refresh_token_expire_time->seconds);
	r = get_self(other, again->access_token, NULL, &err);
	assert_ok(r, &err);
	/* Of the newest exchange only, and only so long. */
	r = refresh(t, &t->arena, next->refresh_token, &after, &err);
	assert_ok(r, &err);
	t->clock.ahead_us += 11000000;
	r = refresh(t, &t->arena, next->refresh_token, &again, &err);
	t->clock.ahead_us = 0;
	assert_reason(r, &err, "REFRESH_TOKEN_REUSED");
	r = refresh(t, &t->arena, after->refresh_token, &again, &err);
	assert_reason(r, &err, "REFRESH_TOKEN_INVALID");
	testserver_replica_free(other);
}

static void test_reuse_ends_the_family_everywhere(void **state)
{
	struct testserver *t = *state;
	struct testserver *other = testserver_replica(t);
	Session *next, *again;
	struct error err;

	register_ok(t, "reuse", NULL);
	Session *first = login_ok(t, "reuse");
	int r = refresh(t, &t->arena, first->refresh_token, &next, &err);
	assert_ok(r, &err);
	r = refresh(t, &t->arena, next->refresh_token, &next, &err);
	assert_ok(r, &err);
	r = get_self(other, next->access_token, NULL, &err);
	assert_ok(r, &err);
	r = refresh(t, &t->arena, first->refresh_token, &again, &err);
	assert_reason(r, &err, "REFRESH_TOKEN_REUSED");
	r = get_self(t, next->access_token, NULL, &err);
	assert_reason(r, &err, "TOKEN_REVOKED");
	await_reason(other, next->access_token, "TOKEN_REVOKED");
	r = refresh(t, &t->arena, next->refresh_token, &again, &err);
	assert_reason(r, &err, "REFRESH_TOKEN_INVALID");
	assert_int_equal(testdb_number(t->db,
				       "SELECT COUNT(*) FROM event e JOIN user u ON u.user_id = e.user_id"
				       " WHERE u.user_name = 'reuse' AND e.kind = 'session.revoked'"),
			 1);
	/* A process that starts later knows it too. */
	testserver_restart(other);
	r = get_self(other, next->access_token, NULL, &err);
	assert_reason(r, &err, "TOKEN_REVOKED");
	testserver_replica_free(other);
}

static void *race_refresh(void *arg)
{
	struct racer *racer = arg;
	arena_init(&racer->arena, 1 << 20);
	racer->r = refresh(racer->t, &racer->arena, racer->text, &racer->session, &racer->err);
	return NULL;
}

static void test_a_refresh_race_has_one_successor(void **state)
{
	struct testserver *t = *state;
	struct racer racers[10];

	register_ok(t, "twice", NULL);
	Session *session = login_ok(t, "twice");
	for (unsigned i = 0; i < 10; i++)
		racers[i] = (struct racer){.t = t, .text = session->refresh_token};
	threads_run(10, race_refresh, racers, sizeof(racers[0]));
	for (unsigned i = 0; i < 10; i++) {
		assert_ok(racers[i].r, &racers[i].err);
		assert_string_equal(racers[i].session->refresh_token, racers[0].session->refresh_token);
	}
	for (unsigned i = 0; i < 10; i++)
		arena_done(&racers[i].arena);
}

static void test_refresh_tokens_end(void **state)
{
	struct testserver *t = *state;
	Session *session;
	struct error err;

	register_ok(t, "late", NULL);
	Session *first = login_ok(t, "late");
	int r = refresh(t, &t->arena, "rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &session, &err);
	assert_reason(r, &err, "REFRESH_TOKEN_INVALID");
	r = refresh(t, &t->arena,
		    "rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		    &session, &err);
	assert_reason(r, &err, "REFRESH_TOKEN_INVALID");
	r = refresh(t, &t->arena, "no such token", &session, &err);
	assert_reason(r, &err, "REFRESH_TOKEN_INVALID");
	t->clock.ahead_us = INT64_C(31) * 24 * 3600 * 1000000;
	r = refresh(t, &t->arena, first->refresh_token, &session, &err);
	t->clock.ahead_us = 0;
	assert_reason(r, &err, "REFRESH_TOKEN_INVALID");
}

/* --- tokens --- */

static void test_tokens_are_asked_for(void **state)
{
	struct testserver *t = *state;
	struct testuser user;
	struct error err;

	testserver_user(t, NULL, 0, &user);
	int r = get_self(t, "", NULL, &err);
	assert_reason(r, &err, "TOKEN_MISSING");
	r = get_self(t, "no.such.token", NULL, &err);
	assert_reason(r, &err, "TOKEN_INVALID");
	t->clock.ahead_us = INT64_C(16) * 60 * 1000000;
	r = get_self(t, user.token, NULL, &err);
	t->clock.ahead_us = 0;
	assert_reason(r, &err, "TOKEN_EXPIRED");
}

static void test_a_passed_deadline_is_not_executed(void **state)
{
	struct testserver *t = *state;
	struct testuser user;
	struct client_call_options options;
	UpdateUserRequest req = UPDATE_USER_REQUEST_INIT;
	User change = USER_INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	char *paths[] = {(char *)"bio"};
	UpdateUserResponse *reply;
	struct error err;

	testserver_user(t, "waiter", 0, &user);
	options = as(&user);
	options.timeout_ms = 300;
	req.user = &change;
	req.update_mask = &mask;
	mask.paths = paths;
	mask.n_paths = 1;
	change.bio = (char *)"too late";
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(conn, "BEGIN");
	testdb_run(conn, "UPDATE user SET bio = 'held' WHERE user_name = 'waiter'");
	int r = edu_service_update_user_call(t->channel, &req, &options, &t->arena, &reply, &err);
	assert_true(r < 0);
	assert_int_equal(err.code, STATUS_DEADLINE_EXCEEDED);
	usleep(300000);
	testdb_run(conn, "COMMIT");
	db_close(conn);
	assert_int_equal(
		testdb_number(t->db, "SELECT COUNT(*) FROM user WHERE user_name = 'waiter' AND bio = 'held'"),
		1);
}

/* --- GetUser --- */

static int get_user(struct testserver *t, const struct testuser *who, const char *id, const char *name,
		    User **ret, struct error *err)
{
	GetUserRequest req = GET_USER_REQUEST_INIT;
	struct client_call_options options = as(who);
	GetUserResponse *reply;
	if (id)
		req.user_id = (char *)id;
	if (name)
		req.user_name = (char *)name;
	int r = edu_service_get_user_call(t->channel, &req, &options, &t->arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->user;
	return r;
}

static void test_get_user_is_for_oneself_and_support(void **state)
{
	struct testserver *t = *state;
	struct testuser ada, bob, support;
	struct error err;
	User *user;

	testserver_user(t, "get.ada", 0, &ada);
	testserver_user(t, "get.bob", 0, &bob);
	testserver_user(t, NULL, ROLE_MASK_SUPPORT, &support);
	int r = get_user(t, &ada, ada.id, NULL, &user, &err);
	assert_ok(r, &err);
	r = get_user(t, &ada, NULL, "GET.ada", &user, &err);
	assert_ok(r, &err);
	r = get_user(t, &ada, bob.id, NULL, &user, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = get_user(t, &ada, NULL, "get.bob", &user, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = get_user(t, &ada, NULL, "get.nobody", &user, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = get_user(t, &support, bob.id, NULL, &user, &err);
	assert_ok(r, &err);
	assert_string_equal(user->user_name, "get.bob");
	r = get_user(t, &support, NULL, "Get.Bob", &user, &err);
	assert_ok(r, &err);
	assert_string_equal(user->user_id, bob.id);
	r = get_user(t, &support, NULL, "get.nobody", &user, &err);
	assert_reason(r, &err, "USER_NOT_FOUND");
	r = get_user(t, &support, "usr_0000000000001", NULL, &user, &err);
	assert_reason(r, &err, "USER_NOT_FOUND");
	r = get_user(t, &support, "crs_0000000000001", NULL, &user, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "user_id");
	r = get_user(t, &support, bob.id, "get.bob", &user, &err);
	assert_reason(r, &err, "FIELD_INVALID");
}

/* --- UpdateUser --- */

static void test_update_user(void **state)
{
	struct testserver *t = *state;
	struct testuser ada, bob, admin;
	User change = USER_INIT, *user, *next;
	struct error err;

	testserver_user(t, "upd.ada", 0, &ada);
	testserver_user(t, "upd.bob", 0, &bob);
	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	change.display_name = (char *)"Ada L.";
	change.bio = (char *)"not named in the mask";
	int r = update(t, &ada, &change, "display_name", &user, &err);
	assert_ok(r, &err);
	assert_string_equal(user->display_name, "Ada L.");
	assert_string_equal(user->bio, "");

	change.bio = (char *)"by etag";
	change.etag = user->etag;
	r = update(t, &ada, &change, "bio", &next, &err);
	assert_ok(r, &err);
	assert_string_not_equal(next->etag, user->etag);
	r = update(t, &ada, &change, "bio", &next, &err);
	assert_reason(r, &err, "ETAG_MISMATCH");
	change.etag = (char *)"";

	change.email = (char *)"Shared@example.org";
	r = update(t, &ada, &change, "email", &user, &err);
	assert_ok(r, &err);
	assert_string_equal(user->email, "shared@example.org");
	r = update(t, &bob, &change, "email", &user, &err);
	assert_ok(r, &err);

	change.user_id = ada.id;
	r = update(t, &bob, &change, "bio", &user, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = update(t, &admin, &change, "bio", &user, &err);
	assert_ok(r, &err);
	change.user_id = (char *)"usr_0000000000001";
	r = update(t, &admin, &change, "bio", &user, &err);
	assert_reason(r, &err, "USER_NOT_FOUND");
}

static void test_update_user_refuses_bad_masks(void **state)
{
	static const char *const paths[] = {"*", "roles", "user_name", "user_id", "etag", "nothing"};
	struct testserver *t = *state;
	struct testuser ada;
	User change = USER_INIT, *user;
	UpdateUserRequest req = UPDATE_USER_REQUEST_INIT;
	UpdateUserResponse *reply;
	struct error err;

	testserver_user(t, NULL, 0, &ada);
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
		int r = update(t, &ada, &change, paths[i], &user, &err);
		assert_reason(r, &err, "FIELD_INVALID");
	}
	int r = update(t, &ada, &change, "display_name", &user, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "user.display_name");
	struct client_call_options options = as(&ada);
	r = edu_service_update_user_call(t->channel, &req, &options, &t->arena, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "user");
	assert_violation(&err, "update_mask");
}

/* --- SetUserRoles --- */

static int set_roles(struct testserver *t, struct arena *arena, const struct testuser *who,
		     const char *user_id, Role *roles, size_t n, User **ret, struct error *err)
{
	SetUserRolesRequest req = SET_USER_ROLES_REQUEST_INIT;
	struct client_call_options options = as(who);
	SetUserRolesResponse *reply;
	req.user_id = (char *)user_id;
	req.roles = roles;
	req.n_roles = n;
	req.reason = (char *)"the test says so";
	int r = edu_service_set_user_roles_call(t->channel, &req, &options, arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->user;
	return r;
}

static void test_set_roles_voids_older_tokens(void **state)
{
	struct testserver *t = *state;
	struct testserver *other = testserver_replica(t);
	struct testuser admin;
	Role roles[] = {EDU__V1__ROLE__ROLE_INSTRUCTOR, EDU__V1__ROLE__ROLE_INSTRUCTOR};
	Session *next;
	User *user;
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	const char *id = register_ok(t, "promoted", NULL);
	Session *session = login_ok(t, "promoted");
	int r = get_self(other, session->access_token, NULL, &err);
	assert_ok(r, &err);
	r = set_roles(t, &t->arena, &admin, id, roles, 2, &user, &err);
	assert_ok(r, &err);
	assert_int_equal(user->n_roles, 2);
	assert_int_equal(user->roles[1], EDU__V1__ROLE__ROLE_INSTRUCTOR);
	r = get_self(t, session->access_token, NULL, &err);
	assert_reason(r, &err, "TOKEN_REVOKED");
	await_reason(other, session->access_token, "TOKEN_REVOKED");
	r = refresh(t, &t->arena, session->refresh_token, &next, &err);
	assert_ok(r, &err);
	assert_int_equal(next->user->n_roles, 2);
	r = get_self(t, next->access_token, NULL, &err);
	assert_ok(r, &err);
	r = get_self(other, next->access_token, NULL, &err);
	assert_ok(r, &err);
	assert_int_equal(testdb_number(t->db,
				       "SELECT COUNT(*) FROM audit a JOIN user u ON u.user_id = a.subject_id"
				       " WHERE u.user_name = 'promoted' AND a.action = 'SetUserRoles'"
				       " AND a.reason = 'the test says so'"),
			 1);
	testserver_replica_free(other);
}

/*
 * Revocation asks no clock: on a replica whose clock is ahead of the one that took the role, or behind it,
 * the former administrator has no power a second later, and cannot give it back to himself.
 */
static void test_a_removed_administrator_stays_removed_whatever_the_clocks_say(void **state)
{
	static const int64_t ahead_us[] = {3000000, 20000000, -20000000};
	struct testserver *t = *state;
	Role all[] = {EDU__V1__ROLE__ROLE_ADMIN}, least[] = {EDU__V1__ROLE__ROLE_LEARNER};

	for (unsigned i = 0; i < ARRAY_SIZE(ahead_us); i++) {
		struct testserver *other = testserver_replica(t);
		struct testuser admin, former;
		struct error err;

		other->clock.ahead_us = ahead_us[i];
		testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
		testserver_user(t, NULL, ROLE_MASK_ADMIN, &former);
		testserver_token(other, &former, ROLE_MASK_ADMIN);
		int r = get_self(other, former.token, NULL, &err);
		assert_ok(r, &err);
		r = set_roles(t, &t->arena, &admin, former.id, least, 1, NULL, &err);
		assert_ok(r, &err);
		/* At once, before the other replica has heard of it. */
		r = set_roles(other, &t->arena, &former, former.id, all, 1, NULL, &err);
		assert_reason(r, &err, "TOKEN_REVOKED");
		await_reason(other, former.token, "TOKEN_REVOKED");
		r = set_roles(t, &t->arena, &former, former.id, all, 1, NULL, &err);
		assert_reason(r, &err, "TOKEN_REVOKED");
		testserver_replica_free(other);
	}
}

static void test_set_roles_is_for_administrators(void **state)
{
	struct testserver *t = *state;
	struct testuser ada, admin;
	Role none[] = {EDU__V1__ROLE__ROLE_UNSPECIFIED}, support[] = {EDU__V1__ROLE__ROLE_SUPPORT};
	SetUserRolesRequest req = SET_USER_ROLES_REQUEST_INIT;
	SetUserRolesResponse *reply;
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_SUPPORT, &ada);
	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	int r = set_roles(t, &t->arena, &ada, ada.id, support, 1, NULL, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = set_roles(t, &t->arena, NULL, ada.id, support, 1, NULL, &err);
	assert_reason(r, &err, "TOKEN_MISSING");
	r = set_roles(t, &t->arena, &admin, "usr_0000000000001", support, 1, NULL, &err);
	assert_reason(r, &err, "USER_NOT_FOUND");
	r = set_roles(t, &t->arena, &admin, ada.id, NULL, 0, NULL, &err); /* forgotten, not meant */
	assert_reason(r, &err, "FIELD_INVALID");
	r = set_roles(t, &t->arena, &admin, ada.id, none, 1, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	struct client_call_options options = as(&admin);
	r = edu_service_set_user_roles_call(t->channel, &req, &options, &t->arena, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "user_id");
	assert_violation(&err, "reason");
}

struct abdication {
	struct testserver *t;
	const struct testuser *who, *whom;
	int r;
	struct error err;
};

static void *abdicate(void *arg)
{
	struct abdication *a = arg;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	a->r = set_roles(a->t, &arena, a->who, a->whom->id, NULL, 0, NULL, &a->err);
	arena_done(&arena);
	return NULL;
}

static void test_an_administrator_is_always_left(void **state)
{
	struct testserver *t = *state;
	struct testuser admins[6];
	struct abdication all[6];
	unsigned left = 0;

	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(conn, "UPDATE user SET roles = 1, administrator = NULL");
	db_close(conn);
	for (unsigned i = 0; i < 6; i++)
		testserver_user(t, NULL, ROLE_MASK_ADMIN, &admins[i]);
	/* Each takes the next one's role away, and so round. */
	for (unsigned i = 0; i < 6; i++)
		all[i] = (struct abdication){.t = t, .who = &admins[i], .whom = &admins[(i + 1) % 6]};
	threads_run(6, abdicate, all, sizeof(all[0]));
	for (unsigned i = 0; i < 6; i++)
		left += all[i].r < 0;
	assert_true(left >= 1);
	assert_int_equal(testdb_number(t->db, "SELECT COUNT(*) FROM user WHERE administrator = 1"), left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_an_address_is_a_note_until_verified),
		cmocka_unit_test(test_a_time_zone_is_one_of_iana),
		cmocka_unit_test(test_a_name_begins_and_ends_with_a_letter_or_digit),
		cmocka_unit_test(test_register_refuses_bad_fields),
		cmocka_unit_test(test_register_race_has_one_winner),
		cmocka_unit_test(test_passwords_are_hashed_at_rest),
		cmocka_unit_test(test_login_by_name_and_by_address),
		cmocka_unit_test(test_login_trims_the_name),
		cmocka_unit_test(test_a_password_is_the_same_however_it_is_typed),
		cmocka_unit_test(test_login_tells_nothing),
		cmocka_unit_test(test_login_refuses_the_suspended),
		cmocka_unit_test(test_login_upgrades_the_hash),
		cmocka_unit_test(test_refresh_rotates),
		cmocka_unit_test(test_a_repeated_refresh_gets_the_same_successor),
		cmocka_unit_test(test_reuse_ends_the_family_everywhere),
		cmocka_unit_test(test_a_refresh_race_has_one_successor),
		cmocka_unit_test(test_refresh_tokens_end),
		cmocka_unit_test(test_tokens_are_asked_for),
		cmocka_unit_test(test_a_passed_deadline_is_not_executed),
		cmocka_unit_test(test_get_user_is_for_oneself_and_support),
		cmocka_unit_test(test_update_user),
		cmocka_unit_test(test_update_user_refuses_bad_masks),
		cmocka_unit_test(test_set_roles_voids_older_tokens),
		cmocka_unit_test(test_a_removed_administrator_stays_removed_whatever_the_clocks_say),
		cmocka_unit_test(test_set_roles_is_for_administrators),
		cmocka_unit_test(test_an_administrator_is_always_left),
	};
	return cmocka_run_group_tests(tests, testserver_setup, testserver_teardown);
}
