/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/course/lesson.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testserver.h"

static void test_is_ready_once_started(void **state)
{
	struct testserver *t = *state;
	const char *why;

	assert_int_equal(service_ready(t->service, &why), 1);
	assert_string_equal(why, "");
	assert_non_null(strstr(service_jwks(t->service), "\"keys\""));
}

static void test_a_busy_port_is_an_error(void **state)
{
	struct testserver *t = *state;
	struct service_config config = t->config;
	struct service *second = NULL;
	char address[64];
	struct error err;

	error_clear(&err);
	snprintf(address, sizeof(address), "127.0.0.1:%d", service_port(t->service));
	config.listen = address;
	assert_true(service_start(&config, &second, &err) < 0);
	assert_non_null(strstr(err.message, address));
	assert_null(second);
}

static void test_a_database_that_is_not_there_is_an_error(void **state)
{
	struct testserver *t = *state;
	struct service_config config = t->config;
	struct service *second = NULL;
	struct error err;

	error_clear(&err);
	config.db.socket = "/nonexistent/mysqld.sock";
	assert_true(service_start(&config, &second, &err) < 0);
	assert_null(second);
}

/* Every statement of every store fits the schema: they were all prepared when the workers' connections
 * opened. */
static void test_a_schema_that_does_not_fit_is_an_error(void **state)
{
	struct testserver *t = *state;
	struct service_config config = t->config;
	struct service *second = NULL;
	struct error err;

	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(conn, "ALTER TABLE lesson_revision RENAME COLUMN title TO heading");
	error_clear(&err);
	config.listen = "127.0.0.1:0";
	int r = service_start(&config, &second, &err);
	testdb_run(conn, "ALTER TABLE lesson_revision RENAME COLUMN heading TO title");
	db_close(conn);
	assert_true(r < 0);
	assert_non_null(strstr(err.message, "title"));
}

static void test_survives_losing_its_connections(void **state)
{
	struct testserver *t = *state;
	struct testuser user;
	GetUserRequest req = GET_USER_REQUEST_INIT;
	GetUserResponse *reply;
	struct error err;

	testserver_user(t, NULL, 0, &user);
	struct client_call_options options = as(&user);
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(conn,
		   "BEGIN NOT ATOMIC"
		   " FOR p IN (SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID()"
		   " AND db = DATABASE()) DO KILL p.id; END FOR; END");
	db_close(conn);
	for (int i = 0; i < 20; i++) {
		int r = edu_service_get_user_call(t->channel, &req, &options, &t->arena, &reply, &err);
		assert_ok(r, &err);
	}
}

static void kill_connections(struct db_conn *conn)
{
	testdb_run(conn, "BEGIN NOT ATOMIC FOR p IN (SELECT id FROM information_schema.processlist"
			 " WHERE id <> CONNECTION_ID() AND db = DATABASE()) DO KILL p.id; END FOR; END");
}

/* Lines of the log that say it, of what `file` holds. */
static unsigned lines_with(FILE *file, const char *text)
{
	char line[4096];
	unsigned n = 0;

	rewind(file);
	while (fgets(line, sizeof(line), file))
		n += strstr(line, text) != NULL;
	return n;
}

/* A column is renamed under a running server: what has no use for it is served, also over new connections. */
static void test_a_schema_that_stops_fitting_is_told_once(void **state)
{
	static const int text[] = {LESSON_TEXT, 0};
	struct testserver *t = *state;
	struct db_conn *conn = testdb_connect(t->db, NULL);
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);
	CreateLessonRequest lesson = CREATE_LESSON_REQUEST_INIT;
	CreateLessonResponse *created;
	GetUserRequest me = GET_USER_REQUEST_INIT;
	GetUserResponse *got;
	struct testuser teacher;
	struct testcourse course;
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &teacher);
	testserver_course(t, &teacher, 0, text, &course);
	testdb_run(conn, "UPDATE course SET stage = 1"); /* a draft, which takes another lesson */
	struct client_call_options options = as(&teacher);
	lesson.course_id = course.id;
	lesson.title = (char *)"Another";
	lesson.kind = EDU__V1__LESSON_KIND__LESSON_KIND_TEXT;
	dup2(fileno(log), STDERR_FILENO);
	for (int i = 0; i < 20; i++) {
		if (i % 10 == 0)
			testdb_run(conn, "ALTER TABLE lesson_revision RENAME COLUMN title TO heading");
		if (i % 10 == 5)
			kill_connections(conn);
		int r = edu_service_create_lesson_call(t->channel, &lesson, &options, &t->arena, &created,
						       &err);
		assert_reason(r, &err, "DATABASE_UNAVAILABLE");
		r = edu_service_get_user_call(t->channel, &me, &options, &t->arena, &got, &err);
		assert_ok(r, &err);
		if (i % 10 < 9)
			continue;
		testdb_run(conn, "ALTER TABLE lesson_revision RENAME COLUMN heading TO title");
		r = edu_service_create_lesson_call(t->channel, &lesson, &options, &t->arena, &created, &err);
		assert_ok(r, &err);
	}
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(lines_with(log, "statement lesson_insert_draft does not fit"), 2);
	assert_int_equal(lines_with(log, "statement lesson_insert_draft fits the database again"), 2);
	assert_int_equal(lines_with(log, "internal fault"), 0);
	fclose(log);
	db_close(conn);
}

