/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/cli/flags.h"
#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"
#include "proto/runtime/json.h"

struct fixture {
	json_t *json;
	struct arena arena;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->json = json_object();
	arena_init(&f->arena, 1 << 20);
	error_clear(&f->err);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	json_decref(f->json);
	arena_done(&f->arena);
	free(f);
	return 0;
}

static int set(struct fixture *f, const ProtobufCMessageDescriptor *desc, const char *name, const char *value)
{
	struct flag_path path;

	assert_true(flag_find(desc, name, &path));
	return flag_set(f->json, &path, name, value, &f->err);
}

static void *message(struct fixture *f, const ProtobufCMessageDescriptor *desc)
{
	ProtobufCMessage *m = NULL;

	if (json_to_message(desc, f->json, &f->arena, &m, &f->err) < 0)
		fail_msg("%s", f->err.message);
	return m;
}

static void test_fields_of_the_request(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set(f, CREATE_LESSON_REQUEST_DESC, "course-id", "crs_1"), 0);
	assert_int_equal(set(f, CREATE_LESSON_REQUEST_DESC, "kind", "video"), 0);
	assert_int_equal(set(f, CREATE_LESSON_REQUEST_DESC, "duration-seconds", "600"), 0);
	assert_int_equal(set(f, CREATE_LESSON_REQUEST_DESC, "weight", "3"), 0);
	assert_int_equal(set(f, CREATE_LESSON_REQUEST_DESC, "free-preview", NULL), 0);
	const CreateLessonRequest *m = message(f, CREATE_LESSON_REQUEST_DESC);
	assert_string_equal(m->course_id, "crs_1");
	assert_int_equal(m->kind, EDU__V1__LESSON_KIND__LESSON_KIND_VIDEO);
	assert_int_equal(m->duration_seconds, 600);
	assert_int_equal(m->weight, 3);
	assert_true(m->free_preview);
}

static void test_nested_by_dots_or_by_a_name_only_one_has(void **state)
{
	struct fixture *f = *state;
	struct flag_path path;

	assert_int_equal(set(f, UPDATE_COURSE_REQUEST_DESC, "course.course-id", "crs_1"), 0);
	assert_int_equal(set(f, UPDATE_COURSE_REQUEST_DESC, "title", "Algebra"), 0);
	const UpdateCourseRequest *m = message(f, UPDATE_COURSE_REQUEST_DESC);
	assert_string_equal(m->course->course_id, "crs_1");
	assert_string_equal(m->course->title, "Algebra");
	/* Two messages down; and of two that have it, neither. */
	assert_true(flag_find(UPDATE_COURSE_REQUEST_DESC, "prices", &path));
	assert_int_equal(path.n, 3);
	assert_true(flag_find(UPDATE_COURSE_REQUEST_DESC, "user-id", &path));
	assert_false(flag_find(UPDATE_COURSE_REQUEST_DESC, "seconds", &path));
	assert_false(flag_find(UPDATE_COURSE_REQUEST_DESC, "titel", &path));
	assert_false(flag_find(UPDATE_COURSE_REQUEST_DESC, "course.", &path));
	assert_false(flag_find(UPDATE_COURSE_REQUEST_DESC, "", &path));
	assert_false(flag_find(UPDATE_COURSE_REQUEST_DESC, "title.x", &path));
}

/* A field that the last element has begins the next. */
static void test_repeated_messages_by_their_fields(void **state)
{
	struct fixture *f = *state;
	const ProtobufCMessageDescriptor *desc = UPDATE_COURSE_REQUEST_DESC;

	assert_int_equal(set(f, desc, "course.instructors.user-id", "usr_1"), 0);
	assert_int_equal(set(f, desc, "course.instructors.share-basis-points", "7000"), 0);
	assert_int_equal(set(f, desc, "course.instructors.user-id", "usr_2"), 0);
	assert_int_equal(set(f, desc, "course.instructors.share-basis-points", "500"), 0);
	assert_int_equal(set(f, desc, "course.instructors", "{\"userId\": \"usr_3\"}"), 0);
	const UpdateCourseRequest *m = message(f, desc);
	assert_int_equal(m->course->n_instructors, 3);
	assert_string_equal(m->course->instructors[1]->user_id, "usr_2");
	assert_int_equal(m->course->instructors[1]->share_basis_points, 500);
	assert_string_equal(m->course->instructors[2]->user_id, "usr_3");
}

static void test_repeated_scalars(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set(f, SET_USER_ROLES_REQUEST_DESC, "roles", "INSTRUCTOR"), 0);
	assert_int_equal(set(f, SET_USER_ROLES_REQUEST_DESC, "roles", "ROLE_ADMIN"), 0);
	const SetUserRolesRequest *m = message(f, SET_USER_ROLES_REQUEST_DESC);
	assert_int_equal(m->n_roles, 2);
	assert_int_equal(m->roles[0], EDU__V1__ROLE__ROLE_INSTRUCTOR);
	assert_int_equal(m->roles[1], EDU__V1__ROLE__ROLE_ADMIN);
}

