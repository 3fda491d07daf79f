/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/log.h"

/* Runs `body` with standard error in a file, and reads what it wrote. */
static size_t captured(void (*body)(void), char *out, size_t size)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t len;

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	body();
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	len = fread(out, 1, size - 1, file);
	out[len] = '\0';
	fclose(file);
	return len;
}

static void one_line(void)
{
	log_info("course published course_id=%s", "crs_1");
}

static void test_line_has_time_level_and_message(void **state)
{
	char out[512], level[16], message[64];
	int year, used = 0;

	captured(one_line, out, sizeof(out));
	assert_int_equal(sscanf(out, "%4d-%*2d-%*2dT%*2d:%*2d:%*9[0-9.]Z level=%15s %n", &year, level, &used),
			 2);
	assert_true(year >= 2024);
	assert_string_equal(level, "info");
	snprintf(message, sizeof(message), "%s", out + used);
	assert_string_equal(message, "course published course_id=crs_1\n");
}

static void forged(void)
{
	log_warning("name=%s", "a\n2026 level=error forged\x1b[2J");
}

static void test_callers_text_cannot_forge_a_line(void **state)
{
	char out[512];
	size_t len = captured(forged, out, sizeof(out));

	assert_ptr_equal(strchr(out, '\n'), out + len - 1);
	assert_null(strchr(out, 0x1b));
}

static void test_others_words_are_one_value(void **state)
{
	struct log_text out;
	char longer[3000];

	assert_string_equal(log_quote(&out, "plain words: 1/2"), "\"plain words: 1/2\"");
	assert_string_equal(log_quote(&out, "\" level=error \\\n\xc2\x9b"),
			    "\"\\x22 level\\x3derror \\x5c\\x0a\\xc2\\x9b\"");
	memset(longer, '=', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_in_range(strlen(log_quote(&out, longer)), sizeof(out.quoted) - 12, sizeof(out.quoted) - 1);
	assert_int_equal(out.quoted[strlen(out.quoted) - 1], '"');
}

static void below_and_above(void)
{
	log_set_level(LOG_LEVEL_WARNING);
	log_info("quiet");
	log_error("loud");
	log_set_level(LOG_LEVEL_INFO);
}

static void test_level_filters(void **state)
{
	char out[512];

	captured(below_and_above, out, sizeof(out));
	assert_null(strstr(out, "quiet"));
	assert_non_null(strstr(out, "loud"));
}

static void long_line(void)
{
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
}

static void test_long_line_is_cut_to_one_write(void **state)
{
	char out[8192];
	size_t len = captured(long_line, out, sizeof(out));

	assert_in_range(len, 1000, 4096);
	assert_int_equal(out[len - 1], '\n');
	assert_int_equal(out[len - 2], 'x');
}

static void test_level_names(void **state)
{
	assert_int_equal(log_level_parse("debug"), LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("error"), LOG_LEVEL_ERROR);
	assert_int_equal(log_level_parse("loud"), -1);
	assert_int_equal(log_level_parse(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_has_time_level_and_message),
		cmocka_unit_test(test_callers_text_cannot_forge_a_line),
		cmocka_unit_test(test_others_words_are_one_value),
		cmocka_unit_test(test_level_filters),
		cmocka_unit_test(test_long_line_is_cut_to_one_write),
		cmocka_unit_test(test_level_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
