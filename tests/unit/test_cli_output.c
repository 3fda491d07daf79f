/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/exit_code.h"
#include "client/cli/output.h"
#include "client/cli/text.h"
#include "edu/v1/edu_service.tables.h"

static struct error err;

/* As in a terminal of this width; 0: a pipe. */
static char *printed_at(const ProtobufCMessage *message, size_t width)
{
	FILE *out = tmpfile();
	struct output o = {.out = out, .width = width};
	char *text = calloc(1, 65536);

	assert_int_equal(output_print(&o, message, false, &err), 0);
	rewind(out);
	assert_true(fread(text, 1, 65535, out) > 0);
	fclose(out);
	return text;
}

static char *printed(const ProtobufCMessage *message, bool json)
{
	FILE *out = tmpfile();
	struct output o = {.out = out, .json = json};
	int r = output_print(&o, message, json, &err);

	assert_int_equal(r, 0);
	char *text = calloc(1, 16384);
	rewind(out);
	assert_true(fread(text, 1, 16383, out) > 0);
	fclose(out);
	return text;
}

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static void test_an_object_is_one_row_a_field(void **state)
{
	Money eur = MONEY_INIT, jpy = MONEY_INIT;
	Money *balances[] = {&eur, &jpy};
	Wallet wallet = WALLET_INIT;
	GetWalletResponse response = GET_WALLET_RESPONSE_INIT;

	eur.currency_code = (char *)"EUR";
	eur.minor_units = 1234;
	jpy.currency_code = (char *)"JPY";
	jpy.minor_units = 5;
	wallet.user_id = (char *)"usr_1";
	wallet.balances = balances;
	wallet.n_balances = 2;
	response.wallet = &wallet;
	char *text = printed(&response.base, false);
	assert_says(text, "user_id");
	assert_says(text, "12.34 EUR, 5 JPY");
	assert_null(strstr(text, "update_time"));
	free(text);
	text = printed(&response.base, true);
	assert_string_equal(text,
			    "{\"wallet\":{\"userId\":\"usr_1\",\"balances\":[{\"currencyCode\":\"EUR\","
			    "\"minorUnits\":\"1234\"},{\"currencyCode\":\"JPY\",\"minorUnits\":\"5\"}]}}\n");
	free(text);
}

static void test_a_list_is_one_row_an_element(void **state)
{
	Lesson lessons[2] = {LESSON_INIT, LESSON_INIT};
	Lesson *list[] = {&lessons[0], &lessons[1]};
	ListLessonsResponse response = LIST_LESSONS_RESPONSE_INIT;

	lessons[0].lesson_id = (char *)"les_1";
	lessons[0].title = (char *)"Groups";
	lessons[0].kind = EDU__V1__LESSON_KIND__LESSON_KIND_VIDEO;
	lessons[1].lesson_id = (char *)"les_2";
	lessons[1].title = (char *)"Rings";
	response.lessons = list;
	response.n_lessons = 2;
	char *text = printed(&response.base, false);
	assert_says(text, "LESSON_ID");
	assert_says(text, "les_2");
	assert_says(text, "video");
	assert_null(strstr(text, "EXTERNAL_ID"));
	assert_says(text, "DURATION_SECONDS");
	free(text);
}

static void test_what_comes_with_a_page_stands_before_it(void **state)
{
	Lesson lesson = LESSON_INIT;
	Section section = SECTION_INIT;
	ListLessonsResponse response = LIST_LESSONS_RESPONSE_INIT;

	lesson.lesson_id = (char *)"les_1";
	section.section_id = (char *)"sec_1";
	response.lessons = (Lesson *[]){&lesson};
	response.sections = (Section *[]){&section};
	response.n_lessons = response.n_sections = 1;
	response.etag = (char *)"v1";
	char *text = printed(&response.base, false);
	assert_int_equal(strncmp(text, "sections:\n", strlen("sections:\n")), 0);
	assert_true(strstr(text, "sec_1") < strstr(text, "\n\nLESSON_ID"));
	assert_null(strstr(text, "v1"));
	free(text);
}

/* --- a catalogue in four scripts --- */

enum { COURSES = 4 };

