/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/cli/session_file.h"
#include "tests/lib/temp_dir.h"

static char dir[TEMP_DIR_MAX];
static struct session_file file;
static struct error err;

static int setup(void **state)
{
	temp_dir_make(dir);
	setenv("XDG_STATE_HOME", dir, 1);
	umask(0);
	return session_file_init(&file, "default", "localhost:50051", &err);
}

static int teardown(void **state)
{
	temp_dir_remove(dir);
	return 0;
}

static const struct session_tokens tokens = {
	.access = (char *)"a", .refresh = (char *)"r", .access_expire_ms = 1767323045000};

static void test_kept_and_read(void **state)
{
	struct session_tokens read;

	assert_int_equal(session_file_load(&file, &read, &err), 0);
	assert_null(read.access);
	assert_int_equal(session_file_save(&file, &tokens, &err), 0);
	assert_int_equal(session_file_load(&file, &read, &err), 0);
	assert_string_equal(read.access, "a");
	assert_string_equal(read.refresh, "r");
	assert_true(read.access_expire_ms == 1767323045000);
	session_tokens_done(&read);
	assert_int_equal(session_file_remove(&file, &err), 1);
	assert_int_equal(session_file_remove(&file, &err), 0);
}

static void test_nobody_else_can_read_it(void **state)
{
	struct stat st;
	char parent[512];

	assert_int_equal(session_file_save(&file, &tokens, &err), 0);
	assert_int_equal(stat(file.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(parent, sizeof(parent), "%s/edu", dir);
	assert_int_equal(stat(parent, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_one_file_a_target_and_profile(void **state)
{
	struct session_file other;

	assert_int_equal(session_file_init(&other, "default", "localhost:50052", &err), 0);
	assert_string_not_equal(file.path, other.path);
	assert_int_equal(session_file_init(&other, "ada", "localhost:50051", &err), 0);
	assert_string_not_equal(file.path, other.path);
	assert_int_equal(session_file_init(&other, "default", "unix:/run/edu.sock", &err), 0);
	assert_null(strchr(strrchr(other.path, '@'), '/'));
}

static void test_damaged_says_what_to_do(void **state)
{
	struct session_tokens read;

	assert_int_equal(session_file_save(&file, &tokens, &err), 0);
	assert_int_equal(truncate(file.path, 5), 0);
	assert_int_equal(session_file_load(&file, &read, &err), -STATUS_FAILED_PRECONDITION);
	assert_non_null(strstr(err.message, "edu forget"));
}

/* A directory where the file is to be: what even root cannot remove as a file, or write. */
static void test_what_cannot_be_removed_is_no_absence(void **state)
{
	assert_int_equal(session_file_save(&file, &tokens, &err), 0);
	assert_int_equal(session_file_remove(&file, &err), 1);
	assert_int_equal(mkdir(file.path, 0700), 0);
	assert_int_equal(session_file_remove(&file, &err), -STATUS_FAILED_PRECONDITION);
	assert_non_null(strstr(err.message, file.path));
	assert_non_null(strstr(err.message, "cannot be removed"));
}

/* Whoever holds the lock may exchange a token: so there is none unless what comes can be saved. */
static void test_no_lock_where_nothing_can_be_saved(void **state)
{
	struct session_store store = session_file_store(&file);
	struct session_tokens read;
	char path[sizeof(file.path) + 8];
	uid_t me = geteuid();

	assert_int_equal(session_file_save(&file, &tokens, &err), 0);
	assert_int_equal(store.lock(store.arg, &read, &err), 0);
	session_tokens_done(&read);
	store.unlock(store.arg);
	snprintf(path, sizeof(path), "%s.lock", file.path);
	assert_int_equal(chmod(path, 0666), 0);
	snprintf(path, sizeof(path), "%s/edu", dir);
	assert_int_equal(chmod(dir, 0755) | chmod(path, 0555), 0);
	assert_int_equal(seteuid(me ? me : 65534), 0); /* modes do not bind root */
	int r = store.lock(store.arg, &read, &err);
	assert_int_equal(seteuid(me), 0);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(r, -STATUS_FAILED_PRECONDITION);
	assert_non_null(strstr(err.message, "cannot be written"));
	assert_int_equal(file.lock, -1);
}

/* The process that comes second reads what the first has saved under the lock. */
static void test_exchanges_are_serialized_between_processes(void **state)
{
	struct session_store store = session_file_store(&file);
	struct session_tokens read;

	assert_int_equal(session_file_save(&file, &tokens, &err), 0);
	assert_int_equal(store.lock(store.arg, &read, &err), 0);
	session_tokens_done(&read);
	pid_t child = fork();
	if (child == 0) {
		struct session_file mine;
		struct session_tokens seen;
		if (session_file_init(&mine, "default", "localhost:50051", &err) < 0)
			_exit(2);
		struct session_store other = session_file_store(&mine);
		if (other.lock(other.arg, &seen, &err) < 0)
			_exit(3);
		_exit(strcmp(seen.access, "a2") == 0 ? 0 : 1);
	}
	usleep(50000); /* long enough for the child to reach the lock, which is the wrong order to be caught
			*/
	store.save(store.arg, &(struct session_tokens){.access = (char *)"a2", .refresh = (char *)"r2"});
	store.unlock(store.arg);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept_and_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_else_can_read_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_file_a_target_and_profile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_says_what_to_do, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_removed_is_no_absence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_lock_where_nothing_can_be_saved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exchanges_are_serialized_between_processes, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
