/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/values.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/kinds.h"
#include "client/cli/moments.h"
#include "client/cli/names.h"
#include "proto/runtime/json.h"
#include "proto/runtime/money.h"

enum { TEXT_MAX = 4096, NS_PER_S = 1000000000, WHY_MAX = 96 };

/* --- enums --- */

static json_t *parse_enum(const ProtobufCEnumDescriptor *desc, const char *text)
{
	char wanted[NAME_SIZE];

	name_upper_snake(text, wanted);
	for (unsigned i = 0; i < desc->n_values; i++) {
		const char *name = desc->values[i].name;
		/* "InReview" and "IN-REVIEW" are both asked for IN_REVIEW. */
		if (strcasecmp(name, wanted) == 0 || strcasecmp(kind_enum_strip(desc, name), wanted) == 0 ||
		    strcasecmp(name, text) == 0 || strcasecmp(kind_enum_strip(desc, name), text) == 0)
			return json_string(name);
	}
	return NULL;
}

/* --- numbers --- */

static int text_base(const char *text)
{
	return strncmp(text, "0x", 2) == 0 ? 16 : 10;
}

static json_t *parse_signed(const char *text, bool wide)
{
	char *end;

	errno = 0;
	long long n = strtoll(text, &end, text_base(text));
	if (errno != 0 || end == text || *end || isspace((unsigned char)*text))
		return NULL;
	if (!wide)
		return n >= INT32_MIN && n <= INT32_MAX ? json_integer(n) : NULL;
	return json_sprintf("%lld", n);
}

static json_t *parse_unsigned(const char *text, bool wide)
{
	char *end;

	errno = 0;
	unsigned long long n = strtoull(text, &end, text_base(text));
	if (errno != 0 || end == text || *end || !isdigit((unsigned char)*text))
		return NULL;
	if (!wide)
		return n <= UINT32_MAX ? json_integer((json_int_t)n) : NULL;
	return json_sprintf("%llu", n);
}

static json_t *parse_real(const char *text)
{
	char *end;
	double n = strtod(text, &end);

	return end != text && *end == '\0' ? json_real(n) : NULL;
}

/* --- messages --- */

/* The currency that ends an amount, in capitals; without one the request's. False when there is neither. */
static bool parse_currency(const char *text, const char *currency, char code[CURRENCY_MAX])
{
	char tail;

	if (*text == '\0' && currency)
		return sscanf(currency, "%3[A-Za-z]%c", code, &tail) == 1;
	if (sscanf(text, " %3[A-Za-z]%c", code, &tail) != 1)
		return false;
	for (char *c = code; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return true;
}

/* Units of an amount of `whole` digits and as many decimals as the currency has. False when there are too
 * many. */
static bool money_units(const char *digits, int whole, int decimals, int exponent, int64_t *ret)
{
	*ret = 0;
	for (int i = 0; i < whole + exponent; i++) {
		int at = i - whole;
		char digit = at < 0 ? digits[i] : at < decimals ? digits[whole + 1 + at] : '0';
		if (__builtin_mul_overflow(*ret, 10, ret) || __builtin_add_overflow(*ret, digit - '0', ret))
			return false;
	}
	return true;
}

/* Says why; NULL, as parsers answer. */
__attribute__((format(printf, 2, 3))) static json_t *refuse(char why[WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WHY_MAX, format, args);
	va_end(args);
	return NULL;
}

/* "12.34 EUR", "12.34EUR", or "12.34" where the request says the currency: as many decimals as it has, or
 * none. */
static json_t *parse_money(const char *text, const char *currency, char why[WHY_MAX])
{
	char code[CURRENCY_MAX] = "";
	const char *digits = text + (*text == '-');
	int whole = (int)strspn(digits, "0123456789"), decimals = 0;
	const char *rest = digits + whole;
	int64_t units;

	if (*rest == '.')
		decimals = (int)strspn(rest + 1, "0123456789");
	if (whole == 0 || (*rest == '.' && decimals == 0) ||
	    !parse_currency(rest + (decimals ? decimals + 1 : 0), currency, code))
		return NULL;
	int exponent = currency_exponent(code);
	if (exponent < 0)
		return refuse(why, "must be in a currency of ISO 4217, which %s is not", code);
	if (decimals > exponent)
		return refuse(why, "must have at most %d decimals, as %s has", exponent, code);
	if (!money_units(digits, whole, decimals, exponent, &units))
		return refuse(why, "must be an amount of at most 18 digits with its decimals");
	return json_pack("{s:s, s:o}", "currencyCode", code, "minorUnits",
			 json_sprintf("%s%lld", *text == '-' ? "-" : "", (long long)units));
}

static json_t *parse_time(const char *text)
{
	char out[MOMENT_SIZE];

	return moment_parse(text, out) ? json_string(out) : NULL;
}

/* In proto3 JSON a Duration is seconds. */
static json_t *parse_duration(const char *text)
{
	int64_t ns;

	if (!moment_parse_span(text, &ns))
		return NULL;
	long long seconds = ns / NS_PER_S, rest = llabs(ns % NS_PER_S);
	return json_sprintf("%s%lld.%09llds", ns < 0 ? "-" : "", llabs(seconds), rest);
}

/* A number of seconds or milliseconds, also as a span. */
static json_t *parse_span(const ProtobufCFieldDescriptor *field, const char *text, int64_t unit)
{
	bool wide = field->type == PROTOBUF_C_TYPE_INT64;
	char number[32];
	int64_t ns;

	json_t *plain = parse_signed(text, wide);
	if (plain || !moment_parse_span(text, &ns) || ns % unit != 0)
		return plain;
	snprintf(number, sizeof(number), "%lld", (long long)(ns / unit));
	return parse_signed(number, wide);
}

/* Hundredths of a percent, also as a percentage of at most two decimals: "60%", "12.5 %". */
static json_t *parse_basis_points(const char *text)
{
	size_t whole = strspn(text, "0123456789"), decimals = 0;

	if (text[whole] == '.')
		decimals = strspn(text + whole + 1, "0123456789");
	const char *sign = text + whole + (decimals ? decimals + 1 : 0);
	if (whole == 0 || whole > 6 || decimals > 2 || strcmp(sign + (*sign == ' '), "%") != 0)
		return parse_signed(text, false);
	long points = strtol(text, NULL, 10) * 100;
	if (decimals > 0)
		points += strtol(text + whole + 1, NULL, 10) * (decimals == 1 ? 10 : 1);
	return json_integer(points);
}

/* Paths are lowerCamelCase in JSON; here they may also be written as flags are, or as in the contract. */
static json_t *parse_mask(const char *text)
{
	char snake[TEXT_MAX], camel[TEXT_MAX];
	size_t i;

	for (i = 0; text[i] && i + 1 < sizeof(snake); i++)
		snake[i] = text[i] == '-' ? '_' : text[i];
	snake[i] = '\0';
	json_field_name(snake, camel, sizeof(camel));
	return json_string(camel);
}

static json_t *parse_message(const ProtobufCMessageDescriptor *desc, const char *text, const char *currency,
			     char why[WHY_MAX])
{
	if (*text == '{') {
		json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		return json;
	}
	if (kind_is_timestamp(desc))
		return parse_time(text);
	if (kind_is_duration(desc))
		return parse_duration(text);
	if (kind_is_mask(desc))
		return parse_mask(text);
	if (kind_is_money(desc))
		return parse_money(text, currency, why);
	if (desc->n_fields == 0 && strcmp(text, "true") == 0)
		return json_object();
	return NULL;
}

/* --- one value --- */

static json_t *parse_bool(const char *text)
{
	if (strcmp(text, "true") == 0)
		return json_true();
	return strcmp(text, "false") == 0 ? json_false() : NULL;
}

static json_t *parse_text(const ProtobufCFieldDescriptor *field, const char *text, const char *currency,
			  char why[WHY_MAX])
{
	if (kind_is_basis_points(field))
		return parse_basis_points(text);
	if (kind_is_seconds(field))
		return parse_span(field, text, NS_PER_S);
	if (kind_is_milliseconds(field))
		return parse_span(field, text, NS_PER_S / 1000);
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return parse_signed(text, false);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return parse_signed(text, true);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return parse_unsigned(text, false);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return parse_unsigned(text, true);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return parse_real(text);
	case PROTOBUF_C_TYPE_BOOL:
		return parse_bool(text);
	case PROTOBUF_C_TYPE_ENUM:
		return parse_enum(field->descriptor, text);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
		return json_string(text);
	case PROTOBUF_C_TYPE_MESSAGE:
		return parse_message(field->descriptor, text, currency, why);
	}
	return NULL;
}

