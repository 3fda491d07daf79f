/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/auth/key_dir.h"
#include "tests/lib/temp_dir.h"

static void test_created_once_and_private(void **state)
{
	char dir[TEMP_DIR_MAX], path[TEMP_DIR_MAX + 32], buffer[KEY_FILE_MAX];
	struct error err;
	struct stat st;
	size_t len;

	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/keys", dir);
	assert_int_equal(key_dir_ensure(path, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(key_dir_ensure(path, &err), 0);
	assert_int_equal(key_file_read(path, "k", buffer, &len, &err), 0);
	assert_int_equal(len, 0);
	assert_int_equal(key_file_create(path, "k", span_str("first"), &err), 0);
	assert_int_equal(key_file_create(path, "k", span_str("second"), &err), 0);
	assert_int_equal(key_file_read(path, "k", buffer, &len, &err), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(buffer, "first", 5);
	strcat(path, "/k");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_nlink, 1);
	temp_dir_remove(dir);
}

static void test_open_to_others_is_refused(void **state)
{
	static const mode_t bad[] = {0604, 0602, 0620, 0666}, good[] = {0600, 0400, 0440};
	char dir[TEMP_DIR_MAX], path[TEMP_DIR_MAX + 32], buffer[KEY_FILE_MAX];
	struct error err;
	size_t len;

	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/k", dir);
	assert_int_equal(key_file_create(dir, "k", span_str("x"), &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		chmod(path, bad[i]);
		assert_int_equal(key_file_read(dir, "k", buffer, &len, &err), -STATUS_INTERNAL);
		assert_non_null(strstr(err.message, path));
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		chmod(path, good[i]);
		assert_int_equal(key_file_read(dir, "k", buffer, &len, &err), 0);
	}
	temp_dir_remove(dir);
}

static void test_odd_files_are_refused(void **state)
{
	char dir[TEMP_DIR_MAX], path[TEMP_DIR_MAX + 32], buffer[KEY_FILE_MAX];
	static char big[KEY_FILE_MAX];
	struct error err;
	size_t len;

	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/sub", dir);
	mkdir(path, 0700);
	assert_true(key_file_read(dir, "sub", buffer, &len, &err) < 0);
	assert_int_equal(key_file_create(dir, "big", span_of(big, sizeof(big)), &err), 0);
	assert_true(key_file_read(dir, "big", buffer, &len, &err) < 0);
	assert_int_equal(key_file_create(dir, "empty", span_of(NULL, 0), &err), 0);
	assert_true(key_file_read(dir, "empty", buffer, &len, &err) < 0);
	assert_true(key_file_create("/nonexistent", "k", span_str("x"), &err) < 0);
	assert_true(key_dir_ensure("/nonexistent/keys", &err) < 0);
	temp_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_created_once_and_private),
		cmocka_unit_test(test_open_to_others_is_refused),
		cmocka_unit_test(test_odd_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
