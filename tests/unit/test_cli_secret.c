/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
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

/* What the terminal has shown, and how much of it was looked at: one read may bring what is looked for next.
 */
static char shown[1024];
static size_t looked;

/* Reads on until the terminal shows this; false when it ends before. */
static bool shows(int terminal, const char *part)
{
	const char *at;
	size_t n = strlen(shown);

	while (!(at = strstr(shown + looked, part)) && n + 1 < sizeof(shown)) {
		ssize_t got = read(terminal, shown + n, sizeof(shown) - 1 - n);
		if (got <= 0)
			return false;
		n += (size_t)got;
		shown[n] = '\0';
	}
	if (at)
		looked = (size_t)(at - shown) + strlen(part);
	return at;
}

/* A terminal whose shell runs `run`; -1 only where there are none to be had, as in a bare chroot. */
static pid_t terminal_run(int *terminal, int (*run)(void))
{
	memset(shown, 0, sizeof(shown));
	looked = 0;
	pid_t child = forkpty(terminal, NULL, NULL, NULL);
	if (child < 0)
		assert_int_equal(access("/dev/pts/ptmx", F_OK), -1);
	if (child == 0)
		_exit(run());
	return child;
}

static bool echoes(int terminal)
{
	struct termios mode;

	return tcgetattr(terminal, &mode) == 0 && mode.c_lflag & ECHO;
}

/* Types when asked, and reads to the end of the line. */
static void answer(int terminal, const char *prompt, const char *typed)
{
	assert_true(shows(terminal, prompt));
	assert_false(echoes(terminal));
	assert_int_equal(write(terminal, typed, strlen(typed)), strlen(typed));
	assert_true(shows(terminal, "\n"));
	assert_null(strstr(shown, "hunter"));
}

static void assert_ends(pid_t child, int code)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static int ask(void)
{
	int r = secret_ask("password", out, &err);

	return r == 0 && strcmp(out, "hunter2") == 0          ? 0
	       : strstr(err.message, "no password was typed") ? 2
							      : 1;
}

static void test_asked_for_without_echo(void **state)
{
	int terminal;
	pid_t child = terminal_run(&terminal, ask);

	if (child < 0)
		return;
	answer(terminal, "password: ", "hunter2\n");
	assert_ends(child, 0);
	assert_true(echoes(terminal));
	close(terminal);
	child = terminal_run(&terminal, ask);
	answer(terminal, "password: ", "\n");
	assert_ends(child, 2);
	close(terminal);
}

static int ask_new(void)
{
	int r = secret_ask_new("password", out, &err);

	return r == 0 && strcmp(out, "hunter2") == 0 ? 0 : strstr(err.message, "differ") ? 2 : 1;
}

static void test_a_new_one_is_asked_for_twice(void **state)
{
	static const char *const seconds[] = {"hunter2\n", "hunter3\n"};
	static const int codes[] = {0, 2};

	for (int i = 0; i < 2; i++) {
		int terminal;
		pid_t child = terminal_run(&terminal, ask_new);
		if (child < 0)
			return;
		answer(terminal, "password: ", "hunter2\n");
		answer(terminal, "password again: ", seconds[i]);
		assert_ends(child, codes[i]);
		close(terminal);
	}
}

/* A shell of one command: what a key did to it, 0 when the terminal is as it was before. */
static int shell_of_ask(void)
{
	const struct rlimit no_core = {0, 0};
	int status;

	signal(SIGTTOU, SIG_IGN); /* who is in the background may say who is in front */
	pid_t command = fork();
	setpgid(command, command); /* in both: whichever comes first */
	if (command == 0) {
		tcsetpgrp(0, getpid());
		signal(SIGTTOU, SIG_DFL);
		signal(SIGINT, SIG_DFL); /* whoever runs the test may ignore them */
		signal(SIGQUIT, SIG_DFL);
		signal(SIGTSTP, SIG_DFL);
		setrlimit(RLIMIT_CORE, &no_core);
		_exit(ask());
	}
	if (waitpid(command, &status, WUNTRACED) != command || !echoes(0))
		return 100;
	kill(command, SIGKILL);
	return WIFSTOPPED(status) ? WSTOPSIG(status) : WIFSIGNALED(status) ? WTERMSIG(status) : 101;
}

/* What the shell ends with. A key between the prompt and the reading of the line is seen with the next one.
 */
static int press_until_end(int terminal, pid_t shell, const char *key)
{
	int status = 0, tries = 0;

	while (waitpid(shell, &status, WNOHANG) == 0 && tries++ < 100) {
		assert_int_equal(write(terminal, key, 1), 1);
		usleep(50000);
	}
	assert_true(tries <= 100 && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_keys_that_interrupt_leave_the_echo_on(void **state)
{
	static const char *const keys[] = {"\003", "\034", "\032"}; /* Ctrl-C, Ctrl-\, Ctrl-Z */
	static const int signals[] = {SIGINT, SIGQUIT, SIGTSTP};

	for (int i = 0; i < 3; i++) {
		int terminal;
		pid_t shell = terminal_run(&terminal, shell_of_ask);
		if (shell < 0)
			return;
		assert_true(shows(terminal, "password: "));
		assert_int_equal(press_until_end(terminal, shell, keys[i]), signals[i]);
		close(terminal);
	}
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
		cmocka_unit_test(test_a_new_one_is_asked_for_twice),
		cmocka_unit_test(test_keys_that_interrupt_leave_the_echo_on),
		cmocka_unit_test_setup_teardown(test_no_terminal_to_ask, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
