/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/config.h"

static int parse(struct config *ret, int argc, const char *const *argv)
{
	/* getopt_long() goes on from where it was. */
	optind = 0;
	return config_parse(argc, (char **)argv, ret);
}

#define PARSE(ret, ...)                                                                                      \
	parse(ret, sizeof((const char *[]){"edu-server", __VA_ARGS__}) / sizeof(char *),                     \
	      (const char *[]){"edu-server", __VA_ARGS__, NULL})

#define SAME(member) assert_int_equal(got.member, expected.member)

/* What --help says is what ships. */
static void test_defaults_are_those_of_the_service(void **state)
{
	struct service_config expected, got;
	struct db_config db = {.socket = "s"};
	struct config c;

	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s"), 1);
	config_to_service(&c, &db, &got);
	service_config_defaults(&expected);
	assert_string_equal(got.listen, expected.listen);
	assert_string_equal(got.db.socket, "s");
	assert_string_equal(got.key_dir, "keys");
	SAME(pollers);
	SAME(hot_slots);
	SAME(catch_all_slots);
	SAME(max_calls);
	SAME(db_workers);
	SAME(db_queue);
	SAME(password_workers);
	SAME(password_queue);
	SAME(drain_notice_ms);
	SAME(drain_ms);
	SAME(queue_wait_ms);
	SAME(default_deadline_ms);
	SAME(reflection);
	SAME(trust_forwarded_for);
	SAME(job_workers);
	SAME(keep_replies_us);
	SAME(keep_sessions_us);
	SAME(keep_events_us);
	SAME(keep_progress_us);
	SAME(keep_leases_us);
	SAME(keep_misses_us);
	SAME(keep_uploads_us);
	SAME(keep_downloads_us);
	SAME(content.upload_us);
	SAME(content.stream_us);
	SAME(content.download_us);
	SAME(content.download_devices);
	SAME(content.download_lessons);
	assert_null(got.content.public_url);
	assert_null(got.objects.endpoint);
	SAME(platform_basis_points);
	SAME(access_token_us);
	SAME(refresh_token_us);
	SAME(argon2_kib);
	SAME(argon2_passes);
	SAME(rate_default);
	SAME(rate_stranger);
	SAME(rate_login);
	SAME(cache_bytes);
	SAME(combiner_lanes);
	SAME(combiner_batch);
	SAME(combiner_queue);
	SAME(record_us);
	SAME(feed_poll_ms);
	SAME(sequencer);
}

/* What create-admin refuses to go without is marked in its help. */
static void test_help_marks_what_is_required(void **state)
{
	char text[8192] = "";
	FILE *out = tmpfile();
	struct config c;
	unsigned marks = 0;

	assert_true(PARSE(&c, "create-admin", "--db-socket", "s", "--user-name", "x") < 0);
	assert_true(PARSE(&c, "create-admin", "--db-socket", "s", "--password-file", "x") < 0);
	fflush(stdout);
	int saved = dup(STDOUT_FILENO);
	dup2(fileno(out), STDOUT_FILENO);
	int r = PARSE(&c, "create-admin", "--help");
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_int_equal(r, 0);
	rewind(out);
	text[fread(text, 1, sizeof(text) - 1, out)] = '\0';
	fclose(out);
	for (char *at = text; (at = strstr(at, "; required")); at++)
		marks++;
	assert_int_equal(marks, 2);
}

