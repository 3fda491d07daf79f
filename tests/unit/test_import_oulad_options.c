/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "client/examples/import_oulad/options.h"
#include "proto/runtime/array.h"

static struct error err;

static int read_line(struct options *o, const char *line)
{
	static char text[512];
	char *argv[32] = {(char *)"import_oulad"};
	int argc = 1;

	strcpy(text, line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	optind = 0; /* getopt begins anew */
	opterr = 0;
	return options_read(argc, argv, o, &err);
}

#define NEEDED                                                                                               \
	"data --presentation AAA/2013J --subject Arts --user u --password-file p --learner-secret-file s"

static void test_defaults(void **state)
{
	struct options o;

	unsetenv("EDU_TARGET");
	assert_int_equal(read_line(&o, NEEDED), 0);
	assert_string_equal(o.dir, "data");
	assert_string_equal(o.subject, "Arts");
	assert_string_equal(o.target, "localhost:50051");
	assert_false(o.tls);
	assert_true(o.price == 4900);
	assert_string_equal(o.currency, "EUR");
	setenv("EDU_TARGET", "there:1", 1);
	assert_int_equal(read_line(&o, NEEDED), 0);
	assert_string_equal(o.target, "there:1");
	assert_int_equal(read_line(&o, NEEDED " --target here:2 --ca f --workers 256 --in-flight 10000"), 0);
	assert_string_equal(o.target, "here:2");
	assert_true(o.tls);
	assert_int_equal(o.workers, 256);
	assert_int_equal(o.in_flight, 10000);
	assert_null(o.approver);
	assert_int_equal(read_line(&o, NEEDED " --approver a --approver-password-file f"), 0);
	assert_string_equal(o.approver, "a");
	assert_string_equal(o.approver_password_file, "f");
}

static void test_wrong_lines(void **state)
{
	static const char *const lines[] = {
		"",
		"data --subject Arts --user u --password-file p --learner-secret-file s",
		"data --presentation AAA/2013J --subject Arts --password-file p --learner-secret-file s",
		"data --presentation AAA/2013J --user u --password-file p --learner-secret-file s",
		NEEDED " more",
		NEEDED " --workers 0",
		NEEDED " --workers 257",
		NEEDED " --workers -1",
		NEEDED " --in-flight 10001",
		NEEDED " --in-flight 5x",
		NEEDED " --price 49.00EUR",
		NEEDED " --unknown",
		NEEDED " --tl",
		NEEDED " --worker 3",
		NEEDED " --worker=3",
		NEEDED " --approver a",
		NEEDED " --approver-password-file f",
	};
	struct options o;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(read_line(&o, lines[i]), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(read_line(&o, "--help"), 0);
	assert_true(o.help);
}

static void test_prices(void **state)
{
	static const struct {
		const char *text;
		int64_t minor_units;
	} good[] = {{"49.00 EUR", 4900},
		    {"49 EUR", 4900},
		    {"49.5 EUR", 4950},
		    {"0.01 EUR", 1},
		    {"1200 JPY", 1200},
		    {"1.234 KWD", 1234},
		    {"92233720368547758.07 EUR", INT64_MAX}};
	static const char *const bad[] = {
		"0 EUR",  "0.00 EUR", "49.000 EUR", "1.0 JPY", "49 eur",  "49 XXX",
		"-1 EUR", "+1 EUR",   ".5 EUR",     "5. EUR",  "1,5 EUR", "1.2.3 EUR",
		" 1 EUR", "1  EUR",   "1 EUR ",     "EUR",     "",        "92233720368547758.08 EUR"};
	char currency[CURRENCY_MAX];
	int64_t amount;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(options_price(good[i].text, &amount, currency, &err), 0);
		assert_true(amount == good[i].minor_units);
		assert_string_equal(currency, strchr(good[i].text, ' ') + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (options_price(bad[i], &amount, currency, &err) == 0)
			fail_msg("\"%s\" is taken", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_wrong_lines),
		cmocka_unit_test(test_prices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
