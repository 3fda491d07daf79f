/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "proto/runtime/uuid.h"

static void test_comes_back_in_lower_case(void **state)
{
	static const uint8_t bytes[16] = {0x3e, 0x7c, 0x3f, 0x6d, 0x9c, 0x1c, 0x4f, 0x0a,
					  0x8a, 0x53, 0x0d, 0x9a, 0x7e, 0x0f, 0x2b, 0xff};
	char text[UUID_TEXT_MAX];
	uint8_t back[16];

	assert_true(uuid_parse("3E7c3f6d-9C1C-4f0a-8a53-0d9a7e0f2bFF", back));
	assert_memory_equal(back, bytes, 16);
	assert_string_equal(uuid_format(back, text), "3e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2bff");
	memset(back, 0, 16);
	uuid_of(text, back);
	assert_memory_equal(back, bytes, 16);
}

static void test_refuses_other_texts(void **state)
{
	static const char *const texts[] = {
		"",
		"3e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b6",
		"3e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b611",
		"3e7c3f6d9c1c-4f0a-8a53-0d9a7e0f2b61-",
		"3e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b6g",
		"3e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b\x10\x11",
		"{e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b6}",
		"-e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b61",
	};
	uint8_t uuid[16];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (uuid_parse(texts[i], uuid))
			fail_msg("took '%s'", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back_in_lower_case),
		cmocka_unit_test(test_refuses_other_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
