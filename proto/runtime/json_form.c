/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/json_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "proto/runtime/array.h"
#include "proto/runtime/json.h"

enum { NANOS_MAX = 999999999, DAY = 86400, FRACTION_DIGITS = 9, FRACTION_TEXT_MAX = 16 };
#define TIMESTAMP_MIN INT64_C(-62135596800)
#define TIMESTAMP_MAX INT64_C(253402300799)
#define DURATION_MAX INT64_C(315576000000)

void json_field_name(const char *name, char *out, size_t size)
{
	size_t n = 0;
	bool upper = false;

	for (; *name && n + 1 < size; name++) {
		if (*name == '_') {
			upper = true;
			continue;
		}
		out[n++] = upper && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
		upper = false;
	}
	if (size > 0)
		out[n] = '\0';
}

enum json_form json_form_of(const ProtobufCMessageDescriptor *desc)
{
	static const struct {
		const ProtobufCMessageDescriptor *desc;
		enum json_form form;
	} forms[] = {
		{&google__protobuf__timestamp__descriptor, JSON_FORM_TIMESTAMP},
		{&google__protobuf__duration__descriptor, JSON_FORM_DURATION},
		{&google__protobuf__field_mask__descriptor, JSON_FORM_FIELD_MASK},
		{&google__protobuf__double_value__descriptor, JSON_FORM_WRAPPER},
		{&google__protobuf__float_value__descriptor, JSON_FORM_WRAPPER},
		{&google__protobuf__int64_value__descriptor, JSON_FORM_WRAPPER},
		{&google__protobuf__uint64_value__descriptor, JSON_FORM_WRAPPER},
		{&google__protobuf__int32_value__descriptor, JSON_FORM_WRAPPER},
		{&google__protobuf__uint32_value__descriptor, JSON_FORM_WRAPPER},
		{&google__protobuf__bool_value__descriptor, JSON_FORM_WRAPPER},
		{&google__protobuf__string_value__descriptor, JSON_FORM_WRAPPER},
		{&google__protobuf__bytes_value__descriptor, JSON_FORM_WRAPPER},
		{&google__protobuf__any__descriptor, JSON_FORM_UNSUPPORTED},
		{&google__protobuf__struct__descriptor, JSON_FORM_UNSUPPORTED},
		{&google__protobuf__value__descriptor, JSON_FORM_UNSUPPORTED},
		{&google__protobuf__list_value__descriptor, JSON_FORM_UNSUPPORTED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (forms[i].desc == desc)
			return forms[i].form;
	}
	return JSON_FORM_OBJECT;
}

/* ---- Times ---- */

/*
 * Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that the day
 * that may be missing is the last; 719,468 days lie between 0000-03-01 and 1970-01-01.
 */
static int64_t days_of_date(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return 365 * y + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

/* The date that many days after 1970-01-01, which must not be before the year 1. */
static void date_of_days(int64_t days, int *year, int *month, int *day)
{
	int64_t n = days + 719468;
	int64_t era = n / 146097, in_era = n % 146097;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
	int m = (int)(5 * in_year + 2) / 153;

	*day = (int)in_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = (int)(era * 400 + y) + (*month <= 2);
}

/* ".5" as ".500": no fraction, or one of 3, 6 or 9 digits. */
static void write_fraction(int32_t nanos, char out[FRACTION_TEXT_MAX])
{
	out[0] = '\0';
	if (nanos % 1000 != 0)
		snprintf(out, FRACTION_TEXT_MAX, ".%09" PRId32, nanos % 1000000000);
	else if (nanos % 1000000 != 0)
		snprintf(out, FRACTION_TEXT_MAX, ".%06" PRId32, nanos / 1000 % 1000000);
	else if (nanos != 0)
		snprintf(out, FRACTION_TEXT_MAX, ".%03" PRId32, nanos / 1000000 % 1000);
}

/* Exactly `n` digits. */
static bool read_digits(const char **s, int n, int *ret)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if ((*s)[i] < '0' || (*s)[i] > '9')
			return false;
		value = value * 10 + ((*s)[i] - '0');
	}
	*s += n;
	*ret = value;
	return true;
}

static bool read_char(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

/* Nothing, or a point and 1 to 9 digits. */
static bool read_fraction(const char **s, int32_t *nanos)
{
	int n = 0;

	*nanos = 0;
	if (!read_char(s, '.'))
		return true;
	for (; **s >= '0' && **s <= '9'; ++*s, n++) {
		if (n == FRACTION_DIGITS)
			return false;
		*nanos = *nanos * 10 + (**s - '0');
	}
	for (int i = n; i < FRACTION_DIGITS; i++)
		*nanos *= 10;
	return n > 0;
}

bool json_timestamp_write(int64_t seconds, int32_t nanos, char out[JSON_TIME_TEXT_MAX])
{
	int year, month, day;
	char fraction[FRACTION_TEXT_MAX];

	if (seconds < TIMESTAMP_MIN || seconds > TIMESTAMP_MAX || nanos < 0 || nanos > NANOS_MAX)
		return false;
	int64_t time = (seconds % DAY + DAY) % DAY;
	int64_t days = (seconds - time) / DAY;
	date_of_days(days, &year, &month, &day);
	write_fraction(nanos, fraction);
	return snprintf(out, JSON_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", year, month, day,
			(int)(time / 3600), (int)(time / 60 % 60), (int)(time % 60),
			fraction) < JSON_TIME_TEXT_MAX;
}

static bool read_date(const char **s, int64_t *days)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;

	if (!read_digits(s, 4, &year) || !read_char(s, '-') || !read_digits(s, 2, &month) ||
	    !read_char(s, '-') || !read_digits(s, 2, &day))
		return false;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (month == 2 && leap))
		return false;
	*days = days_of_date(year, month, day);
	return true;
}