static const char *const titles[COURSES] = {
	"An introduction to the theory of groups and their representations",
	"\xE7\xBA\xBF\xE6\x80\xA7\xE4\xBB\xA3\xE6\x95\xB0\xE5\xBC\x95\xE8\xAE\xBA\xE4\xB8\x8E\xE5\xBA\x94\xE7"
	"\x94\xA8"
	"\xE7\xBA\xBF\xE6\x80\xA7\xE4\xBB\xA3\xE6\x95\xB0\xE5\xBC\x95\xE8\xAE\xBA\xE4\xB8\x8E\xE5\xBA\x94\xE7"
	"\x94\xA8",
	"\xD9\x85\xD9\x82\xD8\xAF\xD9\x85\xD8\xA9 \xD9\x81\xD9\x8A \xD8\xA7\xD9\x84\xD8\xAC\xD8\xA8\xD8\xB1",
	"Alge\xCC\x80"
	"bre",
};

struct catalogue {
	ListCoursesResponse response;
	Course courses[COURSES], *list[COURSES];
	PriceList prices[COURSES];
	Money money[COURSES], *one[COURSES];
	char ids[COURSES][32];
};

static void catalogue_make(struct catalogue *c)
{
	static Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

	c->response = (ListCoursesResponse)LIST_COURSES_RESPONSE_INIT;
	for (unsigned i = 0; i < COURSES; i++) {
		Course *course = &c->courses[i];
		*course = (Course)COURSE_INIT;
		c->prices[i] = (PriceList)PRICE_LIST_INIT;
		c->money[i] = (Money)MONEY_INIT;
		snprintf(c->ids[i], sizeof(c->ids[i]), "crs_000000000000%u", i);
		c->money[i].currency_code = (char *)"USD";
		c->money[i].minor_units = 12345678 + i;
		c->one[i] = &c->money[i];
		c->prices[i].prices = &c->one[i];
		c->prices[i].n_prices = 1;
		course->course_id = c->ids[i];
		course->external_id = (char *)"partner/2026/autumn";
		course->title = (char *)titles[i];
		course->subject_id = (char *)(i % 2 ? "sbj_2" : "sbj_1");
		course->level = i % 2 ? EDU__V1__COURSE_LEVEL__COURSE_LEVEL_INTERMEDIATE
				      : EDU__V1__COURSE_LEVEL__COURSE_LEVEL_BEGINNER;
		course->pricing_case = EDU__V1__COURSE__PRICING_PRICE_LIST;
		course->price_list = &c->prices[i];
		course->version = i;
		course->create_time = course->update_time = &time;
		course->etag = (char *)"0123456789abcdef";
		c->list[i] = course;
	}
	c->response.courses = c->list;
	c->response.n_courses = COURSES;
}

/* No line is wider, nothing but a title is cut, and every value that is shown is whole. */
static void assert_whole(const char *text, size_t width)
{
	char line[4096];
	const char *end;

	for (; *text; text = *end ? end + 1 : end) {
		end = text + strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		if (width > 0 && text_width(line) > width)
			fail_msg("wider than %zu: %s", width, line);
		const char *usd = strstr(line, " USD");
		assert_true(!usd || (usd - line >= 9 && strncmp(usd - 9, "123456.", 7) == 0) || usd[4]);
	}
}

static void test_nothing_is_cut_without_a_mark(void **state)
{
	struct catalogue c;

	catalogue_make(&c);
	for (size_t width = 48; width <= 200; width++) {
		char *text = printed_at(&c.response.base, width);
		assert_whole(text, width);
		for (unsigned i = 0; i < COURSES; i++) {
			char amount[32];
			snprintf(amount, sizeof(amount), "123456.%u USD", 78 + i);
			assert_says(text, c.ids[i]);
			assert_says(text, amount);
		}
		assert_says(text, "intermediate");
		assert_null(strstr(text, "\\x"));
		free(text);
	}
}

static void test_metadata_goes_first_then_titles_get_an_ellipsis(void **state)
{
	struct catalogue c;

	catalogue_make(&c);
	char *text = printed_at(&c.response.base, 100);
	assert_says(text, "TITLE");
	assert_says(text, "\xE2\x80\xA6");
	assert_null(strstr(text, "ETAG"));
	assert_null(strstr(text, "EXTERNAL_ID"));
	assert_null(strstr(text, "CREATE_TIME"));
	free(text);
}

static void test_a_narrow_table_becomes_blocks(void **state)
{
	struct catalogue c;

	catalogue_make(&c);
	char *text = printed_at(&c.response.base, 50);
	assert_null(strstr(text, "COURSE_ID"));
	assert_says(text, "course_id ");
	assert_says(text, "\n\ncourse_id ");
	assert_says(text, "etag "); /* a block has everything */
	assert_null(strstr(text, "\xE2\x80\xA6"));
	free(text);
}