/* Without a node id of its own a server writes nothing: each call that needs ids is refused as it makes them.
 */
static void test_without_a_lease_nothing_is_written(void **state)
{
	static const int video[] = {LESSON_VIDEO, 0};
	struct testserver *t = *state;
	static struct clock_fixed clock;
	const char *why;
	RegisterUserRequest user = REGISTER_USER_REQUEST_INIT;
	RegisterUserResponse *registered;
	CreateLessonRequest lesson = CREATE_LESSON_REQUEST_INIT;
	CreateLessonResponse *created;
	struct testuser teacher;
	struct testcourse course;
	struct error err;

	clock_fixed_init(&clock, clock_now_us(&clock_system));
	t->config.lease_clock = &clock.clock;
	testserver_restart(t);
	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &teacher);
	testserver_course(t, &teacher, 0, video, &course);
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(conn, "UPDATE course SET stage = 1"); /* a draft, which takes another lesson */
	db_close(conn);
	atomic_store(&clock.us, 0); /* too far from the database's: the lease ends */
	while (service_ready(t->service, &why))
		usleep(10000);
	assert_string_equal(why, "the clock of this machine is not the database's");

	int64_t users = testdb_number(t->db, "SELECT COUNT(*) FROM user");
	int64_t lessons = testdb_number(t->db, "SELECT COUNT(*) FROM lesson");
	user.user_name = (char *)"nobody";
	user.password = (char *)"correct horse battery";
	int r = edu_service_register_user_call(t->channel, &user, NULL, &t->arena, &registered, &err);
	assert_reason(r, &err, "DATABASE_UNAVAILABLE");
	struct client_call_options options = as(&teacher);
	lesson.course_id = course.id;
	lesson.title = (char *)"Another";
	lesson.kind = EDU__V1__LESSON_KIND__LESSON_KIND_TEXT;
	r = edu_service_create_lesson_call(t->channel, &lesson, &options, &t->arena, &created, &err);
	assert_reason(r, &err, "DATABASE_UNAVAILABLE");
	assert_int_equal(testdb_number(t->db, "SELECT COUNT(*) FROM user"), users);
	assert_int_equal(testdb_number(t->db, "SELECT COUNT(*) FROM lesson"), lessons);
	t->config.lease_clock = &clock_system;
	testserver_restart(t);
	r = edu_service_create_lesson_call(t->channel, &lesson, &options, &t->arena, &created, &err);
	assert_ok(r, &err);
}

static int get_self(struct testserver *t, const struct testuser *who, struct error *err)
{
	GetUserRequest req = GET_USER_REQUEST_INIT;
	struct client_call_options options = as(who);
	GetUserResponse *reply;

	return edu_service_get_user_call(t->channel, &req, &options, &t->arena, &reply, err);
}

/* Calls until the outcome is `reason` (NULL: OK), for as long as a feed may take to grow old. */
static void await_self(struct testserver *t, const struct testuser *who, const char *reason)
{
	struct error err;

	for (int i = 0; i < 300; i++) {
		int r = get_self(t, who, &err);
		if (reason ? r < 0 : r >= 0) {
			if (reason)
				assert_reason(r, &err, reason);
			return;
		}
		if (r < 0)
			assert_reason(r, &err, "RIGHTS_UNCONFIRMED");
		usleep(50000);
	}
	fail_msg("%s did not come", reason ? reason : "OK");
}

/* Nobody who is signed in is served on what may be over; strangers are. */
static void test_a_feed_that_stands_still_serves_no_user(void **state)
{
	struct testserver *t = *state;
	struct client_call_options anonymous = as(NULL);
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *reply;
	struct testuser user;
	struct error err;

	testserver_user(t, NULL, 0, &user);
	await_self(t, &user, NULL);
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(conn, "LOCK TABLES event WRITE, event_sequence WRITE");
	await_self(t, &user, "RIGHTS_UNCONFIRMED");
	assert_int_equal(get_self(t, &user, &err), -STATUS_UNAVAILABLE);
	assert_true(err.retry_delay_ms > 0);
	int r = edu_service_list_courses_call(t->channel, &req, &anonymous, &t->arena, &reply, &err);
	testdb_run(conn, "UNLOCK TABLES");
	db_close(conn);
	assert_ok(r, &err);
	await_self(t, &user, NULL);
}

