/* SPDX-License-Identifier: Apache-2.0 */
/* The command line as a whole, against servers of ours: what it prints, where, and how it ends. */
#include <fcntl.h>
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

#include "client/cli/cli.h"
#include "edu/v1/edu_service.tables.h"
#include "tests/lib/probe_server.h"
#include "tests/lib/session_server.h"
#include "tests/lib/temp_dir.h"

static char dir[TEMP_DIR_MAX];
static char out[65536], errors[65536];
static struct rpc_server *probe;

static void file_path(const char *name, char path[TEMP_DIR_MAX + 32])
{
	snprintf(path, TEMP_DIR_MAX + 32, "%s/%s", dir, name);
}

static void file_write(const char *name, const char *text)
{
	char path[TEMP_DIR_MAX + 32];

	file_path(name, path);
	FILE *f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

static void file_read(const char *name, char *text, size_t size)
{
	char path[TEMP_DIR_MAX + 32];

	file_path(name, path);
	FILE *f = fopen(path, "r");
	text[fread(text, 1, size - 1, f)] = '\0';
	fclose(f);
}

/* The descriptor is another file until it is put back. */
static int descriptor_swap(int fd, const char *name, int flags)
{
	char path[TEMP_DIR_MAX + 32];
	int saved = dup(fd);

	file_path(name, path);
	int file = open(path, flags, 0600);
	assert_true(file >= 0);
	dup2(file, fd);
	close(file);
	return saved;
}

static void descriptor_restore(int fd, int saved)
{
	dup2(saved, fd);
	close(saved);
}

static enum exit_code run(const struct service_desc *service, const char *input, const char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	file_write("in", input);
	fflush(stdout);
	fflush(stderr);
	int in = descriptor_swap(0, "in", O_RDONLY),
	    o = descriptor_swap(1, "out", O_RDWR | O_CREAT | O_TRUNC),
	    e = descriptor_swap(2, "err", O_RDWR | O_CREAT | O_TRUNC);
	clearerr(stdin);
	enum exit_code code = cli_main(service, argc, (char **)argv);
	fflush(stdout);
	fflush(stderr);
	descriptor_restore(0, in);
	descriptor_restore(1, o);
	descriptor_restore(2, e);
	file_read("out", out, sizeof(out));
	file_read("err", errors, sizeof(errors));
	return code;
}

#define EDU(...) run(&edu_service_desc, "", (const char *[]){"edu", __VA_ARGS__, NULL})
#define EDU_WITH(input, ...) run(&edu_service_desc, input, (const char *[]){"edu", __VA_ARGS__, NULL})
#define PROBE(input, ...) run(probe_services[0], input, (const char *[]){"edu", __VA_ARGS__, NULL})

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static void target_set(int port)
{
	char target[64];

	snprintf(target, sizeof(target), "127.0.0.1:%d", port);
	setenv("EDU_TARGET", target, 1);
}

static int setup(void **state)
{
	temp_dir_make(dir);
	setenv("XDG_STATE_HOME", dir, 1);
	target_set(session_server_start());
	return 0;
}

static int teardown(void **state)
{
	session_server_stop();
	temp_dir_remove(dir);
	return 0;
}

static int setup_probe(void **state)
{
	struct rpc_server_config config;
	struct error err;

	temp_dir_make(dir);
	setenv("XDG_STATE_HOME", dir, 1);
	probe_config(&config);
	assert_int_equal(rpc_server_new(&config, probe_rows, probe_services, &probe, &err), 0);
	assert_int_equal(rpc_server_start(probe, &err), 0);
	target_set(rpc_server_port(probe));
	return 0;
}

static int teardown_probe(void **state)
{
	rpc_server_stop(probe);
	rpc_server_free(probe);
	temp_dir_remove(dir);
	return 0;
}

/* --- sessions --- */

static void test_login_is_kept_for_the_next_commands(void **state)
{
	assert_int_equal(EDU("get-user"), EXIT_SIGN_IN);
	assert_says(errors, "TOKEN_MISSING");
	assert_says(errors, "edu login");
	assert_string_equal(out, "");
	assert_int_equal(EDU_WITH("correct horse\n", "login", "--login", "ada", "--password-file", "-"),
			 EXIT_DONE);
	assert_says(out, "ada");
	assert_null(strstr(out, "a0"));
	assert_int_equal(EDU("get-user"), EXIT_DONE);
	assert_says(out, "user_name");
	assert_int_equal(EDU("get-user", "--profile", "other"), EXIT_SIGN_IN);
	assert_int_equal(EDU("forget"), EXIT_DONE);
	assert_int_equal(EDU("get-user"), EXIT_SIGN_IN);
}

static void test_a_wrong_password_keeps_nothing(void **state)
{
	assert_int_equal(EDU("login", "--login", "ada", "--password", "x"), EXIT_SIGN_IN);
	assert_says(errors, "CREDENTIALS_INVALID");
	assert_says(errors, "what to do: No user has this name");
	assert_int_equal(EDU("get-user"), EXIT_SIGN_IN);
}

static void test_a_session_that_cannot_be_kept_is_not_begun(void **state)
{
	setenv("XDG_STATE_HOME", "/proc/none", 1);
	assert_int_equal(EDU("login", "--login", "ada", "--password", "correct horse"), EXIT_SESSION);
	assert_int_equal(session_handled, 0);
	assert_says(errors, "/proc/none/edu/default@127.0.0.1:");
	assert_says(errors, "cannot be written");
	assert_says(errors, "what to do: ");
	assert_says(errors, "XDG_STATE_HOME");
	assert_null(strstr(errors, "FIELD_INVALID"));
}

/* Whoever runs the tests may be root, to whom no mode matters: so a directory is in the file's place. */
static void test_forget_tells_a_session_that_stays_from_none(void **state)
{
	char path[TEMP_DIR_MAX + 128];

	assert_int_equal(EDU("forget"), EXIT_DONE);
	assert_says(errors, "no session was kept");
	snprintf(path, sizeof(path), "%s/edu", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/edu/default@%s.json", dir, getenv("EDU_TARGET"));
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(EDU("forget"), EXIT_SESSION);
	assert_says(errors, path);
	assert_null(strstr(errors, "no session was kept"));
}

static void test_the_session_is_refreshed_silently_and_kept(void **state)
{
	assert_int_equal(EDU("login", "--login", "ada", "--password", "correct horse"), EXIT_DONE);
	for (int i = 1; i <= 3; i++) {
		session_oldest = i;
		assert_int_equal(EDU("get-user", "--output", "json"), EXIT_DONE);
		assert_string_equal(errors, "");
		assert_int_equal(session_refreshes, i);
	}
}

static void test_an_ended_session(void **state)
{
	assert_int_equal(EDU("login", "--login", "ada", "--password", "correct horse"), EXIT_DONE);
	session_oldest = 1;
	session_newest = 5;
	assert_int_equal(EDU("get-user"), EXIT_SIGN_IN);
	assert_says(errors, "REFRESH_TOKEN_REUSED");
	assert_int_equal(EDU("get-course", "--course-id", "crs_0000000000001"), EXIT_DONE);
	assert_says(errors, "what everybody sees");
}

static void test_a_token_of_ones_own(void **state)
{
	assert_int_equal(EDU("get-user", "--token", "a0", "--output", "json"), EXIT_DONE);
	assert_says(out, "\"userId\": \"7\"");
	session_oldest = 1;
	assert_int_equal(EDU("get-user", "--token", "a0", "--output", "json"), EXIT_SIGN_IN);
	json_t *json = json_loads(errors, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json, "reason")), "TOKEN_EXPIRED");
	json_decref(json);
}

