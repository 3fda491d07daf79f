/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/rpc/method.h"

static const struct service_desc service = {.name = "a.B"};

static int handle(const struct rpc_row *row, struct rpc_call *call, const ProtobufCMessage *req,
		  ProtobufCMessage *ret, struct error *err)
{
	return 0;
}

static void a_function(void)
{
}

static struct method_desc desc_of(const char *const *roles, const char *const *scopes)
{
	return (struct method_desc){
		.name = "C",
		.path = "/a.B/C",
		.service = &service,
		.policy = {.access = METHOD_ACCESS_SIGNED_IN,
			   .roles = roles,
			   .scopes = scopes,
			   .rate_class = "",
			   .subject = {.source = METHOD_SUBJECT_NONE}},
		.request_id_field = -1,
	};
}

static void test_number(void **state)
{
	/* The check value of CRC-32/ISO-HDLC. */
	assert_int_equal(method_number("123456789"), 0xcbf43926);
	assert_int_not_equal(method_number("/a.B/C"), method_number("/a.B/D"));
}

static void test_bind(void **state)
{
	static const char *const roles[] = {"ADMIN", "SUPPORT", NULL}, *const scopes[] = {"payments", NULL};
	struct method_desc desc = desc_of(roles, scopes);
	const struct rpc_row row = {
		.method = &desc, .thunk = handle, .handler = a_function, .place = RPC_ON_DB};
	struct method m;
	struct error err;

	assert_int_equal(method_bind(&m, &row, &err), 0);
	assert_int_equal(m.roles, ROLE_MASK_ADMIN | ROLE_MASK_SUPPORT);
	assert_int_equal(m.scopes, SCOPE_PAYMENTS);
	assert_int_equal(m.access, METHOD_ACCESS_SIGNED_IN);
	assert_true(method_takes_one(&m));
}

static void test_unknown_names(void **state)
{
	static const char *const roles[] = {"ADMIN", "KING", NULL}, *const scopes[] = {"all", NULL};
	struct method_desc desc = desc_of(roles, NULL);
	const struct rpc_row row = {.method = &desc, .thunk = handle, .handler = a_function};
	struct method m;
	struct error err;

	assert_int_equal(method_bind(&m, &row, &err), -STATUS_INTERNAL);
	assert_non_null(strstr(err.message, "KING"));
	desc = desc_of(NULL, scopes);
	assert_int_equal(method_bind(&m, &row, &err), -STATUS_INTERNAL);
	assert_non_null(strstr(err.message, "\"all\""));
}

static void test_subject(void **state)
{
	static const char *const roles[] = {"SUPPORT", NULL}, *const scopes[] = {"records.read", NULL};
	static const struct rpc_stream stream;
	struct method_desc desc = desc_of(NULL, NULL);
	struct rpc_row row = {.method = &desc, .thunk = handle, .handler = a_function, .stream = &stream};
	struct method m;
	struct error err;

	assert_int_equal(method_bind(&m, &row, &err), 0);
	assert_false(m.records);
	desc.policy.subject =
		(struct subject_policy){.source = METHOD_SUBJECT_FIELD, .roles = roles, .scopes = scopes};
	assert_int_equal(method_bind(&m, &row, &err), 0);
	assert_int_equal(m.subject_roles, ROLE_MASK_SUPPORT);
	assert_int_equal(m.subject_scopes, SCOPE_RECORDS_READ);
	assert_false(m.records);
	desc.idempotency = METHOD_NO_SIDE_EFFECTS;
	assert_int_equal(method_bind(&m, &row, &err), 0);
	assert_true(m.records);
	/* A stream cannot go elsewhere to have it recorded. */
	desc.kind = METHOD_SERVER_STREAM;
	assert_int_equal(method_bind(&m, &row, &err), -STATUS_INTERNAL);
	row.place = RPC_ON_DB;
	assert_int_equal(method_bind(&m, &row, &err), 0);
	desc.policy.subject.roles = (const char *const[]){"KING", NULL};
	assert_int_equal(method_bind(&m, &row, &err), -STATUS_INTERNAL);
	desc.policy.subject = (struct subject_policy){.source = METHOD_SUBJECT_UNSAID};
	assert_int_equal(method_bind(&m, &row, &err), -STATUS_INTERNAL);
}

static void test_rows_without_handlers(void **state)
{
	static const struct rpc_stream stream;
	struct method_desc desc = desc_of(NULL, NULL);
	struct rpc_row row = {.method = &desc, .stream = &stream};
	struct method m;
	struct error err;

	assert_int_equal(method_bind(&m, &row, &err), -STATUS_INTERNAL);
	desc.kind = METHOD_BIDI;
	assert_int_equal(method_bind(&m, &row, &err), 0);
	assert_false(method_takes_one(&m));
	row.stream = NULL;
	assert_int_equal(method_bind(&m, &row, &err), -STATUS_INTERNAL);
	row.stream = &stream;
	row.place = RPC_PLACES;
	assert_int_equal(method_bind(&m, &row, &err), -STATUS_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_unknown_names),
		cmocka_unit_test(test_subject),
		cmocka_unit_test(test_rows_without_handlers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