/* --- strangers --- */

enum { STRANGERS = 20 };

/* So many ask for a course while its table is locked, and wait. */
static void ask_for_a_course(struct raw_client *client, struct raw_call *calls[STRANGERS])
{
	char id[ID_TEXT_MAX], request[ID_TEXT_MAX + 2];
	snprintf(request, sizeof(request), "\n\x11%s", id_format("crs", 77, id));
	for (int i = 0; i < STRANGERS; i++) {
		calls[i] = raw_open(client, "/edu.v1.EduService/GetCourse", NULL);
		raw_send(calls[i], span_str(request));
		raw_half_close(calls[i]);
	}
}

static int64_t reads_that_wait(struct testserver *t)
{
	return testdb_number(t->db, "SELECT COUNT(*) FROM information_schema.processlist"
				    " WHERE state LIKE 'Waiting for table%' AND db = DATABASE()");
}

static void await_reads(struct testserver *t, int64_t wanted)
{
	for (int i = 0; i < 500 && reads_that_wait(t) != wanted; i++)
		usleep(10000);
	assert_int_equal(reads_that_wait(t), wanted);
}

static void finish_all(struct raw_call *calls[STRANGERS], struct arena *arena)
{
	struct raw_reply reply;

	for (int i = 0; i < STRANGERS; i++)
		raw_finish(calls[i], arena, &reply);
}

/* Half of the 8 workers, however many ask; and when they are gone their reads are stopped in the database. */
static void test_strangers_leave_workers_and_go(void **state)
{
	struct testserver *t = *state;
	char target[64];
	struct raw_call *calls[STRANGERS];
	struct db_conn *holder = testdb_connect(t->db, NULL);
	GetWalletRequest req = GET_WALLET_REQUEST_INIT;
	GetWalletResponse *reply;
	struct testuser user;
	struct error err;

	snprintf(target, sizeof(target), "127.0.0.1:%d", service_port(t->service));
	struct raw_client *client = raw_client_new(target);
	testserver_user(t, NULL, 0, &user);
	struct client_call_options options = as(&user);
	testdb_run(holder, "LOCK TABLES course WRITE");
	ask_for_a_course(client, calls);
	await_reads(t, t->config.db_workers / 2);
	int64_t began_us = monotonic_us();
	for (int i = 0; i < 10; i++) {
		int r = edu_service_get_wallet_call(t->channel, &req, &options, &t->arena, &reply, &err);
		assert_ok(r, &err);
	}
	assert_true(monotonic_us() - began_us < 5 * 1000000); /* the lock is waited for 10 s */
	for (int i = 0; i < STRANGERS; i++)
		raw_cancel(calls[i]);
	await_reads(t, 0);
	testdb_run(holder, "UNLOCK TABLES");
	finish_all(calls, &t->arena);
	raw_client_free(client);
	db_close(holder);
}

/* A server that stops answers what waits in the database, when its time is over. */
static void test_what_waits_when_it_stops_is_answered(void **state)
{
	struct testserver *t = *state;
	struct testserver *other = testserver_replica(t);
	struct db_conn *holder = testdb_connect(t->db, NULL);
	struct raw_call *calls[STRANGERS];
	struct raw_reply reply;
	char target[64];

	snprintf(target, sizeof(target), "127.0.0.1:%d", service_port(other->service));
	struct raw_client *client = raw_client_new(target);
	testdb_run(holder, "LOCK TABLES course WRITE");
	ask_for_a_course(client, calls);
	await_reads(t, other->config.db_workers / 2);
	int64_t began_us = monotonic_us();
	service_drain(other->service);
	assert_true(monotonic_us() - began_us < 6 * 1000000);
	for (int i = 0; i < STRANGERS; i++) {
		raw_finish(calls[i], &t->arena, &reply);
		assert_int_equal(reply.code, STATUS_UNAVAILABLE);
		assert_non_null(reply.error.reason);
	}
	testdb_run(holder, "UNLOCK TABLES");
	raw_client_free(client);
	testserver_replica_free(other);
	db_close(holder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_ready_once_started),
		cmocka_unit_test(test_a_busy_port_is_an_error),
		cmocka_unit_test(test_a_database_that_is_not_there_is_an_error),
		cmocka_unit_test(test_a_schema_that_does_not_fit_is_an_error),
		cmocka_unit_test(test_survives_losing_its_connections),
		cmocka_unit_test(test_strangers_leave_workers_and_go),
		cmocka_unit_test(test_what_waits_when_it_stops_is_answered),
		cmocka_unit_test(test_without_a_lease_nothing_is_written),
		cmocka_unit_test(test_a_schema_that_stops_fitting_is_told_once),
		cmocka_unit_test(test_a_feed_that_stands_still_serves_no_user),
	};
	return cmocka_run_group_tests(tests, testserver_setup, testserver_teardown);
}
