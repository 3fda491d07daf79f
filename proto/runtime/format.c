/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/format.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/runtime/money.h"
#include "proto/runtime/time_zone.h"
#include "proto/runtime/utf8.h"
#include "proto/runtime/uuid.h"

enum {
	EMAIL_MAX = 254,
	URL_MAX = 2048,
	LABEL_MAX = 63,
	SLUG_MAX = 32,
	DECIMAL_WHOLE_MAX = 15,
	DECIMAL_PART_MAX = 9
};

/* The C locale's classes, whatever the process's locale is. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_alpha(char c)
{
	return is_lower(c) || is_upper(c);
}

static bool is_alnum(char c)
{
	return is_digit(c) || is_alpha(c);
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_uuid(const char *s)
{
	uint8_t ignored[16];

	return uuid_parse(s, ignored);
}

/* Labels of letters, digits and inner hyphens, 1 to 63 long, joined by dots, up to `end`. */
static bool is_host(const char *s, const char *end)
{
	while (s < end) {
		const char *label = s;

		while (s < end && (is_alnum(*s) || *s == '-'))
			s++;
		if (s == label || s - label > LABEL_MAX || *label == '-' || s[-1] == '-')
			return false;
		if (s == end)
			return true;
		if (*s++ != '.')
			return false;
	}
	return false;
}

/* https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address */
static bool is_email(const char *s)
{
	size_t len = strlen(s), local = 0;

	while (is_alnum(s[local]) || (s[local] && strchr(".!#$%&'*+/=?^_`{|}~-", s[local])))
		local++;
	return len <= EMAIL_MAX && local > 0 && s[local] == '@' && is_host(s + local + 1, s + len);
}

/* What neither begins nor ends with one of the `joiners`, which may stand between letters and digits. */
static bool is_name_of(const char *s, bool (*class)(char), const char *joiners, size_t min, size_t max)
{
	size_t n = 0;

	for (; s[n]; n++) {
		if (!class(s[n]) && !strchr(joiners, s[n]))
			return false;
	}
	return n >= min && n <= max && class(s[0]) && class(s[n - 1]);
}

static bool is_user_name(const char *s)
{
	return is_name_of(s, is_alnum, "._-", 3, 32);
}

static bool is_lower_alnum(char c)
{
	return is_digit(c) || is_lower(c);
}

static bool is_slug(const char *s)
{
	return is_name_of(s, is_lower_alnum, "-", 1, SLUG_MAX);
}

/* What looks the same is the same: no letters that have doubles in other scripts, nothing unseen at its ends.
 */
static bool is_key(const char *s)
{
	size_t n = 0;

	while (s[n] >= ' ' && s[n] <= '~')
		n++;
	return n > 0 && s[n] == '\0' && s[0] != ' ' && s[n - 1] != ' ';
}

/* A program that is handed a line with a leading hyphen takes it for an option, a spreadsheet for a formula.
 */
static bool is_text_line(const char *s)
{
	const char *p = s;
	bool visible = false, space = false;

	for (int32_t code; (code = utf8_next(&p));) {
		bool first = !visible && !space;

		if (!visible && code == '-')
			return false;
		space = utf8_code_is_space(code);
		visible |= utf8_code_is_visible(code);
		if (utf8_code_is_control(code) || code == 0x2028 || code == 0x2029 || (first && space))
			return false;
	}
	return visible && !space;
}

static bool is_text(const char *s)
{
	bool visible = false;

	for (int32_t code; (code = utf8_next(&s));) {
		if (utf8_code_is_control(code) && code != '\n' && code != '\r' && code != '\t')
			return false;
		visible |= utf8_code_is_visible(code);
	}
	return visible;
}

/* Takes `n` characters of a class from *s. */
static bool take(const char **s, bool (*class)(char), size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!class((*s)[i]))
			return false;
	}
	*s += n;
	return true;
}

static bool take_script(const char **s)
{
	const char *p = *s;

	if (*p++ != '-' || !take(&p, is_alpha, 4) || is_alnum(*p))
		return false;
	*s = p;
	return true;
}

static bool take_region(const char **s)
{
	const char *p = *s;

	if (*p++ != '-' || (!take(&p, is_alpha, 2) && !take(&p, is_digit, 3)))
		return false;
	*s = p;
	return true;
}

/* RFC 5646: language of 2 or 3 letters, optionally script and region. */
static bool is_language(const char *s)
{
	if (!take(&s, is_alpha, 2))
		return false;
	(void)take(&s, is_alpha, 1);
	(void)take_script(&s);
	(void)take_region(&s);
	return *s == '\0';
}

