/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_MONEY_H
#define RUNTIME_MONEY_H

#include <stdbool.h>
#include <stdint.h>

/* Money is an integer count of a currency's minor unit (cents, fen); JPY has no minor unit and counts yen. */

/* ISO 4217's code where no currency is involved. */
#define CURRENCY_NONE "XXX"

enum {
	CURRENCY_MAX = 4,     /* "EUR" and a NUL */
	BASIS_POINTS = 10000, /* a whole */
};

/* True for an ISO 4217 alphabetic code in use (funds, metals, test and no-currency codes are not). Upper case
 * only. */
bool currency_valid(const char *code);

/* Digits after the decimal point (ISO 4217's exponent): 2 for EUR, 0 for JPY, 3 for KWD; -1 for no currency.
 */
int currency_exponent(const char *code);

/* Checked arithmetic: false on overflow, *ret untouched. */
bool money_add(int64_t a, int64_t b, int64_t *ret) __attribute__((warn_unused_result));
bool money_sub(int64_t a, int64_t b, int64_t *ret) __attribute__((warn_unused_result));

/* amount * part / whole, rounded toward zero. Exact for any amount; part is 0 to whole, which is above 0. */
int64_t money_part(int64_t amount, int64_t part, int64_t whole);

/* "12.34 EUR" into out; returns out. For people. */
char *money_format(const char *code, int64_t minor_units, char *out, int size);

#endif