static void test_money_as_an_amount_and_by_fields(void **state)
{
	struct fixture *f = *state;
	const ProtobufCMessageDescriptor *desc = UPDATE_COURSE_REQUEST_DESC;

	assert_int_equal(set(f, desc, "price-list.prices", "12.34 EUR"), 0);
	assert_int_equal(set(f, desc, "price-list.prices", "500JPY"), 0);
	assert_int_equal(set(f, desc, "price-list.prices", "7 EUR"), 0);
	const UpdateCourseRequest *m = message(f, desc);
	const PriceList *list = m->course->price_list;
	assert_int_equal(list->n_prices, 3);
	assert_string_equal(list->prices[0]->currency_code, "EUR");
	assert_int_equal(list->prices[0]->minor_units, 1234);
	assert_int_equal(list->prices[1]->minor_units, 500);
	assert_int_equal(list->prices[2]->minor_units, 700);
	json_object_clear(f->json);
	assert_int_equal(set(f, TOP_UP_WALLET_REQUEST_DESC, "amount.currency-code", "EUR"), 0);
	assert_int_equal(set(f, TOP_UP_WALLET_REQUEST_DESC, "amount.minor-units", "1200"), 0);
	const TopUpWalletRequest *t = message(f, TOP_UP_WALLET_REQUEST_DESC);
	assert_int_equal(t->amount->minor_units, 1200);
}

