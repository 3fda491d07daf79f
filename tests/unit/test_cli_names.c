/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "client/cli/names.h"
#include <cmocka.h>
#include <string.h>

static void test_forms(void **state)
{
	char out[NAME_SIZE];

	name_kebab("SubmitCourseForReview", out);
	assert_string_equal(out, "submit-course-for-review");
	name_kebab("share_basis_points", out);
	assert_string_equal(out, "share-basis-points");
	name_snake("price-list", out);
	assert_string_equal(out, "price_list");
	name_upper_snake("CourseState", out);
	assert_string_equal(out, "COURSE_STATE");
	name_upper_snake("in-review", out);
	assert_string_equal(out, "IN_REVIEW");
}

static void test_long_names_are_cut(void **state)
{
	char longest[2 * NAME_SIZE], out[NAME_SIZE];

	for (size_t i = 0; i < sizeof(longest) - 1; i++)
		longest[i] = i % 2 ? 'a' : 'A';
	longest[sizeof(longest) - 1] = '\0';
	name_kebab(longest, out);
	assert_true(strlen(out) < NAME_SIZE);
}

static const char *nearest(const char *typed)
{
	static struct name_guess guess;

	name_guess_begin(&guess, typed);
	name_guess_offer(&guess, "create-course");
	name_guess_offer(&guess, "create-lesson");
	name_guess_offer(&guess, "list-courses");
	return name_guess_end(&guess);
}

static void test_guesses(void **state)
{
	assert_string_equal(nearest("creat-course"), "create-course");
	assert_string_equal(nearest("create-lessons"), "create-lesson");
	assert_string_equal(nearest("list"), "list-courses");
	assert_null(nearest("purchase"));
	assert_null(nearest("x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_long_names_are_cut),
		cmocka_unit_test(test_guesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