int value_parse(const ProtobufCFieldDescriptor *field, const char *flag, const char *text,
		const char *currency, json_t **ret, struct error *err)
{
	char why[WHY_MAX] = "";
	struct arena arena;

	*ret = parse_text(field, text ? text : "true", currency, why);
	if (*ret)
		return 0;
	if (*why)
		return error_field(err, flag, "%s; it is \"%.40s\"", why, text);
	arena_init(&arena, TEXT_MAX * 2);
	const char *shape = value_shape(field, &arena);
	int r = error_field(err, flag, "must be %s, not \"%.64s\"", shape, text ? text : "true");
	arena_done(&arena);
	return r;
}

/* --- shapes --- */

static const char *shape_enum(const ProtobufCEnumDescriptor *desc, struct arena *arena)
{
	char out[TEXT_MAX] = "", name[NAME_SIZE];

	for (unsigned i = 0; i < desc->n_values; i++) {
		size_t n = strlen(out);
		kind_enum_short(desc, desc->values[i].name, name, sizeof(name));
		if (desc->values[i].value != 0) /* the zero value says nothing */
			snprintf(out + n, sizeof(out) - n, "%s%s", n > 0 ? "|" : "", name);
	}
	const char *ret = arena_strdup(arena, out);
	return ret ? ret : "NAME";
}

static const char *shape_message(const ProtobufCMessageDescriptor *desc)
{
	if (kind_is_timestamp(desc))
		return "TIME (2026-11-26, 2026-11-26T12:00:00Z, now, or -30m from now)";
	if (kind_is_duration(desc))
		return "TIME (such as 1.5s, 30m or 1h30m)";
	if (kind_is_mask(desc))
		return "FIELD,FIELD...";
	if (kind_is_money(desc))
		return "AMOUNT (such as \"12.34 EUR\", or 12.34 beside a currency code)";
	return desc->n_fields == 0 ? "true" : "JSON";
}

const char *value_shape(const ProtobufCFieldDescriptor *field, struct arena *arena)
{
	if (kind_is_basis_points(field))
		return "BASIS-POINTS (or a percentage such as 12.5%)";
	if (kind_is_seconds(field))
		return "SECONDS (or a time such as 30m)";
	if (kind_is_milliseconds(field))
		return "MILLISECONDS (or a time such as 1.5s)";
	switch (field->type) {
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return "NUMBER";
	case PROTOBUF_C_TYPE_BOOL:
		return "true|false";
	case PROTOBUF_C_TYPE_ENUM:
		return shape_enum(field->descriptor, arena);
	case PROTOBUF_C_TYPE_STRING:
		return "TEXT";
	case PROTOBUF_C_TYPE_BYTES:
		return "BASE64";
	case PROTOBUF_C_TYPE_MESSAGE:
		return shape_message(field->descriptor);
	default:
		return "INTEGER";
	}
}
