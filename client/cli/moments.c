/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/moments.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/runtime/array.h"

enum { NS_PER_S = 1000000000 };

/* --- spans --- */

/* The unit's nanoseconds, 0 for what is none; *text is moved behind it. */
static int64_t unit_take(const char **text)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{"ms", NS_PER_S / 1000},          {"s", NS_PER_S},
		{"m", INT64_C(60) * NS_PER_S},    {"h", INT64_C(3600) * NS_PER_S},
		{"d", INT64_C(86400) * NS_PER_S},
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t n = strlen(units[i].name);
		if (strncmp(*text, units[i].name, n) != 0)
			continue;
		*text += n;
		return units[i].ns;
	}
	return 0;
}

/* Digits, and their value and number; false when there are too many. */
static bool digits_take(const char **text, int64_t *value, int *n)
{
	*value = 0;
	for (*n = 0; isdigit((unsigned char)**text); (*text)++, (*n)++) {
		if (*n == 18)
			return false;
		*value = *value * 10 + (**text - '0');
	}
	return true;
}

static int64_t fraction_of(int64_t fraction, int digits, int64_t unit)
{
	long double part = (long double)fraction;

	for (; digits > 0; digits--)
		part /= 10;
	return (int64_t)(part * (long double)unit + 0.5L);
}

static bool part_take(const char **text, bool alone, int64_t *sum)
{
	int64_t whole, fraction = 0, ns;
	int n, decimals = 0;

	if (!digits_take(text, &whole, &n) || n == 0)
		return false;
	if (**text == '.') {
		(*text)++;
		if (!digits_take(text, &fraction, &decimals) || decimals == 0)
			return false;
	}
	int64_t unit = **text == '\0' && alone ? NS_PER_S : unit_take(text);
	return unit > 0 && !__builtin_mul_overflow(whole, unit, &ns) &&
	       !__builtin_add_overflow(ns, fraction_of(fraction, decimals, unit), &ns) &&
	       !__builtin_add_overflow(*sum, ns, sum);
}

bool moment_parse_span(const char *text, int64_t *ret_ns)
{
	bool negative = *text == '-';
	int64_t sum = 0;

	text += *text == '-' || *text == '+';
	const char *begin = text;
	do {
		if (!part_take(&text, text == begin, &sum))
			return false;
	} while (*text);
	*ret_ns = negative ? -sum : sum;
	return true;
}

/* --- moments --- */

static bool is_day(const char *text)
{
	static const char form[] = "dddd-dd-dd";

	for (size_t i = 0; form[i]; i++) {
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	}
	return true;
}

static bool moment_from_now(int64_t ns, char out[MOMENT_SIZE])
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	time_t seconds = now.tv_sec + ns / NS_PER_S;
	int64_t rest = now.tv_nsec + ns % NS_PER_S;
	seconds += rest < 0 ? -1 : rest / NS_PER_S;
	rest = rest < 0 ? rest + NS_PER_S : rest % NS_PER_S;
	if (!gmtime_r(&seconds, &tm))
		return false;
	size_t n = strftime(out, MOMENT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, MOMENT_SIZE - n, ".%03dZ", (int)(rest / 1000000));
	return true;
}

bool moment_parse(const char *text, char out[MOMENT_SIZE])
{
	bool relative = *text == '-' || *text == '+';
	int64_t ns = 0;

	if (strcmp(text, "now") == 0 || (relative && moment_parse_span(text, &ns)))
		return moment_from_now(ns, out);
	if (!is_day(text) || strlen(text) >= MOMENT_SIZE - 10)
		return false;
	snprintf(out, MOMENT_SIZE, "%s%s", text, text[10] ? "" : "T00:00:00Z");
	return true;
}
