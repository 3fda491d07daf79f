/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "grpc_c/v1/options.pb-c.h"
#include "proto/runtime/array.h"
#include "server/rpc/policy.h"

/* What the authenticator makes of a token, by its first letter. */
static int authenticate(void *arg, const struct rpc_bearer *bearer, struct principal *ret, struct error *err)
{
	int *asked = arg;

	++*asked;
	switch (bearer->token.data[0]) {
	case 'a':
		*ret = (struct principal){.user_id = 1, .roles = ROLE_MASK_ADMIN};
		return 0;
	case 'l':
		*ret = (struct principal){.user_id = 2, .roles = ROLE_MASK_LEARNER};
		return 0;
	case 'p':
		*ret = (struct principal){.user_id = 3, .organization_id = 9, .scopes = SCOPE_PAYMENTS};
		return 0;
	case 'r':
		/* A service account never passes by its roles. */
		*ret = (struct principal){.user_id = 4, .organization_id = 9, .roles = ROLE_MASK_ADMIN};
		return 0;
	case 'u':
		*ret = (struct principal){.user_id = 5};
		return RPC_UNCONFIRMED;
	default:
		return error_raise(err, &RPC_REASON_TOKEN_INVALID, "no");
	}
}

static int admit(void *arg, const char *rate_class, const struct principal *who, const char *address,
		 struct error *err)
{
	assert_string_equal(rate_class, "class");
	if (strcmp(address, "192.0.2.1") == 0)
		return error_raise(err, &RPC_REASON_RATE_LIMITED, "wait");
	return 0;
}

/* All of it, for who needs no confirmation. */
static int policy_check(const struct method *m, const struct rpc_authenticator *auth,
			const struct policy_caller *caller, struct principal *who, struct error *err)
{
	struct span token;
	int r = policy_identify(m, auth, caller, who, &token, err);

	return r == 0 ? policy_allow(m, who, err) : r;
}

static int asked;
static const struct rpc_authenticator auth = {.authenticate = authenticate, .admit = admit, .arg = &asked};
static const struct method_desc desc = {.name = "M", .path = "/s/M", .policy = {.rate_class = "class"}};

struct outcome {
	const char *header;                /* NULL: none */
	const struct error_reason *reason; /* NULL: admitted */
	int64_t user_id;
};

static void check(const struct method *m, const struct rpc_authenticator *with, const struct outcome *cases,
		  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct policy_caller caller = {.authorization = span_str(cases[i].header),
						     .address = ""};
		struct principal who = {.user_id = 77, .roles = UINT32_MAX};
		struct error err;
		int r;

		error_clear(&err);
		r = policy_check(m, with, &caller, &who, &err);
		if (cases[i].reason) {
			assert_int_equal(r, -cases[i].reason->code);
			assert_ptr_equal(err.reason, cases[i].reason);
		} else {
			assert_int_equal(r, 0);
			assert_int_equal(who.user_id, cases[i].user_id);
		}
	}
}

#define CHECK(m, with, ...)                                                                                  \
	check(m, with, (const struct outcome[]){__VA_ARGS__},                                                \
	      sizeof((const struct outcome[]){__VA_ARGS__}) / sizeof(struct outcome))

static void test_public(void **state)
{
	const struct method m = {.desc = &desc, .access = METHOD_ACCESS_PUBLIC};

	CHECK(&m, &auth, {NULL, NULL, 0}, {"Bearer l", NULL, 2}, {"bEARER l", NULL, 2},
	      {"Bearer x", &RPC_REASON_TOKEN_INVALID, 0}, {"Basic l", &RPC_REASON_TOKEN_INVALID, 0},
	      {"Bearer ", &RPC_REASON_TOKEN_INVALID, 0}, {"", &RPC_REASON_TOKEN_INVALID, 0});
}

static void test_signed_in(void **state)
{
	const struct method m = {.desc = &desc, .access = METHOD_ACCESS_SIGNED_IN};

	/* Asking for no role lets every user in, and no service account. */
	CHECK(&m, &auth, {NULL, &RPC_REASON_TOKEN_MISSING, 0}, {"Bearer l", NULL, 2}, {"Bearer a", NULL, 1},
	      {"Bearer p", &RPC_REASON_SCOPE_MISSING, 0});
}

static void test_roles_and_scopes(void **state)
{
	const struct method m = {
		.desc = &desc,
		.access = METHOD_ACCESS_SIGNED_IN,
		.roles = ROLE_MASK_ADMIN | ROLE_MASK_SUPPORT,
		.scopes = SCOPE_PAYMENTS,
	};

	CHECK(&m, &auth, {"Bearer l", &RPC_REASON_ROLE_MISSING, 0}, {"Bearer a", NULL, 1},
	      {"Bearer p", NULL, 3}, {"Bearer r", &RPC_REASON_SCOPE_MISSING, 0},
	      {NULL, &RPC_REASON_TOKEN_MISSING, 0});
}

