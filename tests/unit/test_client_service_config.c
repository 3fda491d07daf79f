/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "client/client.h"
#include "edu/v1/edu_service.tables.h"

static json_t *config_of(const struct service_desc *const *services)
{
	struct arena arena;

	arena_init(&arena, 1 << 20);
	const char *text = client_service_config(services, &arena);
	assert_non_null(text);
	json_t *config = json_loads(text, 0, NULL);
	arena_done(&arena);
	assert_non_null(config);
	return config;
}

static bool names_hold(const json_t *names, const char *method)
{
	size_t i;
	json_t *name;

	json_array_foreach((json_t *)names, i, name)
	{
		assert_string_equal(json_string_value(json_object_get(name, "service")), "edu.v1.EduService");
		if (strcmp(json_string_value(json_object_get(name, "method")), method) == 0)
			return true;
	}
	return false;
}

static void test_names_what_the_contract_calls_retryable(void **state)
{
	const struct service_desc *services[] = {&edu_service_desc, NULL};
	json_t *config = config_of(services);
	json_t *method = json_array_get(json_object_get(config, "methodConfig"), 0);
	const json_t *names = json_object_get(method, "name");
	unsigned retryable = 0;

	for (unsigned i = 0; i < edu_service_desc.n_methods; i++) {
		const struct method_desc *m = &edu_service_desc.methods[i];
		assert_int_equal(names_hold(names, m->name), m->policy.retryable);
		retryable += m->policy.retryable;
	}
	assert_int_equal(json_array_size(names), retryable);
	assert_true(names_hold(names, "PurchaseCourse"));
	assert_false(names_hold(names, "RefreshSession"));
	json_decref(config);
}

static void test_repeats_what_nobody_answered(void **state)
{
	const struct service_desc *services[] = {&edu_service_desc, NULL};
	json_t *config = config_of(services);
	json_t *policy =
		json_object_get(json_array_get(json_object_get(config, "methodConfig"), 0), "retryPolicy");
	const json_t *codes = json_object_get(policy, "retryableStatusCodes");

	assert_int_equal(json_integer_value(json_object_get(policy, "maxAttempts")), 4);
	assert_int_equal(json_array_size(codes), 2);
	assert_string_equal(json_string_value(json_array_get(codes, 0)), "UNAVAILABLE");
	assert_string_equal(json_string_value(json_array_get(codes, 1)), "CANCELLED");
	json_decref(config);
}

/* An empty list of names would make the policy every method's. */
static void test_no_retryable_method_means_no_policy(void **state)
{
	const struct service_desc *services[] = {NULL};
	json_t *config = config_of(services);

	assert_int_equal(json_object_size(config), 0);
	json_decref(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_what_the_contract_calls_retryable),
		cmocka_unit_test(test_repeats_what_nobody_answered),
		cmocka_unit_test(test_no_retryable_method_means_no_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