static char to_lower(char c)
{
	return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

static char to_upper(char c)
{
	return is_lower(c) ? (char)(c - 'a' + 'A') : c;
}

/* What has the case already may be a constant. */
static void set(char *at, char c)
{
	if (*at != c)
		*at = c;
}

/* Behind the language, a subtag of four letters is a script (Hans), one of two a region (TW). */
void format_language(char *tag)
{
	for (char *subtag = tag; *subtag;) {
		size_t len = strcspn(subtag, "-");
		bool region = subtag != tag && len == 2;

		bool script = subtag != tag && len == 4;

		for (size_t i = 0; i < len; i++) {
			bool upper = region || (script && i == 0);

			set(&subtag[i], upper ? to_upper(subtag[i]) : to_lower(subtag[i]));
		}
		subtag += len + (subtag[len] == '-');
	}
}

static int compare_name(const void *name, const void *item)
{
	return strcmp(name, *(const char *const *)item);
}

static bool is_time_zone(const char *s)
{
	return bsearch(s, time_zones, n_time_zones, sizeof(*time_zones), compare_name) != NULL;
}

static bool is_ipv6_literal(const char *s, const char *end)
{
	unsigned colons = 0;

	if (end - s < 4 || *s++ != '[' || end[-1] != ']')
		return false;
	for (; s < end - 1; s++) {
		if (!is_hex(*s) && *s != ':' && *s != '.')
			return false;
		colons += *s == ':';
	}
	return colons >= 2;
}

/* host[:port]. User names in URLs are refused: they serve deception more often than access. */
static bool is_authority(const char *s, const char *end)
{
	const char *colon = end;
	unsigned port = 0;

	while (colon > s && is_digit(colon[-1]))
		colon--;
	if (colon > s && colon[-1] == ':') {
		colon--;
		if (end - colon < 2 || end - colon > 6)
			return false;
		for (const char *p = colon + 1; p < end; p++)
			port = port * 10 + (unsigned)(*p - '0');
		if (port == 0 || port > 65535)
			return false;
		end = colon;
	}
	return is_host(s, end) || is_ipv6_literal(s, end);
}

/* The characters of RFC 3986 after the authority: no space, no quotes, percent-escapes whole. */
static bool is_url_rest(const char *s)
{
	for (; *s; s++) {
		if (*s == '%' && (!is_hex(s[1]) || !is_hex(s[2])))
			return false;
		if (!is_alnum(*s) && !strchr("-._~:/?#[]@!$&'()*+,;=%", *s))
			return false;
	}
	return true;
}

static bool is_url(const char *s)
{
	const char *host;

	if (strlen(s) > URL_MAX)
		return false;
	if (strncasecmp(s, "https://", 8) == 0)
		host = s + 8;
	else if (strncasecmp(s, "http://", 7) == 0)
		host = s + 7;
	else
		return false;
	const char *end = host + strcspn(host, "/?#");
	return is_authority(host, end) && is_url_rest(end);
}

static bool is_anything(const char *s)
{
	return true;
}

static size_t digits(const char *s)
{
	size_t n = 0;

	while (is_digit(s[n]))
		n++;
	return n;
}

static bool is_decimal(const char *s)
{
	s += *s == '-';
	const size_t whole = digits(s);

	if (whole == 0 || whole > DECIMAL_WHOLE_MAX || (*s == '0' && whole > 1))
		return false;
	if (s[whole] == '\0')
		return true;
	const size_t part = digits(s + whole + 1);
	return s[whole] == '.' && part > 0 && part <= DECIMAL_PART_MAX && s[whole + 1 + part] == '\0';
}

struct form {
	bool (*check)(const char *);
	const char *must;
};

static struct form form_of(enum string_format format)
{
	switch (format) {
	case STRING_ANY:
		break;
	case STRING_UUID:
		return (struct form){is_uuid, "must be a UUID such as 3e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b61"};
	case STRING_EMAIL:
		return (struct form){is_email,
				     "must be an e-mail address such as ada@example.org, at most 254 bytes"};
	case STRING_CURRENCY:
		return (struct form){currency_valid,
				     "must be an ISO 4217 code in use, in upper case, such as EUR"};
	case STRING_USER_NAME:
		return (struct form){is_user_name,
				     "must be 3 to 32 characters of a-z, 0-9, '.', '_' and '-', and "
				     "begin and end with a letter or digit"};
	case STRING_LANGUAGE:
		return (struct form){is_language, "must be a language tag such as en, zh-Hans or pt-BR"};
	case STRING_URL:
		return (struct form){is_url, "must be an absolute http or https URL of at most 2048 bytes"};
	case STRING_SLUG:
		return (struct form){
			is_slug, "must be 1 to 32 characters of a-z, 0-9 and '-', and begin and end with a "
				 "letter or digit"};
	case STRING_KEY:
		return (struct form){is_key,
				     "must be printable ASCII that neither begins nor ends with a space"};
	case STRING_TEXT_LINE:
		return (struct form){
			is_text_line,
			"must be one line with something visible in it, without control or direction "
			"override characters, and neither begin nor end with a space nor begin with '-'"};
	case STRING_TEXT:
		return (struct form){
			is_text,
			"must be text with something visible in it, without control characters other "
			"than line ends and tabs, and without direction overrides"};
	case STRING_TIME_ZONE:
		return (struct form){is_time_zone,
				     "must be the name of an IANA time zone such as Europe/Berlin"};
	case STRING_DECIMAL:
		return (struct form){is_decimal,
				     "must be a decimal number: up to 15 digits, and up to 9 after a point"};
	}
	return (struct form){is_anything, ""};
}

bool format_is_text(enum string_format format)
{
	return format == STRING_TEXT_LINE || format == STRING_TEXT;
}

bool format_check(enum string_format format, const char *s)
{
	return form_of(format).check(s);
}

const char *format_must(enum string_format format)
{
	return form_of(format).must;
}