/* Whoever is refused for a role or a scope knows which to ask for. */
static void test_what_is_missing_is_named(void **state)
{
	const struct method m = {
		.desc = &desc,
		.access = METHOD_ACCESS_SIGNED_IN,
		.roles = ROLE_MASK_ADMIN | ROLE_MASK_SUPPORT,
		.scopes = SCOPE_PAYMENTS,
	};
	const struct principal learner = {.user_id = 2, .roles = ROLE_MASK_LEARNER},
			       account = {.user_id = 3, .organization_id = 4};
	struct error err;

	assert_true(policy_allow(&m, &learner, &err) < 0);
	assert_string_equal(err.metadata[0].key, "roles");
	assert_string_equal(err.metadata[0].value, "SUPPORT or ADMIN");
	assert_true(policy_allow(&m, &account, &err) < 0);
	assert_string_equal(err.metadata[0].key, "scopes");
	assert_string_equal(err.metadata[0].value, scope_name(SCOPE_PAYMENTS));
}

static void test_none(void **state)
{
	const struct method m = {.desc = &desc, .access = METHOD_ACCESS_NONE};

	CHECK(&m, &auth, {NULL, &RPC_REASON_ROLE_MISSING, 0}, {"Bearer a", &RPC_REASON_ROLE_MISSING, 0},
	      {"Bearer p", &RPC_REASON_ROLE_MISSING, 0});
}

static void test_without_authenticator(void **state)
{
	const struct rpc_authenticator nobody = {0};
	const struct method open = {.desc = &desc, .access = METHOD_ACCESS_PUBLIC};
	const struct method closed = {.desc = &desc, .access = METHOD_ACCESS_SIGNED_IN};

	CHECK(&open, &nobody, {NULL, NULL, 0}, {"Bearer a", NULL, 0});
	CHECK(&closed, &nobody, {NULL, &RPC_REASON_TOKEN_MISSING, 0},
	      {"Bearer a", &RPC_REASON_TOKEN_MISSING, 0});
}

static void test_rate(void **state)
{
	const struct method m = {.desc = &desc, .access = METHOD_ACCESS_PUBLIC};
	const struct policy_caller caller = {.address = "192.0.2.1"};
	struct principal who;
	struct error err;

	assert_int_equal(policy_check(&m, &auth, &caller, &who, &err), -STATUS_RESOURCE_EXHAUSTED);
	assert_ptr_equal(err.reason, &RPC_REASON_RATE_LIMITED);
}

/* Counted before the database is asked, for which the token is handed on. */
static void test_unconfirmed(void **state)
{
	const struct method m = {.desc = &desc, .access = METHOD_ACCESS_SIGNED_IN};
	struct policy_caller caller = {.authorization = span_str("Bearer unsure"), .address = ""};
	struct principal who;
	struct span token;
	struct error err;

	assert_int_equal(policy_identify(&m, &auth, &caller, &who, &token, &err), RPC_UNCONFIRMED);
	assert_int_equal(who.user_id, 5);
	assert_int_equal(token.len, 6);
	assert_memory_equal(token.data, "unsure", 6);
	caller.address = "192.0.2.1";
	assert_int_equal(policy_identify(&m, &auth, &caller, &who, &token, &err), -STATUS_RESOURCE_EXHAUSTED);
}

static void test_deadline(void **state)
{
	struct error err;

	assert_int_equal(policy_deadline(INT64_MAX, &err), 0);
	assert_int_equal(policy_deadline(monotonic_us() + 1000000, &err), 0);
	assert_int_equal(policy_deadline(monotonic_us(), &err), -STATUS_DEADLINE_EXCEEDED);
	assert_ptr_equal(err.reason, &RPC_REASON_DEADLINE_PASSED);
}

/* Where what a policy says is shown to be enforced. */
static const char *const shown[][2] = {
	{"MethodPolicy.access", "test_public, test_signed_in, test_none"},
	{"MethodPolicy.roles", "test_roles_and_scopes"},
	{"MethodPolicy.scopes", "test_roles_and_scopes"},
	{"MethodPolicy.rate_class", "test_rate"},
	{"MethodPolicy.retryable", "test_client_service_config.c"},
	{"MethodPolicy.max_request_bytes", "test_rpc_server.c"},
	{"MethodPolicy.subject", "its members, below"},
	{"SubjectPolicy.source", "test_rpc_subject.c"},
	{"SubjectPolicy.field", "test_rpc_subject.c"},
	{"SubjectPolicy.roles", "test_rpc_subject.c"},
	{"SubjectPolicy.scopes", "test_rpc_subject.c"},
	{"SubjectPolicy.delegates", "test_rpc_subject.c"},
};

/* What the options let a policy say and nobody enforces is named. */
static void test_each_option_is_shown(void **state)
{
	const ProtobufCMessageDescriptor *const policies[] = {&grpc_c__v1__method_policy__descriptor,
							      &grpc_c__v1__subject_policy__descriptor};

	for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
		for (unsigned i = 0; i < policies[p]->n_fields; i++) {
			char option[64];
			size_t k = 0;

			(void)snprintf(option, sizeof(option), "%s.%s", policies[p]->short_name,
				       policies[p]->fields[i].name);
			while (k < ARRAY_SIZE(shown) && strcmp(shown[k][0], option) != 0)
				k++;
			if (k == ARRAY_SIZE(shown))
				fail_msg("say which test shows that %s is enforced", option);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_signed_in),
		cmocka_unit_test(test_roles_and_scopes),
		cmocka_unit_test(test_what_is_missing_is_named),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_without_authenticator),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_unconfirmed),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_each_option_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
