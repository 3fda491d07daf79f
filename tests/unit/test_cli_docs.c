/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/docs.h"
#include "client/cli/help.h"
#include "edu/v1/edu_service.tables.h"

static struct docs *docs;
static struct arena arena;

static int setup(void **state)
{
	struct error err;

	arena_init(&arena, 4 << 20);
	return docs_new(&edu_service_desc, &docs, &err);
}

static int teardown(void **state)
{
	docs_free(docs);
	arena_done(&arena);
	return 0;
}

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static void test_comments_are_found_and_unwrapped(void **state)
{
	assert_says(docs_method(docs, service_method(&edu_service_desc, "PurchaseCourse"), &arena),
		    "takes the money, posts the ledger and enrolls, all or nothing.");
	assert_says(docs_method(docs, service_method(&edu_service_desc, "GetUser"), &arena),
		    "\nErrors: USER_NOT_FOUND.");
	assert_says(docs_field(docs, "edu.v1.Money", "currency_code", &arena), "ISO 4217");
	assert_string_equal(docs_field(docs, "edu.v1.Money", "nothing", &arena), "");
	assert_string_equal(docs_field(docs, "edu.v1.Nothing", "minor_units", &arena), "");
	assert_says(docs_group(docs, "edu.v1.CreateCourseRequest", &arena), "Courses");
}

/* Every reason comes with what to do, and the status in front of it is not repeated. */
static void test_every_reason_has_an_action(void **state)
{
	assert_true(edu_service_desc.n_reasons > 40);
	for (unsigned i = 0; i < edu_service_desc.n_reasons; i++) {
		const char *text = docs_reason(docs, edu_service_desc.reasons[i].name, &arena);
		if (strlen(text) < 20)
			fail_msg("%s has no action", edu_service_desc.reasons[i].name);
		assert_null(strstr(text, status_code_name(edu_service_desc.reasons[i].code)));
	}
	assert_string_equal(docs_reason(docs, "NO_SUCH_REASON", &arena), "");
}

static void test_every_method_and_field_is_explained(void **state)
{
	for (unsigned i = 0; i < edu_service_desc.n_methods; i++) {
		const struct method_desc *m = &edu_service_desc.methods[i];
		assert_true(strlen(docs_method(docs, m, &arena)) > 20);
		for (unsigned j = 0; j < m->request->n_fields; j++)
			assert_true(strlen(docs_field(docs, m->request->name, m->request->fields[j].name,
						      &arena)) > 5);
	}
}

static void test_help_is_made_of_them(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	help_overview(out, &edu_service_desc, docs);
	help_method(out, service_method(&edu_service_desc, "CreateLesson"), docs);
	help_method(out, service_method(&edu_service_desc, "CreateCourse"), docs);
	fclose(out);
	assert_says(text, "--instructors.user-id TEXT  (may be repeated)"); /* several, by whom they are in */
	assert_says(text, "purchase-course");
	assert_says(text, "Exit codes:");
	assert_says(text, "--kind video|text|quiz|exercise|live  (required)");
	assert_says(text, "users with a role of INSTRUCTOR, ADMIN");
	free(text);
}

static char *help_of(const char *method)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	help_method(out, service_method(&edu_service_desc, method), docs);
	fclose(out);
	return text;
}

static void test_a_group_is_there_once(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	help_overview(out, &edu_service_desc, docs);
	fclose(out);
	const char *purchases = strstr(text, "\nPurchases:\n");
	assert_non_null(purchases);
	assert_null(strstr(purchases + 1, "\nPurchases:\n"));
	/* in the contract it stands behind those of another group */
	assert_says(purchases, "\n  list-purchases ");
	free(text);
}

/* What is answered is no flag, nor is what it is made of. */
static void test_what_is_answered_is_no_flag(void **state)
{
	char *text = help_of("UpdateCourse");

	assert_says(text, "--course.instructors.user-id");
	assert_null(strstr(text, "--course.state"));
	assert_null(strstr(text, "--course.rating"));
	free(text);
}

static void test_one_of_several_is_required(void **state)
{
	char *text = help_of("ReportContent");

	assert_says(text, "--course-id TEXT  (one of --course-id, --lesson-id, --review-id is required)");
	assert_says(text, "--review-id TEXT  (one of --course-id, --lesson-id, --review-id is required)");
	free(text);
	text = help_of("SetQuiz");
	assert_says(text, "--quiz.questions.key TEXT  (required)");
	assert_says(text, "--quiz.questions.numeric.solution.value TEXT  (may be repeated)");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comments_are_found_and_unwrapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_reason_has_an_action, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_method_and_field_is_explained, setup, teardown),
		cmocka_unit_test_setup_teardown(test_help_is_made_of_them, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_group_is_there_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_answered_is_no_flag, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_of_several_is_required, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
