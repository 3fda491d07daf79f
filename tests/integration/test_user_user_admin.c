/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/user/user_admin.h"
#include "tests/lib/testdb.h"

static int create(const struct testdb *t, const char *name, const char *email, const char *password,
		  int64_t *ret_user_id, struct error *err)
{
	const struct user_admin admin = {.user_name = name,
					 .email = email,
					 .password = password,
					 .argon2_kib = 64,
					 .argon2_passes = 1};
	struct db_conn *conn = testdb_connect(t, user_admin_stmts);
	const struct node_lease_config config = {.db = &t->config, .clock = &clock_system};
	struct node_lease *node;
	error_clear(err);
	assert_int_equal(node_lease_start(&config, &node, err), 0);
	int r = user_admin_create(conn, &clock_system, node, &admin, ret_user_id, err);
	node_lease_stop(node);
	db_close(conn);
	return r;
}

static void test_makes_an_administrator(void **state)
{
	const struct testdb *t = *state;
	struct error err;
	int64_t user_id = 0;
	assert_int_equal(create(t, "Root", "Root@example.org", "long enough", &user_id, &err), 0);
	assert_true(user_id > 0);
	assert_int_equal(testdb_number(t,
				       "SELECT COUNT(*) FROM user WHERE user_name = 'root' AND roles = 17"
				       " AND email = 'root@example.org' AND administrator = 1 AND state = 1"
				       " AND password_hash LIKE '$argon2id$%'"),
			 1);
	assert_int_equal(testdb_number(t, "SELECT COUNT(*) FROM audit WHERE action = 'create-admin'"), 1);
	assert_int_equal(testdb_number(t, "SELECT COUNT(*) FROM event WHERE kind = 'user.registered'"), 1);
}

static void test_refuses_what_is_taken(void **state)
{
	const struct testdb *t = *state;
	struct error err;
	int64_t user_id;
	assert_true(create(t, "taken", "taken@example.org", "long enough", &user_id, &err) >= 0);
	assert_true(create(t, "TAKEN", NULL, "long enough", &user_id, &err) < 0);
	assert_string_equal(err.reason->name, "USER_NAME_IN_USE");
	assert_int_equal(testdb_number(t, "SELECT COUNT(*) FROM user WHERE user_name = 'taken'"), 1);
	/* The address is a note until it is verified. */
	assert_true(create(t, "other", "Taken@example.org", "long enough", &user_id, &err) >= 0);
	assert_int_equal(testdb_number(t, "SELECT COUNT(*) FROM user WHERE verified_email IS NOT NULL"), 0);
}

static void test_refuses_what_the_contract_does(void **state)
{
	const struct testdb *t = *state;
	struct error err;
	int64_t user_id;
	assert_true(create(t, "no spaces", "nobody", "short", &user_id, &err) < 0);
	assert_string_equal(err.reason->name, "FIELD_INVALID");
	assert_int_equal(err.n_violations, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_makes_an_administrator),
		cmocka_unit_test(test_refuses_what_is_taken),
		cmocka_unit_test(test_refuses_what_the_contract_does),
	};
	return cmocka_run_group_tests(tests, testdb_setup, testdb_teardown);
}
