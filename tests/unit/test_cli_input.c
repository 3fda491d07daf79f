/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/input.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/input.h"
#include "tests/lib/temp_dir.h"

static struct error err;

static void test_input_is_read_object_by_object(void **state)
{
	char dir[TEMP_DIR_MAX], path[TEMP_DIR_MAX + 8];
	struct input in;
	json_t *json;

	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/input", dir);
	FILE *out = fopen(path, "w");
	fputs(" {\"a\":1}{\"a\":2}\n\n{\"a\":3}\n[1]", out);
	fclose(out);
	assert_int_equal(input_open(&in, path, &err), 0);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(input_next(&in, &json, &err), 1);
		assert_int_equal(json_integer_value(json_object_get(json, "a")), i);
		json_decref(json);
	}
	assert_int_equal(input_next(&in, &json, &err), -STATUS_INVALID_ARGUMENT);
	input_stop(&in);
	input_close(&in);
	temp_dir_remove(dir);
}

/* What comes from a terminal may never end; the stream it is for does. */
static void *stop_soon(void *arg)
{
	usleep(20000);
	input_stop(arg);
	return NULL;
}

static void test_reading_can_be_ended(void **state)
{
	char dir[TEMP_DIR_MAX], path[TEMP_DIR_MAX + 8];
	struct input in;
	pthread_t thread;
	json_t *json;

	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	int writer = open(path, O_RDWR);
	assert_int_equal(input_open(&in, path, &err), 0);
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, &in), 0);
	assert_int_equal(input_next(&in, &json, &err), 0);
	pthread_join(thread, NULL);
	input_close(&in);
	close(writer);
	temp_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input_is_read_object_by_object),
		cmocka_unit_test(test_reading_can_be_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
