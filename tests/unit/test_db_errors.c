/* SPDX-License-Identifier: Apache-2.0 */
#include <errmsg.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/db/errors.h"

/* The client's errors that come before a statement can have been sent; every other leaves it open. */
static enum db_failure expected_of_client(unsigned number)
{
	switch (number) {
	case CR_SOCKET_CREATE_ERROR:
	case CR_CONNECTION_ERROR:
	case CR_CONN_HOST_ERROR:
	case CR_IPSOCK_ERROR:
	case CR_UNKNOWN_HOST:
		return DB_FAILURE_AWAY;
	case CR_NO_PREPARE_STMT:
	case CR_PARAMS_NOT_BOUND:
	case CR_FUNCTION_NOT_SUPPORTED:
	case CR_BULK_WITHOUT_PARAMETERS:
		return DB_FAILURE_OTHER;
	default:
		return DB_FAILURE_LOST;
	}
}

static void check_range(unsigned first, unsigned last)
{
	for (unsigned n = first; n <= last; n++)
		if (db_failure_of(n) != expected_of_client(n))
			fail_msg("client error %u is classed as %d", n, db_failure_of(n));
}

static void test_every_error_of_the_client_leaves_it_open(void **state)
{
	check_range(2000, 2999);
	check_range(5000, 5999);
	assert_int_equal(db_failure_of(CR_SSL_CONNECTION_ERROR), DB_FAILURE_LOST);
	assert_int_equal(db_failure_of(CR_SERVER_LOST), DB_FAILURE_LOST);
	assert_int_equal(db_failure_of(CR_ERR_NET_READ), DB_FAILURE_LOST);
	assert_int_equal(db_failure_of(0), DB_FAILURE_LOST);
}

static void test_errors_of_the_server(void **state)
{
	static const struct {
		unsigned number;
		enum db_failure failure;
	} cases[] = {
		{1020, DB_FAILURE_CONFLICT}, /* record has changed */
		{1047, DB_FAILURE_CONFLICT}, /* a cluster's node that is not ready */
		{1205, DB_FAILURE_LOCKED},   /* lock wait */
		{1213, DB_FAILURE_CONFLICT}, /* deadlock */
		{1053, DB_FAILURE_LOST},     /* shutting down */
		{1079, DB_FAILURE_LOST},     /* shut down */
		{1158, DB_FAILURE_LOST},     /* reading from the network */
		{1159, DB_FAILURE_LOST},     /* the same, in time */
		{1927, DB_FAILURE_LOST},     /* connection killed */
		{1021, DB_FAILURE_AWAY},     /* disk full */
		{1040, DB_FAILURE_AWAY},     /* too many connections */
		{1203, DB_FAILURE_AWAY},     /* of this user */
		{1290, DB_FAILURE_AWAY},     /* read_only */
		{1317, DB_FAILURE_AWAY},     /* killed by a person */
		{1969, DB_FAILURE_DEADLINE}, /* max_statement_time */
		{1062, DB_FAILURE_DUPLICATE}, {1586, DB_FAILURE_DUPLICATE},
		{1048, DB_FAILURE_OTHER}, /* column cannot be NULL */
		{1054, DB_FAILURE_OTHER}, /* unknown column */
		{1064, DB_FAILURE_OTHER}, /* syntax */
		{1146, DB_FAILURE_OTHER}, /* no such table */
		{1406, DB_FAILURE_OTHER}, /* data too long */
		{1452, DB_FAILURE_OTHER}, /* foreign key */
		{1999, DB_FAILURE_OTHER},     {3000, DB_FAILURE_OTHER},
		{4999, DB_FAILURE_OTHER},     {6000, DB_FAILURE_OTHER},
	};
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		if (db_failure_of(cases[i].number) != cases[i].failure)
			fail_msg("error %u is classed as %d", cases[i].number,
				 db_failure_of(cases[i].number));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_error_of_the_client_leaves_it_open),
		cmocka_unit_test(test_errors_of_the_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