static void test_money_beside_its_currency(void **state)
{
	struct fixture *f = *state;
	const ProtobufCMessageDescriptor *desc = PURCHASE_COURSE_REQUEST_DESC;
	static const char *const amounts[] = {"49", "49.00", "49.00 EUR", "49 eur"};
	struct flag_path path;

	assert_int_equal(set(f, desc, "expected-total", "49"), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(set(f, desc, "currency-code", "EUR"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(amounts); i++) {
		assert_int_equal(set(f, desc, "expected-total", amounts[i]), 0);
		const PurchaseCourseRequest *m = message(f, desc);
		assert_string_equal(m->expected_total->currency_code, "EUR");
		assert_int_equal(m->expected_total->minor_units, 4900);
	}
	assert_int_equal(set(f, desc, "expected-total", "49.001"), -STATUS_INVALID_ARGUMENT);
	assert_true(flag_find(desc, "expected-total", &path) && flag_is_amount(&path));
	assert_true(flag_find(desc, "currency-code", &path) && !flag_is_amount(&path));
}

static void test_money_beside_a_currency_of_its_own(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set(f, TOP_UP_WALLET_REQUEST_DESC, "amount.currency-code", "EUR"), 0);
	assert_int_equal(set(f, TOP_UP_WALLET_REQUEST_DESC, "amount", "60"), 0);
	const TopUpWalletRequest *m = message(f, TOP_UP_WALLET_REQUEST_DESC);
	assert_string_equal(m->amount->currency_code, "EUR");
	assert_int_equal(m->amount->minor_units, 6000);
}

static void test_money_that_is_none_says_why(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *value, *says;
	} wrong[] = {
		{"49.5 JPY", "at most 0 decimals, as JPY has"},
		{"49.001 EUR", "at most 2 decimals, as EUR has"},
		{"49 XXX", "which XXX is not"},
		{"99999999999999999999 EUR", "at most 18 digits"},
		{"49", "AMOUNT"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(set(f, TOP_UP_WALLET_REQUEST_DESC, "amount", wrong[i].value),
				 -STATUS_INVALID_ARGUMENT);
		if (!strstr(f->err.violations[0].description, wrong[i].says))
			fail_msg("%s: %s", wrong[i].value, f->err.violations[0].description);
	}
}

static void test_values_that_are_none(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *name, *value;
	} wrong[] = {
		{"amount", "12.345 EUR"}, {"amount", "1.5 JPY"}, {"amount", "12"},
		{"amount", "12 EURO"},    {"amount", ". EUR"},   {"amount", "99999999999999999999 EUR"},
		{"amount", "1. EUR"},     {"amount", "1 XXX"},   {"amount.minor-units", "1x"},
		{"amount", "{"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(set(f, TOP_UP_WALLET_REQUEST_DESC, wrong[i].name, wrong[i].value),
				 -STATUS_INVALID_ARGUMENT);
		assert_string_equal(f->err.violations[0].field, wrong[i].name);
	}
	assert_int_equal(set(f, CREATE_LESSON_REQUEST_DESC, "weight", "2147483648"),
			 -STATUS_INVALID_ARGUMENT);
	assert_int_equal(set(f, CREATE_LESSON_REQUEST_DESC, "kind", "movie"), -STATUS_INVALID_ARGUMENT);
	assert_non_null(strstr(f->err.violations[0].description, "video|text"));
	assert_int_equal(set(f, CREATE_LESSON_REQUEST_DESC, "free-preview", "perhaps"),
			 -STATUS_INVALID_ARGUMENT);
	assert_int_equal(json_object_size(f->json), 0);
}

static void test_times_and_wide_numbers(void **state)
{
	struct fixture *f = *state;
	const ProtobufCMessageDescriptor *desc = RECORD_PROGRESS_REQUEST_DESC;

	assert_int_equal(set(f, desc, "client-time", "2026-01-02T03:04:05.5Z"), 0);
	assert_int_equal(set(f, desc, "session-start-time", "now"), 0);
	assert_int_equal(set(f, desc, "coverage", "0xffffffffffffffff"), 0);
	assert_int_equal(set(f, desc, "learning-seconds", "9007199254740993"), 0);
	const RecordProgressRequest *m = message(f, desc);
	assert_int_equal(m->client_time->seconds, 1767323045);
	assert_int_equal(m->client_time->nanos, 500000000);
	assert_true(m->session_start_time->seconds > 1767323045);
	assert_true(m->coverage == UINT64_MAX);
	assert_true(m->learning_seconds == 9007199254740993);
	assert_int_equal(set(f, desc, "client-time", "2026-11-26"), 0);
	assert_int_equal(set(f, desc, "session-start-time", "-30m"), 0);
	assert_int_equal(set(f, desc, "learning-seconds", "1h30m"), 0);
	assert_int_equal(set(f, desc, "interval.end-ms", "1.5s"), 0);
	m = message(f, desc);
	assert_int_equal(m->client_time->seconds, 1795651200);
	assert_in_range((int64_t)time(NULL) - m->session_start_time->seconds, 1799, 1860);
	assert_int_equal(m->learning_seconds, 5400);
	assert_int_equal(m->interval->end_ms, 1500);
	assert_int_equal(set(f, desc, "learning-seconds", "1.5s"), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(set(f, desc, "client-time", "30.11.2026"), -STATUS_INVALID_ARGUMENT);
}

static void test_percentages(void **state)
{
	static const struct {
		const char *text;
		int points; /* below zero: refused */
	} cases[] = {{"6000", 6000}, {"60%", 6000},    {"60 %", 6000}, {"12.5%", 1250},
		     {"0.05%", 5},   {"12.05%", 1205}, {"60.%", -1},   {"0.001%", -1},
		     {"%", -1},      {"12.5", -1},     {"60%%", -1},   {"1234567%", -1}};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = set(f, SET_QUIZ_REQUEST_DESC, "pass-basis-points", cases[i].text);
		assert_int_equal(r, cases[i].points < 0 ? -STATUS_INVALID_ARGUMENT : 0);
		const SetQuizRequest *m = message(f, SET_QUIZ_REQUEST_DESC);
		if (r == 0)
			assert_int_equal(m->quiz->pass_basis_points, cases[i].points);
	}
}

static const char *mask_for(struct fixture *f)
{
	flags_fill_mask(service_method(&edu_service_desc, "UpdateCourse"), f->json);
	return json_string_value(json_object_get(f->json, "updateMask"));
}

static void test_mask_names_what_was_given(void **state)
{
	struct fixture *f = *state;
	const ProtobufCMessageDescriptor *desc = UPDATE_COURSE_REQUEST_DESC;

	assert_int_equal(set(f, desc, "course.course-id", "crs_1"), 0);
	assert_int_equal(set(f, desc, "course.etag", "x"), 0);
	assert_null(mask_for(f));
	assert_int_equal(set(f, desc, "course.planned-learning-hours", "3"), 0);
	assert_int_equal(set(f, desc, "course.free", NULL), 0);
	assert_int_equal(set(f, desc, "course.state", "draft"), 0);
	assert_string_equal(mask_for(f), "free,plannedLearningHours");
	const UpdateCourseRequest *m = message(f, desc);
	assert_int_equal(m->update_mask->n_paths, 2);
	assert_string_equal(m->update_mask->paths[1], "planned_learning_hours");
}

/* A field named and not given is emptied: the mask says so, and is left alone. */
static void test_mask_given_is_kept(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set(f, UPDATE_COURSE_REQUEST_DESC, "update-mask", "summary,planned-learning-hours"),
			 0);
	assert_int_equal(set(f, UPDATE_COURSE_REQUEST_DESC, "course.title", "x"), 0);
	assert_string_equal(mask_for(f), "summary,plannedLearningHours");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fields_of_the_request, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nested_by_dots_or_by_a_name_only_one_has, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_repeated_messages_by_their_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repeated_scalars, setup, teardown),
		cmocka_unit_test_setup_teardown(test_money_as_an_amount_and_by_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_money_beside_its_currency, setup, teardown),
		cmocka_unit_test_setup_teardown(test_money_beside_a_currency_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_money_that_is_none_says_why, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values_that_are_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times_and_wide_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_percentages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mask_names_what_was_given, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mask_given_is_kept, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
