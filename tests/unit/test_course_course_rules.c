/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/ids.h"
#include "server/course/course_proto.h"
#include "server/course/course_rules.h"
#include "server/user/user_names.h"

static const struct principal nobody;
static const struct principal teacher = {.user_id = 7, .roles = ROLE_MASK_INSTRUCTOR};
static const struct principal former = {.user_id = 7, .roles = ROLE_MASK_LEARNER};
static const struct principal stranger = {.user_id = 8, .roles = ROLE_MASK_INSTRUCTOR};
static const struct principal admin = {.user_id = 9, .roles = ROLE_MASK_ADMIN};

static struct course complete(void)
{
	return (struct course){
		.course_id = 5,
		.creator_id = 7,
		.title = (char *)"t",
		.summary = (char *)"s",
		.subject_id = 1,
		.language = (char *)"en",
		.level = 1,
		.pricing = COURSE_FREE,
		.state = COURSE_DRAFT,
		.draft_lesson_count = 1,
		.version = 3,
		.n_instructors = 1,
		.instructors = {{7, 10000}},
	};
}

static void test_who_sees_and_changes(void **state)
{
	struct course c = complete();
	struct error err;

	assert_true(course_seen_by(&c, &teacher));
	assert_true(course_seen_by(&c, &admin));
	assert_false(course_seen_by(&c, &stranger));
	assert_false(course_seen_by(&c, &nobody));
	assert_true(course_acts_as_instructor(c.instructors, 1, &teacher));
	assert_false(course_acts_as_instructor(c.instructors, 1, &admin));
	assert_int_equal(course_refused(course_seen_by(&c, &stranger), 1, &err), -STATUS_NOT_FOUND);
	c.state = COURSE_PUBLISHED;
	assert_true(course_seen_by(&c, &nobody));
	assert_int_equal(course_refused(course_seen_by(&c, &stranger), 1, &err), -STATUS_PERMISSION_DENIED);
	assert_ptr_equal(err.reason, &REASON_NOT_COURSE_INSTRUCTOR);
	/* Who is no longer INSTRUCTOR no longer acts as one. */
	assert_false(course_acts_as_instructor(c.instructors, 1, &former));
	c.state = COURSE_DRAFT;
	assert_false(course_seen_by(&c, &former));
	/* An instructor with the id 0 is not everybody who is not signed in. */
	c.state = COURSE_DRAFT;
	c.instructors[0].user_id = 0;
	assert_false(course_seen_by(&c, &nobody));
}

static void test_a_published_course_changes_its_price_alone(void **state)
{
	static char *const pricing[] = {(char *)"free", (char *)"price_list"};
	static char *const more[] = {(char *)"title", (char *)"price_list", (char *)"instructors"};
	struct course c = complete();
	struct error err;

	assert_int_equal(course_check_editable(&c, more, 3, &err), 0);
	c.state = COURSE_PUBLISHED;
	assert_int_equal(course_check_editable(&c, pricing, 2, &err), 0);
	assert_int_equal(course_check_editable(&c, more, 3, &err), -STATUS_FAILED_PRECONDITION);
	assert_ptr_equal(err.reason, &REASON_COURSE_STATE_INVALID);
	assert_string_equal(err.metadata[0].value, "PUBLISHED");
	assert_int_equal(err.n_violations, 2);
	assert_string_equal(err.violations[0].field, "title");
	assert_string_equal(err.violations[1].field, "instructors");
	assert_int_equal(err.violation_kind, ERROR_VIOLATION_PRECONDITION);
}

static void test_nobody_reviews_the_own_course(void **state)
{
	const struct principal creator = {.user_id = 70, .roles = ROLE_MASK_ADMIN};
	const struct principal teaching = {.user_id = 7, .roles = ROLE_MASK_ADMIN};
	struct course c = complete();
	struct error err;

	c.creator_id = 70;
	assert_int_equal(course_check_reviewer(&c, &admin, &err), 0);
	assert_int_equal(course_check_reviewer(&c, &creator, &err), -STATUS_PERMISSION_DENIED);
	assert_ptr_equal(err.reason, &REASON_SELF_APPROVAL);
	assert_int_equal(course_check_reviewer(&c, &teaching, &err), -STATUS_PERMISSION_DENIED);
}

static void test_complete_lists_all_that_is_missing(void **state)
{
	struct course c = complete();
	struct error err;

	assert_int_equal(course_check_complete(&c, &err), 0);
	c.summary = c.language = (char *)"";
	c.subject_id = 0;
	c.level = 0;
	c.pricing = COURSE_UNPRICED;
	c.n_instructors = 0;
	c.draft_lesson_count = 0;
	assert_int_equal(course_check_complete(&c, &err), -STATUS_FAILED_PRECONDITION);
	assert_int_equal(err.n_violations, 7);
	assert_int_equal(err.violation_kind, ERROR_VIOLATION_PRECONDITION);
}

static void test_shares(void **state)
{
	struct course c = complete();
	char ids[2][ID_TEXT_MAX];
	CourseInstructor a = COURSE_INSTRUCTOR_INIT, b = COURSE_INSTRUCTOR_INIT, *list[] = {&a, &b};
	struct error err;

	a.user_id = id_format(ID_USER, 7, ids[0]);
	b.user_id = id_format(ID_USER, 8, ids[1]);
	a.share_basis_points = 9999;
	b.share_basis_points = 1;
	assert_int_equal(course_take_instructors(&c, list, 2, &err), 0);
	assert_int_equal(c.n_instructors, 2);
	b.share_basis_points = 2;
	assert_true(course_take_instructors(&c, list, 2, &err) < 0);
	b.user_id = ids[0];
	b.share_basis_points = 0;
	assert_true(course_take_instructors(&c, list, 2, &err) < 0);
	assert_string_equal(err.violations[0].field, "instructors[1].user_id");
}

static void test_fields_that_are_not_named_stay(void **state)
{
	struct course c = complete();
	Course from = COURSE_INIT;
	char *title[] = {(char *)"title"}, *free_path[] = {(char *)"free"},
	     *instructors[] = {(char *)"instructors"};
	struct error err;

	from.title = (char *)"new";
	assert_int_equal(course_take_fields(&c, &from, title, 1, &teacher, &err), 0);
	assert_string_equal(c.title, "new");
	assert_string_equal(c.summary, "s");
	assert_int_equal(c.pricing, COURSE_FREE);
	assert_int_equal(course_take_fields(&c, &from, free_path, 1, &teacher, &err), 0);
	assert_int_equal(c.pricing, COURSE_UNPRICED);
	c.state = COURSE_PUBLISHED;
	assert_true(course_take_fields(&c, &from, free_path, 1, &teacher, &err) < 0);
	assert_string_equal(err.violations[0].field, "course.pricing");
	assert_true(course_take_fields(&c, &from, instructors, 1, &admin, &err) < 0);
	assert_string_equal(err.violations[0].field, "course.instructors");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_sees_and_changes),
		cmocka_unit_test(test_a_published_course_changes_its_price_alone),
		cmocka_unit_test(test_nobody_reviews_the_own_course),
		cmocka_unit_test(test_complete_lists_all_that_is_missing),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_fields_that_are_not_named_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
