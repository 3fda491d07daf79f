/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "proto/runtime/service.h"

static const struct method_desc methods[] = {{.name = "GetCourse"}, {.name = "ListCourses"}};
static const struct service_desc service = {.name = "edu.v1.EduService", .methods = methods, .n_methods = 2};

static void test_finds_methods_by_name(void **state)
{
	assert_ptr_equal(service_method(&service, "GetCourse"), &methods[0]);
	assert_ptr_equal(service_method(&service, "ListCourses"), &methods[1]);
	assert_null(service_method(&service, "getCourse"));
	assert_null(service_method(&service, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_finds_methods_by_name)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
