/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/examples/import_oulad/tables.h"
#include "proto/runtime/array.h"
#include "tests/lib/temp_dir.h"

static char dir[TEMP_DIR_MAX];
static struct oulad oulad;
static struct error err;

#define VLE "\"id_site\",\"code_module\",\"code_presentation\",\"activity_type\",\"week_from\",\"week_to\"\n"
#define INFO "code_module,code_presentation,id_student,gender\n"
#define REGISTRATION "code_module,code_presentation,id_student,date_registration,date_unregistration\n"
#define CLICKS "code_module,code_presentation,id_student,id_site,date,sum_click\n"

static void file_write(const char *name, const char *text)
{
	char path[TEMP_DIR_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static int setup(void **state)
{
	temp_dir_make(dir);
	file_write("courses.csv", "\"code_module\",\"code_presentation\",\"module_presentation_length\"\n"
				  "\"AAA\",\"2013J\",\"268\"\n\"AAA\",\"2014J\",\"269\"\n");
	file_write("vle.csv", VLE "\"20\",\"AAA\",\"2013J\",\"resource\",\"\",\"\"\n"
				  "\"10\",\"AAA\",\"2013J\",\"quiz\",\"1\",\"2\"\n"
				  "\"30\",\"AAA\",\"2014J\",\"url\",\"\",\"\"\n");
	file_write("studentInfo.csv", INFO "AAA,2013J,2,M\nAAA,2013J,1,F\nAAA,2013J,4,F\nAAA,2014J,9,M\n");
	file_write("studentRegistration.csv",
		   REGISTRATION "AAA,2013J,1,-159,\nAAA,2013J,2,,12\nAAA,2013J,3,-5,?\n");
	file_write("studentVle.csv", CLICKS "AAA,2013J,1,10,-10,4\n");
	return 0;
}

static int teardown(void **state)
{
	temp_dir_remove(dir);
	return 0;
}

static void read_well(void)
{
	int r = oulad_read(dir, "AAA/2013J", &oulad, &err);

	if (r < 0)
		fail_msg("%s", err.message);
}

/* That reading fails, with a message that ends as it should. */
static void read_badly(const char *end)
{
	assert_true(oulad_read(dir, "AAA/2013J", &oulad, &err) < 0);
	size_t n = strlen(err.message), m = strlen(end);
	if (n < m || strcmp(err.message + n - m, end) != 0)
		fail_msg("\"%s\" does not end with \"%s\"", err.message, end);
	assert_null(oulad.materials);
}

static void test_only_the_presentation_is_read(void **state)
{
	read_well();
	assert_string_equal(oulad.module, "AAA");
	assert_string_equal(oulad.presentation, "2013J");
	assert_int_equal(oulad.length_days, 268);
	assert_int_equal(oulad.n_materials, 2);
	assert_int_equal(oulad.materials[0].id, 10);
	assert_string_equal(oulad.materials[0].activity, "quiz");
	assert_int_equal(oulad.materials[1].id, 20);
	assert_int_equal(oulad.n_sessions, 1);
	assert_int_equal(oulad.sessions[0].day, -10);
	oulad_done(&oulad);
}

static void test_learners_are_of_both_files(void **state)
{
	read_well();
	assert_int_equal(oulad.n_learners, 4);
	assert_int_equal(oulad.n_registered, 3);
	assert_int_equal(oulad.n_left, 1);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(oulad.learners[i].id, i + 1);
	assert_true(oulad.learners[1].left);
	assert_true(oulad.learners[1].registered);
	assert_true(oulad.learners[2].registered); /* though studentInfo.csv does not know them */
	assert_false(oulad.learners[2].left);
	assert_false(oulad.learners[3].registered);
	oulad_done(&oulad);
}

static void test_rows_of_a_day_are_summed(void **state)
{
	file_write("studentVle.csv",
		   CLICKS "AAA,2013J,2,20,0,1\nAAA,2013J,1,10,-10,4\nAAA,2013J,1,10,-10,1\n"
			  "AAA,2014J,1,10,-10,100\nAAA,2013J,1,10,-9,7\nAAA,2013J,1,20,-10,2\n"
			  "AAA,2013J,1,10,-10,3");
	read_well();
	assert_int_equal(oulad.n_rows, 6);
	assert_int_equal(oulad.n_sessions, 4);
	assert_int_equal(oulad.n_spread, 1);
	assert_int_equal(oulad.clicks, 18);
	assert_int_equal(oulad.sessions[0].clicks, 8);
	assert_int_equal(oulad.sessions[0].line, 3);
	assert_int_equal(oulad.sessions[1].day, -9);
	assert_int_equal(oulad.sessions[2].material, 1);
	assert_int_equal(oulad.learners[0].first_session, 0);
	assert_int_equal(oulad.learners[0].n_sessions, 3);
	assert_int_equal(oulad.learners[1].first_session, 3);
	assert_int_equal(oulad.learners[1].n_sessions, 1);
	assert_int_equal(oulad.learners[2].n_sessions, 0);
	oulad_done(&oulad);
}

static void test_what_belongs_to_nothing_is_counted(void **state)
{
	file_write("studentVle.csv", CLICKS "AAA,2013J,1,99,0,1\nAAA,2013J,1,99,0,2\nAAA,2013J,1,98,0,4\n"
					    "AAA,2013J,7,10,0,8\nAAA,2013J,4,10,0,16\nAAA,2013J,1,10,0,32\n");
	read_well();
	assert_int_equal(oulad.n_sessions, 1);
	assert_int_equal(oulad.clicks, 32);
	assert_int_equal(oulad.material.sessions, 2);
	assert_int_equal(oulad.material.clicks, 7);
	assert_int_equal(oulad.material.first.line, 2);
	assert_int_equal(oulad.material.first.material_id, 99);
	assert_int_equal(oulad.learner.sessions, 2);
	assert_int_equal(oulad.learner.clicks, 24);
	assert_int_equal(oulad.learner.first.learner_id, 7);
	oulad_done(&oulad);
}

static void test_form_does_not_matter(void **state)
{
	file_write("studentVle.csv",
		   "\xef\xbb\xbfsum_click,\"date\",id_site,extra,id_student,code_presentation,"
		   "code_module\r\n4,\"-10\",10,\"a, \"\"b\"\"\nc\",1,2013J,AAA\r\n\r\n"
		   "5,-9,10,,1,2013J,AAA\r\n");
	read_well();
	assert_int_equal(oulad.n_sessions, 2);
	assert_int_equal(oulad.sessions[0].clicks, 4);
	assert_int_equal(oulad.sessions[1].clicks, 5);
	assert_int_equal(oulad.sessions[1].line, 5);
	oulad_done(&oulad);
}

static void test_bad_numbers(void **state)
{
	static const char *const rows[][2] = {
		{"AAA,2013J,1,10,x,4",
		 "studentVle.csv:3: date is \"x\", not a whole number from -10000 to 10000"},
		{"AAA,2013J,1,10,0,-1", ":3: sum_click is \"-1\", not a whole number from 0 to 1000000"},
		{"AAA,2013J,1,10,0,1.5", ":3: sum_click is \"1.5\", not a whole number from 0 to 1000000"},
		{"AAA,2013J,1,10,0,", ":3: sum_click is \"\", not a whole number from 0 to 1000000"},
		{"AAA,2013J,1,10,0,+1", ":3: sum_click is \"+1\", not a whole number from 0 to 1000000"},
		{"AAA,2013J,-1,10,0,1",
		 ":3: id_student is \"-1\", not a whole number from 0 to 9223372036854775807"},
		{"AAA,2013J,1,9223372036854775808,0,1",
		 ":3: id_site is \"9223372036854775808\", not a whole number from 0 to 9223372036854775807"},
		{"AAA,2013J,1,10,0", ":3: the row has 5 fields, the header 6"},
		{"AAA,2013J,1,10,0,1,", ":3: the row has 7 fields, the header 6"},
	};
	char text[512];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), CLICKS "AAA,2013J,1,10,0,1\n%s\n", rows[i][0]);
		file_write("studentVle.csv", text);
		read_badly(rows[i][1]);
	}
}