static void test_a_pipe_gets_everything_whole(void **state)
{
	struct catalogue c;

	catalogue_make(&c);
	c.courses[0].title = (char *)"two\nlines\tand\x1b[31m";
	char *text = printed_at(&c.response.base, 0);
	for (unsigned i = 1; i < COURSES; i++)
		assert_says(text, titles[i]);
	assert_says(text, "two lines and [31m ");
	assert_says(text, "ETAG");
	assert_says(text, "EXTERNAL_ID");
	unsigned lines = 0;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 1 + COURSES);
	free(text);
}

/* Columns begin at the same place on every line, whatever the script. */
static void test_widths_are_those_of_a_terminal(void **state)
{
	struct catalogue c;

	catalogue_make(&c);
	char *text = printed_at(&c.response.base, 200), *line, *rest = text;
	line = strsep(&rest, "\n");
	size_t subject = (size_t)(strstr(line, "SUBJECT_ID") - line);
	for (unsigned i = 0; i < COURSES; i++) {
		line = strsep(&rest, "\n");
		char *at = strstr(line, i % 2 ? "sbj_2" : "sbj_1");
		assert_non_null(at);
		*at = '\0';
		assert_int_equal(text_width(line), subject);
	}
	free(text);
}

static void test_marks_of_direction_are_taken_out(void **state)
{
	struct arena arena;

	arena_init(&arena, 4096);
	assert_string_equal(text_clean("a\xE2\x80\xAE"
				       "b\xE2\x81\xA6"
				       "c\xC2\x9B"
				       "d\x7F",
				       false, &arena),
			    "abc d ");
	assert_string_equal(text_clean("zero\xE2\x80\x8Bwidth\xEF\xBB\xBF", false, &arena), "zerowidth");
	assert_string_equal(text_clean("\xFF", false, &arena), "\xEF\xBF\xBD");
	assert_int_equal(text_width("\xE4\xB8\xAD\xE6\x96\x87"), 4);
	assert_int_equal(text_width("e\xCC\x81"), 1);
	assert_int_equal(text_fit("e\xCC\x81x", 1), 3);
	assert_string_equal(text_shorten("\xE4\xB8\xAD\xE6\x96\x87", 3, &arena), "\xE4\xB8\xAD\xE2\x80\xA6");
	arena_done(&arena);
}

/* --- what numbers mean --- */

static void test_progress_is_a_bar_and_a_percentage(void **state)
{
	LessonProgress lesson = LESSON_PROGRESS_INIT, *lessons[] = {&lesson};
	CourseProgress progress = COURSE_PROGRESS_INIT;
	GetCourseProgressResponse response = GET_COURSE_PROGRESS_RESPONSE_INIT;

	lesson.lesson_id = (char *)"les_1";
	lesson.coverage = 1152921504606846975; /* 60 slices */
	lesson.covered_slices = 60;
	progress.course_id = (char *)"crs_1";
	progress.completed_basis_points = 8750;
	progress.lessons = lessons;
	progress.n_lessons = 1;
	response.progress = &progress;
	char *text = printed_at(&response.base, 120);
	assert_says(text, "87.5 %");
	assert_says(text, "[###############.] 60/64");
	assert_null(strstr(text, "1152921504606846975"));
	assert_says(text, "lessons_completed "); /* and nothing is 0 by being absent */
	free(text);
	text = printed(&response.base, true);
	assert_says(text, "\"coverage\":\"1152921504606846975\"");
	assert_says(text, "\"completedBasisPoints\":8750");
	free(text);
	progress.completed_basis_points = 10000;
	text = printed_at(&response.base, 120);
	assert_says(text, "100 %");
	free(text);
}

static void test_a_mean_is_in_stars(void **state)
{
	CourseRating rating = COURSE_RATING_INIT;
	Course course = COURSE_INIT;
	GetCourseResponse response = GET_COURSE_RESPONSE_INIT;

	rating.average_hundredths = 407;
	course.rating = &rating;
	response.course = &course;
	char *text = printed_at(&response.base, 120);
	assert_says(text, "rating.average ");
	assert_says(text, " 4.07\n");
	assert_null(strstr(text, "hundredths"));
	free(text);
	text = printed(&response.base, true);
	assert_says(text, "\"averageHundredths\":407");
	free(text);
}

