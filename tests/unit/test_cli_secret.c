/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/cli/secret.h"
#include "tests/lib/temp_dir.h"

static char dir[TEMP_DIR_MAX], path[TEMP_DIR_MAX + 16], out[SECRET_MAX];
static struct error err;

static void file_write(const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

static int setup(void **state)
{
	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/secret", dir);
	return 0;
}

static int teardown(void **state)
{
	temp_dir_remove(dir);
	return 0;
}

static void test_first_line_of_a_file(void **state)
{
	file_write("correct horse \r\nsecond\n");
	assert_int_equal(secret_read_file(path, out, &err), 0);
	assert_string_equal(out, "correct horse ");
	file_write("no end");
	assert_int_equal(secret_read_file(path, out, &err), 0);
	assert_string_equal(out, "no end");
}

static void test_no_line_and_too_long_a_line(void **state)
{
	char longest[SECRET_MAX + 2];

	file_write("");
	assert_int_equal(secret_read_file(path, out, &err), -STATUS_INVALID_ARGUMENT);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	file_write(longest);
	assert_int_equal(secret_read_file(path, out, &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(secret_read_file("/nonexistent", out, &err), -STATUS_INVALID_ARGUMENT);
}

/* Everything a terminal shows until a byte comes that ends it. */
static size_t shown_until(int terminal, char *shown, size_t size, const char *end)
{
	size_t n = 0;

	while (n + 1 < size && !strstr(shown, end)) {
		ssize_t got = read(terminal, shown + n, size - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		shown[n] = '\0';
	}
	return n;
}

static void test_asked_for_without_echo(void **state)
{
	char shown[256] = "";
	int terminal, status;
	pid_t child = forkpty(&terminal, NULL, NULL, NULL);

	if (child < 0) { /* only where there are no pseudo-terminals to be had, as in a bare chroot */
		assert_int_equal(access("/dev/pts/ptmx", F_OK), -1);
		return;
	}
	if (child == 0)
		_exit(secret_ask("password", out, &err) == 0 && strcmp(out, "hunter2") == 0 ? 0 : 1);
	shown_until(terminal, shown, sizeof(shown), "password: ");
	usleep(50000); /* input typed before the echo is off is thrown away */
	assert_int_equal(write(terminal, "hunter2\n", 8), 8);
	shown[0] = '\0';
	shown_until(terminal, shown, sizeof(shown), "\n");
	assert_null(strstr(shown, "hunter2"));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
	close(terminal);
}

static void test_no_terminal_to_ask(void **state)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		setsid();
		_exit(secret_ask("password", out, &err) < 0 && strstr(err.message, "--password-file") ? 0
												      : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_line_of_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_line_and_too_long_a_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asked_for_without_echo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_terminal_to_ask, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