static void test_no_csv(void **state)
{
	file_write("studentVle.csv", CLICKS "AAA,2013J,1,10,0,1\nAAA,2013J,1,1\"0,0,1\n");
	assert_true(oulad_read(dir, "AAA/2013J", &oulad, &err) < 0);
	assert_non_null(strstr(err.message, "studentVle.csv:3: this is no CSV"));
	file_write("studentVle.csv", CLICKS "AAA,2013J,1,10,0,\"1\n");
	read_badly("a quotation mark is not closed");
	file_write("studentVle.csv", "");
	read_badly("studentVle.csv is empty");
}

static void test_missing_files_and_columns(void **state)
{
	char path[TEMP_DIR_MAX + 64];

	file_write("studentVle.csv", "code_module,code_presentation,id_student,id_site,date\n");
	read_badly("studentVle.csv:1: the header has no column sum_click");
	file_write("studentVle.csv",
		   "code_module,code_presentation,id_student,id_site,date,sum_click,date\n");
	read_badly("studentVle.csv:1: the column date is there twice");
	snprintf(path, sizeof(path), "%s/studentVle.csv", dir);
	assert_int_equal(remove(path), 0);
	read_badly("studentVle.csv cannot be opened: No such file or directory");
}

static void test_too_many_clicks(void **state)
{
	file_write("studentVle.csv", CLICKS "AAA,2013J,1,10,0,1000000\n");
	read_well();
	oulad_done(&oulad);
	file_write("studentVle.csv", CLICKS "AAA,2013J,1,10,0,1000000\nAAA,2013J,1,10,0,1\n");
	read_badly(
		"studentVle.csv:2: the clicks of this student, id_site and date sum up to more than 1000000");
}

static void test_materials_named_twice(void **state)
{
	file_write("vle.csv", VLE "5,AAA,2013J,url,,\n4,AAA,2013J,url,,\n5,AAA,2013J,url,,\n");
	read_well();
	assert_int_equal(oulad.n_materials, 2);
	oulad_done(&oulad);
	file_write("vle.csv", VLE "5,AAA,2013J,url,,\n5,AAA,2013J,quiz,,\n");
	assert_true(oulad_read(dir, "AAA/2013J", &oulad, &err) < 0);
	assert_non_null(strstr(err.message, "vle.csv has id_site 5 with two activity_types"));
}

static void test_presentations(void **state)
{
	static const char *const names[] = {"",          "AAA",        "AAA/",
					    "/2013J",    "AAA/2013J/", "A A/2013",
					    "AAA-2013J", "AAA/2013J ", "AAAAAAAAAAAAAAAA/2013J"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_true(oulad_read(dir, names[i], &oulad, &err) < 0);
	assert_true(oulad_read(dir, "AAA/2015J", &oulad, &err) < 0);
	assert_non_null(strstr(err.message, "courses.csv has no presentation AAA/2015J"));
	assert_true(oulad_read(dir, "AAA/2014J", &oulad, &err) == 0);
	assert_int_equal(oulad.n_sessions, 0);
	oulad_done(&oulad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_only_the_presentation_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_learners_are_of_both_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rows_of_a_day_are_summed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_belongs_to_nothing_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_form_does_not_matter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_csv, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_files_and_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_clicks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_materials_named_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_presentations, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
