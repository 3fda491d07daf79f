/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "client/cli/moments.h"
#include "proto/runtime/array.h"

static void test_spans(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{"0", 0},          {"90", 90000},      {"30m", 1800000},   {"-30m", -1800000},
		{"+1h", 3600000},  {"1h30m", 5400000}, {"1.5s", 1500},     {"500ms", 500},
		{"2d", 172800000}, {"0.5h", 1800000},  {"1m0.25s", 60250},
	};
	static const char *const bad[] = {"",
					  "-",
					  "m",
					  "30x",
					  "30 m",
					  "1.",
					  ".5",
					  "1h30",
					  "--1",
					  "1e3",
					  "99999999999999999999",
					  "300000000h",
					  "0x10",
					  "30mm",
					  "1:30"};
	int64_t ns;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (!moment_parse_span(good[i].text, &ns) || ns != good[i].ms * 1000000)
			fail_msg("%s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (moment_parse_span(bad[i], &ns))
			fail_msg("%s", bad[i]);
	}
}

static void assert_moment(const char *text, const char *expected)
{
	char out[MOMENT_SIZE];

	assert_true(moment_parse(text, out));
	assert_string_equal(out, expected);
}

static void test_days_and_rfc_3339(void **state)
{
	assert_moment("2026-11-26", "2026-11-26T00:00:00Z");
	assert_moment("2026-11-26T12:30:00.5+01:00", "2026-11-26T12:30:00.5+01:00");
}

/* Seconds since the epoch of what it makes of a text. */
static int64_t moment_of(const char *text)
{
	char out[MOMENT_SIZE];
	struct tm tm = {.tm_sec = 0};

	assert_true(moment_parse(text, out));
	const char *rest = strptime(out, "%Y-%m-%dT%H:%M:%S", &tm);
	assert_non_null(rest);
	assert_int_equal(*rest, '.');
	return (int64_t)timegm(&tm);
}

static void test_from_now(void **state)
{
	int64_t now = (int64_t)time(NULL);

	assert_in_range(moment_of("now") - now, 0, 60);
	assert_in_range(moment_of("-30m") - now + 1800, 0, 60);
	assert_in_range(moment_of("+1d") - now, 86400, 86460);
	assert_in_range(now - moment_of("-0.999s"), 0, 2);
}

static void test_what_is_no_moment(void **state)
{
	static const char *const bad[] = {"", "yesterday", "30m", "-30x", "26.11.2026", "2026-11", "-"};
	char out[MOMENT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (moment_parse(bad[i], out))
			fail_msg("%s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_days_and_rfc_3339),
		cmocka_unit_test(test_from_now),
		cmocka_unit_test(test_what_is_no_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
