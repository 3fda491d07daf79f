/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/db/migrate.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

static struct testdb *db;
static struct db_conn *conn;
static struct error err;
static unsigned lines;

static void count_line(void *arg, const char *line)
{
	lines++;
}

static int apply(void)
{
	lines = 0;
	return migrate_apply(&db->config, count_line, NULL, &err);
}

static int setup_empty(void **state)
{
	db = testdb_new_empty();
	conn = testdb_connect(db, NULL);
	return 0;
}

static int setup_migrated(void **state)
{
	setup_empty(state);
	return apply();
}

static int teardown(void **state)
{
	db_close(conn);
	testdb_free(db);
	return 0;
}

static void expect_refusal(int r, const char *word)
{
	assert_int_equal(r, -STATUS_INTERNAL);
	if (!strstr(err.message, word))
		fail_msg("\"%s\" does not say \"%s\"", err.message, word);
}

static void test_an_empty_database_is_migrated_once(void **state)
{
	expect_refusal(migrate_check(&db->config, &err), "migrate");
	assert_int_equal(apply(), 0);
	assert_int_equal(lines, schema_n_migrations);
	assert_int_equal(migrate_check(&db->config, &err), 0);
	assert_int_equal(apply(), 0);
	assert_int_equal(lines, 0);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM schema_migration WHERE number > 0"),
			 schema_n_migrations);
}

static void *apply_thread(void *arg)
{
	struct error e;
	*(int *)arg = migrate_apply(&db->config, NULL, NULL, &e);
	return NULL;
}

static void test_processes_that_migrate_at_once_take_turns(void **state)
{
	int results[4] = {-1, -1, -1, -1};
	threads_run(4, apply_thread, results, sizeof(*results));
	for (int i = 0; i < 4; i++)
		assert_int_equal(results[i], 0);
	assert_int_equal(migrate_check(&db->config, &err), 0);
}

static void test_a_changed_migration_is_refused(void **state)
{
	testdb_run(conn, "UPDATE schema_migration SET checksum = REPEAT('x', 32) WHERE number = 1");
	expect_refusal(migrate_check(&db->config, &err), "0001_platform");
	expect_refusal(apply(), "0001_platform");
}

static void test_an_interrupted_migration_goes_on_where_it_stopped(void **state)
{
	testdb_run(conn, "DROP TABLE organization_member_span");
	testdb_run(
		conn,
		"UPDATE schema_migration SET finish_time = NULL, statements_applied = statements_applied - 1 "
		"WHERE number = 1");
	expect_refusal(migrate_check(&db->config, &err), "0001_platform");
	assert_int_equal(apply(), 0);
	assert_int_equal(lines, 1);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM organization_member_span"), 0);
	assert_int_equal(migrate_check(&db->config, &err), 0);
}

static void test_a_failing_statement_is_named(void **state)
{
	testdb_run(conn, "CREATE TABLE audit (a INT PRIMARY KEY)");
	expect_refusal(apply(), "migration 0001_platform, statement 10");
	testdb_run(conn, "DROP TABLE audit");
	assert_int_equal(apply(), 0);
	assert_int_equal(migrate_check(&db->config, &err), 0);
}

static void add_newer(unsigned compatible_with)
{
	char sql[256];
	testdb_run(conn, "DELETE FROM schema_migration WHERE number = 9000");
	snprintf(sql, sizeof(sql),
		 "INSERT INTO schema_migration (number, name, checksum, compatible_with, statements_applied, "
		 "finish_time) VALUES (9000, '9000_future', REPEAT('x', 32), %u, 1, 1)",
		 compatible_with);
	testdb_run(conn, sql);
}

static void test_a_server_runs_on_a_newer_schema_that_allows_it(void **state)
{
	add_newer(schema_n_migrations);
	assert_int_equal(migrate_check(&db->config, &err), 0);
	add_newer(schema_n_migrations + 1);
	expect_refusal(migrate_check(&db->config, &err), "9000_future");
	expect_refusal(apply(), "9000_future");
}

static void test_every_table_has_a_primary_key_and_a_comment(void **state)
{
	assert_int_equal(
		testdb_number(db,
			      "SELECT COUNT(*) FROM information_schema.tables t "
			      "WHERE t.table_schema = DATABASE() AND (t.engine <> 'InnoDB' OR NOT EXISTS ("
			      "SELECT 1 FROM information_schema.table_constraints c "
			      "WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name "
			      "AND c.constraint_type = 'PRIMARY KEY'))"),
		0);
	assert_int_equal(testdb_number(db,
				       "SELECT COUNT(*) FROM information_schema.columns "
				       "WHERE table_schema = DATABASE() AND extra LIKE '%auto_increment%'"),
			 0);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM information_schema.tables "
					   "WHERE table_schema = DATABASE() AND table_comment = ''"),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_empty_database_is_migrated_once, setup_empty,
						teardown),
		cmocka_unit_test_setup_teardown(test_processes_that_migrate_at_once_take_turns, setup_empty,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_failing_statement_is_named, setup_empty, teardown),
		cmocka_unit_test_setup_teardown(test_a_changed_migration_is_refused, setup_migrated,
						teardown),
		cmocka_unit_test_setup_teardown(test_an_interrupted_migration_goes_on_where_it_stopped,
						setup_migrated, teardown),
		cmocka_unit_test_setup_teardown(test_a_server_runs_on_a_newer_schema_that_allows_it,
						setup_migrated, teardown),
		cmocka_unit_test_setup_teardown(test_every_table_has_a_primary_key_and_a_comment,
						setup_migrated, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