/* A hash as the flag takes it. */
static void test_a_few_bytes_are_shown(void **state)
{
	Content content = CONTENT_INIT;
	AttachContentResponse response = ATTACH_CONTENT_RESPONSE_INIT;
	uint8_t bytes[65] = {0xaa, 0xa9};

	response.content = &content;
	content.sha256.data = bytes;
	content.sha256.len = 32;
	char *text = printed_at(&response.base, 120);
	assert_says(text, " qqkAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	free(text);
	content.sha256.len = sizeof(bytes);
	text = printed_at(&response.base, 120);
	assert_says(text, " 65 bytes\n");
	free(text);
}

static void test_each_header_has_a_row(void **state)
{
	HttpHeader type = HTTP_HEADER_INIT, hash = HTTP_HEADER_INIT;
	HttpHeader *headers[] = {&type, &hash};
	Content content = CONTENT_INIT;
	CreateContentUploadResponse response = CREATE_CONTENT_UPLOAD_RESPONSE_INIT;

	type.name = (char *)"content-type";
	type.value = (char *)"video/mp4";
	hash.name = (char *)"x-amz-checksum-sha256";
	hash.value = (char *)"qqk=";
	response.headers = headers;
	response.n_headers = 2;
	response.content = &content;
	char *text = printed_at(&response.base, 120);
	assert_says(text, "name=content-type value=video/mp4\n");
	assert_says(text, "name=x-amz-checksum-sha256 value=qqk=\n");
	free(text);
}

/* Nobody may take a 0 for "not once", or for "no time at all". */
static void test_what_a_zero_means_is_said(void **state)
{
	Quiz quiz = QUIZ_INIT;
	GetQuizResponse quiz_response = GET_QUIZ_RESPONSE_INIT;
	Course course = COURSE_INIT;
	GetCourseResponse course_response = GET_COURSE_RESPONSE_INIT;

	quiz_response.quiz = &quiz;
	char *text = printed_at(&quiz_response.base, 120);
	assert_says(text, "attempt_limit ");
	assert_says(text, " none\n");
	free(text);
	quiz.attempt_limit = 3;
	text = printed_at(&quiz_response.base, 120);
	assert_says(text, " 3\n");
	free(text);
	course_response.course = &course;
	text = printed_at(&course_response.base, 120);
	assert_null(strstr(text, "planned_learning_hours"));
	free(text);
	course.planned_learning_hours = 5;
	text = printed_at(&course_response.base, 120);
	assert_says(text, "planned_learning_hours ");
	free(text);
}

static void test_what_costs_nothing_names_no_currency(void **state)
{
	Money total = MONEY_INIT;
	Purchase purchase = PURCHASE_INIT;
	PurchaseCourseResponse response = PURCHASE_COURSE_RESPONSE_INIT;

	total.currency_code = (char *)"XXX";
	purchase.total = &total;
	response.purchase = &purchase;
	char *text = printed_at(&response.base, 120);
	assert_says(text, "total ");
	assert_null(strstr(text, "XXX"));
	free(text);
}

/* --- pages --- */

/* Two pages as --all prints them: the second with short titles, or long ones where `longer`. */
static void print_pages(size_t width, bool longer, char *text, size_t size)
{
	struct catalogue c;
	FILE *out = tmpfile();
	struct output o = {.out = out, .width = width, .list.open = true};

	catalogue_make(&c);
	for (unsigned i = 0; i < COURSES && longer; i++)
		c.courses[i].title = (char *)"Groups";
	assert_int_equal(output_print(&o, &c.response.base, false, &err), 0);
	catalogue_make(&c);
	c.money[0].minor_units = 1234567890;
	assert_int_equal(output_print(&o, &c.response.base, false, &err), 0);
	assert_int_equal(output_end(&o, &err), 0);
	rewind(out);
	text[fread(text, 1, size - 1, out)] = '\0';
	fclose(out);
}

static unsigned count(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

/* The next page goes on below, under the same names, and in line. */
static void test_pages_of_one_table(void **state)
{
	char text[16384], *line, *rest = text;

	print_pages(0, true, text, sizeof(text));
	assert_int_equal(count(text, "\n"), 1 + 2 * COURSES);
	assert_null(strstr(text, "INSTRUCTORS")); /* nobody has any */
	line = strsep(&rest, "\n");
	size_t subject = (size_t)(strstr(line, "SUBJECT_ID") - line);
	for (unsigned i = 0; i < 2 * COURSES; i++) {
		line = strsep(&rest, "\n");
		char *at = strstr(line, i % 2 ? "sbj_2" : "sbj_1");
		assert_non_null(at);
		*at = '\0';
		assert_int_equal(text_width(line), subject);
	}
}

/* In a terminal the first page says how: a longer title is cut, an amount that is wider takes the title's
 * room. */
static void test_later_pages_keep_the_layout(void **state)
{
	char text[16384];

	for (size_t width = 70; width <= 120; width += 5) {
		print_pages(width, true, text, sizeof(text));
		assert_int_equal(count(text, "\n"), 1 + 2 * COURSES);
		assert_int_equal(count(text, "TITLE"), 1);
		assert_says(text, "12345678.90 USD");
		assert_says(text, "\xE2\x80\xA6");
		for (char *line, *rest = text; (line = strsep(&rest, "\n"));)
			assert_true(text_width(line) <= width);
	}
	print_pages(50, false, text, sizeof(text)); /* too narrow for a table from the first page on */
	assert_null(strstr(text, "TITLE"));
}

static void test_a_pipe_that_cannot_be_gathered_is_said(void **state)
{
	struct catalogue c;
	FILE *out = tmpfile();
	struct output o = {.out = out, .list.open = true};

	catalogue_make(&c);
	assert_int_equal(output_print(&o, &c.response.base, false, &err), 0);
	fclose(o.list.spool);
	o.list.spool = fopen("/dev/full", "w+");
	assert_int_equal(output_print(&o, &c.response.base, false, &err), 0);
	assert_true(output_end(&o, &err) < 0);
	assert_ptr_equal(err.reason, &CLI_REASON_OUTPUT);
	assert_says(err.message, "--output json");
	fclose(out);
}

/* The bar says what the number beside it says; how long somebody learned nothing else says. */
static void test_a_repetition_goes_first(void **state)
{
	LessonProgress lessons[2] = {LESSON_PROGRESS_INIT, LESSON_PROGRESS_INIT},
		       *list[] = {&lessons[0], &lessons[1]};
	CourseProgress progress = COURSE_PROGRESS_INIT;
	GetCourseProgressResponse response = GET_COURSE_PROGRESS_RESPONSE_INIT;
	size_t both = 0;

	for (int i = 0; i < 2; i++) {
		lessons[i].lesson_id = (char *)(i ? "les_0000000000001" : "les_0000000000002");
		lessons[i].coverage = 255u + (unsigned)i;
		lessons[i].covered_slices = 8 - 7 * i;
		lessons[i].learning_seconds = 1200 + i;
	}
	progress.lessons = list;
	progress.n_lessons = 2;
	response.progress = &progress;
	for (size_t width = 60; width <= 200; width += 10) {
		char *text = printed_at(&response.base, width);
		if (strstr(text, "COVERED_SLICES"))
			assert_non_null(strstr(text, "LEARNING_SECONDS"));
		both += strstr(text, "LEARNING_SECONDS") && !strstr(text, "COVERED_SLICES");
		free(text);
	}
	assert_true(both > 0);
}

static void test_a_full_disk_is_said(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct output o = {.out = full};
	struct catalogue c;

	catalogue_make(&c);
	assert_true(output_print(&o, &c.response.base, false, &err) < 0);
	assert_ptr_equal(err.reason, &CLI_REASON_OUTPUT);
	assert_says(err.message, "No space left on device");
	clearerr(full);
	o.json = true;
	assert_true(output_print(&o, &c.response.base, false, &err) < 0);
	assert_int_equal(exit_code_of(&err), EXIT_OUTPUT);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_object_is_one_row_a_field),
		cmocka_unit_test(test_a_list_is_one_row_an_element),
		cmocka_unit_test(test_what_comes_with_a_page_stands_before_it),
		cmocka_unit_test(test_nothing_is_cut_without_a_mark),
		cmocka_unit_test(test_metadata_goes_first_then_titles_get_an_ellipsis),
		cmocka_unit_test(test_a_narrow_table_becomes_blocks),
		cmocka_unit_test(test_a_pipe_gets_everything_whole),
		cmocka_unit_test(test_widths_are_those_of_a_terminal),
		cmocka_unit_test(test_marks_of_direction_are_taken_out),
		cmocka_unit_test(test_progress_is_a_bar_and_a_percentage),
		cmocka_unit_test(test_a_mean_is_in_stars),
		cmocka_unit_test(test_a_few_bytes_are_shown),
		cmocka_unit_test(test_each_header_has_a_row),
		cmocka_unit_test(test_what_a_zero_means_is_said),
		cmocka_unit_test(test_what_costs_nothing_names_no_currency),
		cmocka_unit_test(test_pages_of_one_table),
		cmocka_unit_test(test_later_pages_keep_the_layout),
		cmocka_unit_test(test_a_pipe_that_cannot_be_gathered_is_said),
		cmocka_unit_test(test_a_repetition_goes_first),
		cmocka_unit_test(test_a_full_disk_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