static bool read_clock(const char **s, int *seconds)
{
	int hour, minute, second;

	if (!read_digits(s, 2, &hour) || !read_char(s, ':') || !read_digits(s, 2, &minute) ||
	    !read_char(s, ':') || !read_digits(s, 2, &second))
		return false;
	*seconds = hour * 3600 + minute * 60 + second;
	return hour < 24 && minute < 60 && second < 60;
}

/* "Z", or what local time is ahead of UTC. */
static bool read_offset(const char **s, int *seconds)
{
	int hour, minute;

	*seconds = 0;
	if (read_char(s, 'Z'))
		return true;
	if (**s != '+' && **s != '-')
		return false;
	int sign = *(*s)++ == '+' ? 1 : -1;
	if (!read_digits(s, 2, &hour) || !read_char(s, ':') || !read_digits(s, 2, &minute) || hour > 23 ||
	    minute > 59)
		return false;
	*seconds = sign * (hour * 3600 + minute * 60);
	return true;
}

bool json_timestamp_read(const char *text, int64_t *seconds, int32_t *nanos)
{
	int clock, offset;
	int64_t days;

	if (!read_date(&text, &days) || !read_char(&text, 'T') || !read_clock(&text, &clock) ||
	    !read_fraction(&text, nanos) || !read_offset(&text, &offset) || *text)
		return false;
	*seconds = days * DAY + clock - offset;
	return *seconds >= TIMESTAMP_MIN && *seconds <= TIMESTAMP_MAX;
}

bool json_duration_write(int64_t seconds, int32_t nanos, char out[JSON_TIME_TEXT_MAX])
{
	bool negative = seconds < 0 || nanos < 0;
	char fraction[FRACTION_TEXT_MAX];

	if (seconds < -DURATION_MAX || seconds > DURATION_MAX || nanos < -NANOS_MAX || nanos > NANOS_MAX)
		return false;
	if ((seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0))
		return false;
	write_fraction(negative ? -nanos : nanos, fraction);
	return snprintf(out, JSON_TIME_TEXT_MAX, "%s%" PRId64 "%ss", negative ? "-" : "",
			negative ? -seconds : seconds, fraction) < JSON_TIME_TEXT_MAX;
}

bool json_duration_read(const char *text, int64_t *seconds, int32_t *nanos)
{
	bool negative = read_char(&text, '-');
	int64_t value = 0;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		value = value * 10 + (*text - '0');
		if (value > DURATION_MAX)
			return false;
	}
	if (!read_fraction(&text, nanos) || !read_char(&text, 's') || *text)
		return false;
	*seconds = negative ? -value : value;
	*nanos = negative ? -*nanos : *nanos;
	return true;
}

/* ---- Field masks ---- */

bool json_path_write(const char *path, char *out, size_t size)
{
	size_t n = 0;

	for (; *path; path++) {
		char c = *path;

		if (n + 1 >= size || (c >= 'A' && c <= 'Z'))
			return false;
		if (c == '_') {
			c = *++path;
			if (c < 'a' || c > 'z')
				return false;
			c = (char)(c - 'a' + 'A');
		}
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

bool json_path_read(const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool upper = text[i] >= 'A' && text[i] <= 'Z';

		if (n + 2 >= size || text[i] == '_')
			return false;
		if (upper)
			out[n++] = '_';
		out[n++] = upper ? (char)(text[i] - 'A' + 'a') : text[i];
	}
	out[n] = '\0';
	return true;
}

/* ---- Base64, RFC 4648 ---- */

void json_base64_write(struct span bytes, char *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t group = (uint32_t)bytes.data[i] << 16;

		group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
		group |= left > 2 ? bytes.data[i + 2] : 0;
		*out++ = alphabet[group >> 18];
		*out++ = alphabet[group >> 12 & 63];
		*out++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
		*out++ = left > 2 ? alphabet[group & 63] : '=';
	}
	*out = '\0';
}

static int base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Padding, where there is any, must complete the last group; bits beyond the last byte must be zero. */
bool json_base64_read(struct span text, uint8_t *out, size_t *len)
{
	size_t n = text.len, used = 0;
	uint32_t bits = 0;
	unsigned n_bits = 0;

	if (n % 4 == 0 && n > 0 && text.data[n - 1] == '=')
		n -= text.data[n - 2] == '=' ? 2 : 1;
	if (n % 4 == 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		int digit = base64_digit(text.data[i]);

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[used++] = (uint8_t)(bits >> n_bits);
		}
	}
	*len = used;
	return (bits & ((1u << n_bits) - 1)) == 0;
}