static void test_wrong_lines_call_nothing(void **state)
{
	assert_int_equal(EDU("get-coarse"), EXIT_USAGE);
	assert_says(errors, "did you mean \"edu get-course\"?");
	assert_int_equal(EDU("get-course", "--curse-id", "x"), EXIT_USAGE);
	assert_says(errors, "did you mean --course-id?");
	assert_int_equal(EDU("create-lesson", "--kind", "movie"), EXIT_USAGE);
	assert_says(errors, "edu create-lesson: --kind must be video|text|");
	assert_int_equal(EDU("login", "--login", "ada", "--password", "x", "--password-file", "-"),
			 EXIT_USAGE);
	assert_says(errors, "--password-file is given besides the password");
	assert_int_equal(EDU_WITH("{}", "login", "--json", "-", "--password-file", "-"), EXIT_USAGE);
	assert_says(errors, "--password-file cannot be standard input");
	assert_int_equal(EDU("get-user", "--password-file", "-"), EXIT_USAGE);
	assert_says(errors, "--password-file is for requests with a password");
	assert_int_equal(session_handled, 0);
	assert_int_equal(EDU_WITH("[1]", "get-course", "--json", "-"), EXIT_USAGE);
	assert_int_equal(EDU_WITH("{\"curseId\": \"x\"}", "get-course", "--json", "-"), EXIT_REQUEST);
	assert_says(errors, "curseId");
}

