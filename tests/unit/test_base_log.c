/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
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

struct reading {
	int in;
	unsigned lines, lost; /* how many came, and how many others the log said to be lost */
};

/* Until the last line. */
static void *read_lines(void *arg)
{
	struct reading *r = arg;
	FILE *file = fdopen(r->in, "r");
	char line[4096];

	while (file && fgets(line, sizeof(line), file) && !strstr(line, "the last")) {
		const char *message = strstr(line, "level=warning ");
		unsigned n;

		if (message && sscanf(message, "level=warning %u lines lost", &n) == 1)
			r->lost += n;
		else
			r->lines++;
	}
	if (file)
		fclose(file);
	return NULL;
}

/* Nobody reads standard error: whoever logs goes on, and what was dropped is counted and told. */
static void test_nobody_waits_for_a_reader(void **state)
{
	enum { LINES = 3000 };
	char padding[512] = "";
	int ends[2], saved = dup(STDERR_FILENO);
	pthread_t thread;

	memset(padding, 'x', sizeof(padding) - 1);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	assert_int_equal(log_writer_start(), 0);
	for (int i = 0; i < LINES; i++)
		log_info("line=%d %s", i, padding);
	log_flush(10);
	struct reading reading = {.in = ends[0]};
	assert_int_equal(pthread_create(&thread, NULL, read_lines, &reading), 0);
	log_flush(60000);
	log_info("the last");
	log_flush(60000);
	dup2(saved, STDERR_FILENO);
	close(saved);
	pthread_join(thread, NULL);
	assert_true(reading.lost > 0);
	assert_int_equal(reading.lines + reading.lost, LINES);
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
		cmocka_unit_test(test_nobody_waits_for_a_reader), /* last: the thread stays */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