static void test_flags_reach_the_service(void **state)
{
	struct service_config got;
	struct db_config db = {.socket = "s"};
	struct config c;

	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--drain-seconds", "3",
			       "--refresh-token-days", "365", "--cache-mib", "2", "--record-seconds", "60",
			       "--no-reflection", "--trust-forwarded-for", "--rate-login", "0",
			       "--platform-basis-points", "10000", "--object-endpoint", "https://s3.example",
			       "--object-virtual-host", "--object-key-id", "id", "--object-secret-file", "f",
			       "--stream-seconds", "60", "--download-days", "7"),
			 1);
	config_to_service(&c, &db, &got);
	assert_int_equal(got.drain_ms, 3000);
	assert_int_equal(got.refresh_token_us, INT64_C(365) * 86400 * 1000000);
	assert_int_equal(got.cache_bytes, 2 << 20);
	assert_int_equal(got.record_us, 60 * 1000000);
	assert_false(got.reflection);
	assert_true(got.trust_forwarded_for);
	assert_int_equal(got.rate_login, 0);
	assert_int_equal(got.platform_basis_points, 10000);
	assert_string_equal(got.objects.endpoint, "https://s3.example");
	assert_string_equal(got.objects.region, "us-east-1");
	assert_string_equal(got.objects.bucket, "edu");
	assert_string_equal(got.objects.access_key_id, "id");
	assert_true(got.objects.virtual_host);
	assert_int_equal(got.content.stream_us, 60 * 1000000);
	assert_int_equal(got.content.download_us, INT64_C(7) * 86400 * 1000000);
}

static void test_wrong_lines_are_refused(void **state)
{
	struct config c;

	assert_int_equal(PARSE(&c, "serve"), -1); /* no database */
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--db-host", "h"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-host", "db.example.org"), -1); /* unprotected */
	assert_int_equal(PARSE(&c, "migrate", "--db-host", "10.0.0.7"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--tls-cert", "c"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--db-workers", "0"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--db-workers", "1x"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--db-workers", "-1"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--refresh-token-days", "366"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--platform-basis-points", "10001"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--object-endpoint", "https://s3.example"),
			 -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--object-endpoint", "https://s3.example",
			       "--object-key-id", "id"),
			 -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--stream-seconds", "604801"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--download-days", "31"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "more"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket", "s", "--user-name", "ada"),
			 -1); /* of another command */
	assert_int_equal(PARSE(&c, "serve", "--db-sock", "s"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-sock=s"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket=s", "--he"), -1);
	assert_int_equal(PARSE(&c, "serve", "--db-socket=s", "--db-workers", "4"), 1);
	assert_int_equal(PARSE(&c, "create-admin", "--db-socket", "s", "--user-name", "ada"), -1);
	assert_int_equal(PARSE(&c, "sevre", "--db-socket", "s"), -1);
}

static void test_a_database_on_another_host_is_verified_or_knowingly_not(void **state)
{
	struct config c;

	assert_int_equal(PARSE(&c, "serve", "--db-host", "db.example.org", "--db-ca", "ca.pem"), 1);
	assert_int_equal(PARSE(&c, "serve", "--db-host", "db.example.org", "--db-insecure"), 1);
	assert_int_equal(PARSE(&c, "serve", "--db-host", "localhost"), 1);
	assert_int_equal(PARSE(&c, "serve", "--db-host", "127.0.0.1"), 1);
	assert_int_equal(PARSE(&c, "serve", "--db-host", "::1"), 1);
	assert_int_equal(PARSE(&c, "serve", "--db-host", "127.example.org"), -1);
}

static void test_secret_is_the_first_line(void **state)
{
	char path[] = "/tmp/edu-secret-XXXXXX", secret[SECRET_MAX];
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	assert_non_null(file);
	fputs("pass word\r\nmore\n", file);
	fclose(file);
	assert_int_equal(config_read_secret(path, secret), 0);
	assert_string_equal(secret, "pass word");
	/* one that does not fit is refused, not cut short */
	file = fopen(path, "w");
	fprintf(file, "%0*d\n", SECRET_MAX, 0);
	fclose(file);
	assert_int_equal(config_read_secret(path, secret), -1);
	unlink(path);
	assert_int_equal(config_read_secret(path, secret), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_those_of_the_service),
		cmocka_unit_test(test_help_marks_what_is_required),
		cmocka_unit_test(test_flags_reach_the_service),
		cmocka_unit_test(test_wrong_lines_are_refused),
		cmocka_unit_test(test_a_database_on_another_host_is_verified_or_knowingly_not),
		cmocka_unit_test(test_secret_is_the_first_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
