/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/output.h"
#include "edu/v1/edu_service.tables.h"

static struct error err;

static char *printed(const ProtobufCMessage *message, bool json)
{
	FILE *out = tmpfile();
	int r = json ? output_json(out, message, true, &err) : output_table(out, message, &err);

	assert_int_equal(r, 0);
	char *text = calloc(1, 16384);
	rewind(out);
	assert_true(fread(text, 1, 16383, out) > 0);
	fclose(out);
	return text;
}

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static void test_an_object_is_one_row_a_field(void **state)
{
	Money eur = MONEY_INIT, jpy = MONEY_INIT;
	Money *balances[] = {&eur, &jpy};
	Wallet wallet = WALLET_INIT;
	GetWalletResponse response = GET_WALLET_RESPONSE_INIT;

	eur.currency_code = (char *)"EUR";
	eur.minor_units = 1234;
	jpy.currency_code = (char *)"JPY";
	jpy.minor_units = 5;
	wallet.user_id = (char *)"usr_1";
	wallet.balances = balances;
	wallet.n_balances = 2;
	response.wallet = &wallet;
	char *text = printed(&response.base, false);
	assert_says(text, "user_id");
	assert_says(text, "12.34 EUR, 5 JPY");
	assert_null(strstr(text, "update_time"));
	free(text);
	text = printed(&response.base, true);
	assert_string_equal(text,
			    "{\"wallet\":{\"userId\":\"usr_1\",\"balances\":[{\"currencyCode\":\"EUR\","
			    "\"minorUnits\":\"1234\"},{\"currencyCode\":\"JPY\",\"minorUnits\":\"5\"}]}}\n");
	free(text);
}

static void test_a_list_is_one_row_an_element(void **state)
{
	Lesson lessons[2] = {LESSON_INIT, LESSON_INIT};
	Lesson *list[] = {&lessons[0], &lessons[1]};
	ListLessonsResponse response = LIST_LESSONS_RESPONSE_INIT;

	lessons[0].lesson_id = (char *)"les_1";
	lessons[0].title = (char *)"Groups";
	lessons[0].kind = EDU__V1__LESSON_KIND__LESSON_KIND_VIDEO;
	lessons[1].lesson_id = (char *)"les_2";
	lessons[1].title = (char *)"Rings";
	response.lessons = list;
	response.n_lessons = 2;
	char *text = printed(&response.base, false);
	assert_says(text, "LESSON_ID");
	assert_says(text, "les_2");
	assert_says(text, "video");
	assert_null(strstr(text, "DURATION"));
	assert_int_equal(strchr(text, '\n') - text, strcspn(text, "\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_object_is_one_row_a_field),
		cmocka_unit_test(test_a_list_is_one_row_an_element),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