static void test_a_whole_request_as_json(void **state)
{
	assert_int_equal(EDU_WITH("{\"course_id\": \"crs_0000000000001\"}", "get-course", "--json", "-",
				  "--output", "json"),
			 EXIT_DONE);
	assert_says(out, "crs_0000000000001");
	assert_int_equal(EDU_WITH("{\"course_id\": \"crs_0000000000001\"}", "get-course", "--json", "-",
				  "--course-id", "crs_0000000000002"),
			 EXIT_DONE);
	assert_says(out, "crs_0000000000002");
}

static void test_nobody_listens(void **state)
{
	assert_int_equal(EDU("get-course", "--course-id", "crs_0000000000001", "--target", "127.0.0.1:1"),
			 EXIT_LATER);
	assert_says(errors, "there is no connection to");
	assert_says(errors, "reason: NOT_CONNECTED (UNAVAILABLE)");
	assert_says(errors, "nothing was done");
	assert_null(strstr(errors, "may have happened"));
	assert_int_equal(EDU("create-lesson", "--target", "nobody.invalid:1"), EXIT_LATER);
	assert_says(errors, "nothing was done");
	assert_says(errors, "to repeat it safely: --request-id ");
}

/* --- streams --- */

static void test_streams_print_as_they_come(void **state)
{
	assert_int_equal(PROBE("", "pour", "--count", "3", "--output", "json"), EXIT_DONE);
	assert_string_equal(out, "{\"number\":1}\n{\"number\":2}\n{\"number\":3}\n");
	assert_int_equal(PROBE("", "pour", "--count", "9", "--fail-after", "2", "--output", "json"),
			 EXIT_LATER);
	assert_string_equal(out, "{\"number\":1}\n{\"number\":2}\n");
	assert_says(errors, "CONFLICT");
}

static void test_streams_of_requests(void **state)
{
	assert_int_equal(PROBE("{\"payload\": \"AAAA\"}\n{\"payload\": \"AA==\"}", "gather", "--json", "-",
			       "--token", "learner", "--output", "json"),
			 EXIT_DONE);
	assert_string_equal(out, "{\"messages\":2,\"bytes\":\"4\"}\n");
	assert_int_equal(PROBE("{} 3", "gather", "--json", "-", "--token", "learner"), EXIT_REQUEST);
	assert_says(errors, "no JSON object");
}

static void test_streams_both_ways(void **state)
{
	assert_int_equal(PROBE("{\"words\":\"a\",\"times\":2}{\"words\":\"b\",\"times\":1}", "talk", "--json",
			       "-", "--output", "json"),
			 EXIT_DONE);
	assert_string_equal(out, "{\"words\":\"a\"}\n{\"words\":\"a\"}\n{\"words\":\"b\"}\n");
	assert_int_equal(PROBE("", "talk", "--words", "c", "--times", "1", "--output", "json"), EXIT_DONE);
	assert_string_equal(out, "{\"words\":\"c\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_login_is_kept_for_the_next_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_wrong_password_keeps_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_session_that_cannot_be_kept_is_not_begun, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_forget_tells_a_session_that_stays_from_none, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_the_session_is_refreshed_silently_and_kept, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_an_ended_session, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_token_of_ones_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_lines_call_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_whole_request_as_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_listens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_streams_print_as_they_come, setup_probe, teardown_probe),
		cmocka_unit_test_setup_teardown(test_streams_of_requests, setup_probe, teardown_probe),
		cmocka_unit_test_setup_teardown(test_streams_both_ways, setup_probe, teardown_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
