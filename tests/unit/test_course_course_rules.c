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
		.draft_lesson_count = 1,
		.stage = STAGE_DRAFT,
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
	c.stage = STAGE_PUBLISHED;
	assert_true(course_seen_by(&c, &nobody));
	assert_int_equal(course_refused(course_seen_by(&c, &stranger), 1, &err), -STATUS_PERMISSION_DENIED);
	assert_ptr_equal(err.reason, &REASON_NOT_COURSE_INSTRUCTOR);
	/* Who is no longer INSTRUCTOR no longer acts as one. */
	assert_false(course_acts_as_instructor(c.instructors, 1, &former));
	c.stage = STAGE_DRAFT;
	assert_false(course_seen_by(&c, &former));
	/* An instructor with the id 0 is not everybody who is not signed in. */
	c.stage = STAGE_DRAFT;
	c.instructors[0].user_id = 0;
	assert_false(course_seen_by(&c, &nobody));
}

static void test_the_price_is_not_reviewed(void **state)
{
	static char *const paths[] = {(char *)"free", (char *)"price_list", (char *)"title"};

	assert_true(course_only_pricing(paths, 1));
	assert_true(course_only_pricing(paths, 2));
	assert_false(course_only_pricing(paths, 3));
	assert_false(course_only_pricing(paths + 2, 1));
}

static void test_a_stage_is_shown_as_two_states(void **state)
{
	static const int states[COURSE_STAGES][2] = {
		[STAGE_DRAFT] = {COURSE_DRAFT},
		[STAGE_IN_REVIEW] = {COURSE_IN_REVIEW},
		[STAGE_PUBLISHED] = {COURSE_PUBLISHED},
		[STAGE_ARCHIVED] = {COURSE_ARCHIVED},
		[STAGE_REVISING] = {COURSE_PUBLISHED, COURSE_DRAFT},
		[STAGE_REVISION_IN_REVIEW] = {COURSE_PUBLISHED, COURSE_IN_REVIEW},
		[STAGE_SHELVED] = {COURSE_ARCHIVED, COURSE_DRAFT},
	};

	for (enum course_stage s = STAGE_DRAFT; s < COURSE_STAGES; s++) {
		assert_int_equal(course_state_of(s), states[s][0]);
		assert_int_equal(course_draft_state_of(s), states[s][1]);
	}
}

static void test_nobody_reviews_the_own_course(void **state)
{
	const struct principal creator = {.user_id = 70, .roles = ROLE_MASK_ADMIN};
	const struct principal teaching = {.user_id = 7, .roles = ROLE_MASK_ADMIN};
	const struct principal to_teach = {.user_id = 8, .roles = ROLE_MASK_ADMIN};
	struct course c = complete(), draft = complete();
	struct error err;

	c.creator_id = 70;
	assert_int_equal(course_check_reviewer(&c, &admin, &err), 0);
	assert_int_equal(course_check_reviewer(&c, &creator, &err), -STATUS_PERMISSION_DENIED);
	assert_ptr_equal(err.reason, &REASON_SELF_APPROVAL);
	assert_int_equal(course_check_reviewer(&c, &teaching, &err), -STATUS_PERMISSION_DENIED);
	/* Nor who is to teach it, by the draft that he would approve. */
	assert_int_equal(course_check_reviewer(&c, &to_teach, &err), 0);
	draft.instructors[0].user_id = 8;
	c.beside = &draft;
	assert_int_equal(course_check_reviewer(&c, &to_teach, &err), -STATUS_PERMISSION_DENIED);
	assert_int_equal(course_check_reviewer(&c, &teaching, &err), -STATUS_PERMISSION_DENIED);
	assert_int_equal(course_check_reviewer(&c, &admin, &err), 0);
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
	c.stage = STAGE_PUBLISHED;
	assert_true(course_take_fields(&c, &from, free_path, 1, &teacher, &err) < 0);
	assert_string_equal(err.violations[0].field, "course.pricing");
	assert_true(course_take_fields(&c, &from, instructors, 1, &admin, &err) < 0);
	assert_string_equal(err.violations[0].field, "course.instructors");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_sees_and_changes),
		cmocka_unit_test(test_the_price_is_not_reviewed),
		cmocka_unit_test(test_a_stage_is_shown_as_two_states),
		cmocka_unit_test(test_nobody_reviews_the_own_course),
		cmocka_unit_test(test_complete_lists_all_that_is_missing),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_fields_that_are_not_named_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
