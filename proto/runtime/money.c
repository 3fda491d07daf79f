/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/money.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"

struct currency {
	char code[CURRENCY_MAX];
	int8_t exponent;
};

/*
 * ISO 4217 list one as of 2026, sorted: what is legal tender somewhere. Not in it: fund codes (BOV, CHE, CHW,
 * CLF, COU, MXV, USN, UYI, UYW), units of account and metals (XAD, XAG, XAU, XBA to XBD, XDR, XPD, XPT, XSU,
 * XUA), XTS and XXX.
 */
static const struct currency currencies[] = {
	{"AED", 2}, {"AFN", 2}, {"ALL", 2}, {"AMD", 2}, {"AOA", 2}, {"ARS", 2}, {"AUD", 2}, {"AWG", 2},
	{"AZN", 2}, {"BAM", 2}, {"BBD", 2}, {"BDT", 2}, {"BHD", 3}, {"BIF", 0}, {"BMD", 2}, {"BND", 2},
	{"BOB", 2}, {"BRL", 2}, {"BSD", 2}, {"BTN", 2}, {"BWP", 2}, {"BYN", 2}, {"BZD", 2}, {"CAD", 2},
	{"CDF", 2}, {"CHF", 2}, {"CLP", 0}, {"CNY", 2}, {"COP", 2}, {"CRC", 2}, {"CUP", 2}, {"CVE", 2},
	{"CZK", 2}, {"DJF", 0}, {"DKK", 2}, {"DOP", 2}, {"DZD", 2}, {"EGP", 2}, {"ERN", 2}, {"ETB", 2},
	{"EUR", 2}, {"FJD", 2}, {"FKP", 2}, {"GBP", 2}, {"GEL", 2}, {"GHS", 2}, {"GIP", 2}, {"GMD", 2},
	{"GNF", 0}, {"GTQ", 2}, {"GYD", 2}, {"HKD", 2}, {"HNL", 2}, {"HTG", 2}, {"HUF", 2}, {"IDR", 2},
	{"ILS", 2}, {"INR", 2}, {"IQD", 3}, {"IRR", 2}, {"ISK", 0}, {"JMD", 2}, {"JOD", 3}, {"JPY", 0},
	{"KES", 2}, {"KGS", 2}, {"KHR", 2}, {"KMF", 0}, {"KPW", 2}, {"KRW", 0}, {"KWD", 3}, {"KYD", 2},
	{"KZT", 2}, {"LAK", 2}, {"LBP", 2}, {"LKR", 2}, {"LRD", 2}, {"LSL", 2}, {"LYD", 3}, {"MAD", 2},
	{"MDL", 2}, {"MGA", 2}, {"MKD", 2}, {"MMK", 2}, {"MNT", 2}, {"MOP", 2}, {"MRU", 2}, {"MUR", 2},
	{"MVR", 2}, {"MWK", 2}, {"MXN", 2}, {"MYR", 2}, {"MZN", 2}, {"NAD", 2}, {"NGN", 2}, {"NIO", 2},
	{"NOK", 2}, {"NPR", 2}, {"NZD", 2}, {"OMR", 3}, {"PAB", 2}, {"PEN", 2}, {"PGK", 2}, {"PHP", 2},
	{"PKR", 2}, {"PLN", 2}, {"PYG", 0}, {"QAR", 2}, {"RON", 2}, {"RSD", 2}, {"RUB", 2}, {"RWF", 0},
	{"SAR", 2}, {"SBD", 2}, {"SCR", 2}, {"SDG", 2}, {"SEK", 2}, {"SGD", 2}, {"SHP", 2}, {"SLE", 2},
	{"SOS", 2}, {"SRD", 2}, {"SSP", 2}, {"STN", 2}, {"SVC", 2}, {"SYP", 2}, {"SZL", 2}, {"THB", 2},
	{"TJS", 2}, {"TMT", 2}, {"TND", 3}, {"TOP", 2}, {"TRY", 2}, {"TTD", 2}, {"TWD", 2}, {"TZS", 2},
	{"UAH", 2}, {"UGX", 0}, {"USD", 2}, {"UYU", 2}, {"UZS", 2}, {"VED", 2}, {"VES", 2}, {"VND", 0},
	{"VUV", 0}, {"WST", 2}, {"XAF", 0}, {"XCD", 2}, {"XCG", 2}, {"XOF", 0}, {"XPF", 0}, {"YER", 2},
	{"ZAR", 2}, {"ZMW", 2}, {"ZWG", 2},
};

static int compare_code(const void *code, const void *item)
{
	return strcmp(code, ((const struct currency *)item)->code);
}

static const struct currency *currency_find(const char *code)
{
	return bsearch(code, currencies, ARRAY_SIZE(currencies), sizeof(*currencies), compare_code);
}

bool currency_valid(const char *code)
{
	return currency_find(code) != NULL;
}

int currency_exponent(const char *code)
{
	const struct currency *currency = currency_find(code);

	return currency ? currency->exponent : -1;
}

bool money_add(int64_t a, int64_t b, int64_t *ret)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*ret = sum;
	return true;
}

bool money_sub(int64_t a, int64_t b, int64_t *ret)
{
	int64_t difference;

	if (__builtin_sub_overflow(a, b, &difference))
		return false;
	*ret = difference;
	return true;
}

int64_t money_part(int64_t amount, int64_t part, int64_t whole)
{
	return (int64_t)((__int128)amount * part / whole);
}

char *money_format(const char *code, int64_t minor_units, char *out, int size)
{
	/* The magnitude of INT64_MIN fits no int64_t. */
	uint64_t magnitude = minor_units < 0 ? -(uint64_t)minor_units : (uint64_t)minor_units;
	const char *sign = minor_units < 0 ? "-" : "";
	int exponent = currency_exponent(code);
	uint64_t unit = 1;
	int n;

	for (int i = 0; i < exponent; i++)
		unit *= 10;
	if (exponent > 0)
		n = snprintf(out, (size_t)size, "%s%" PRIu64 ".%0*" PRIu64 " %s", sign, magnitude / unit,
			     exponent, magnitude % unit, code);
	else
		n = snprintf(out, (size_t)size, "%s%" PRIu64 " %s", sign, magnitude, code);
	if (n < 0)
		out[0] = '\0';
	return out;
}
