/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/testserver.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <cmocka.h>

#include "server/auth/authenticator.h"
#include "server/course/course_names.h"
#include "server/course/lesson.h"
#include "server/course/subject_store.h"
#include "server/db/lease.h"
#include "server/user/session_store.h"
#include "server/user/user_names.h"
#include "server/user/user_store.h"

enum { ARENA_CAP = 64 << 20 };

static const struct service_desc *const services[] = {&edu_service_desc, NULL};

static void die(const char *what, const struct error *err)
{
	fprintf(stderr, "testserver: %s: %s\n", what, err->message);
	exit(1);
}

static int64_t testclock_now_us(const struct clock *clock)
{
	const struct testclock *c = (const struct testclock *)clock;
	return clock_now_us(&clock_system) + c->ahead_us;
}

static void start(struct testserver *t)
{
	char target[64];
	struct error err;
	error_clear(&err);
	if (service_start(&t->config, &t->service, &err) < 0)
		die("cannot start the service", &err);
	snprintf(target, sizeof(target), "127.0.0.1:%d", service_port(t->service));
	const struct client_options options = {
		.target = target, .timeout_ms = 60000, .no_retries = true, .replayed_header = "edu-replayed"};
	if (client_channel_new(&options, services, &t->channel, &err) < 0)
		die("cannot make a channel", &err);
}

static void stop(struct testserver *t)
{
	client_channel_free(t->channel);
	service_stop(t->service);
}

static struct testserver *testserver_on(struct testdb *db, const char *key_dir)
{
	struct testserver *t = calloc(1, sizeof(*t));
	if (!t)
		abort();
	t->db = db;
	snprintf(t->key_dir, sizeof(t->key_dir), "%s", key_dir);
	t->clock.clock.now_us = testclock_now_us;
	arena_init(&t->arena, ARENA_CAP);
	service_config_defaults(&t->config);
	t->config.db = t->db->config;
	t->config.listen = "127.0.0.1:0";
	t->config.db_workers = 8;
	t->config.drain_notice_ms = 0;
	t->config.drain_ms = 1000;
	t->config.queue_wait_ms = 10000; /* sanitizers are slow; nothing here is about overload */
	t->config.argon2_kib = 64;
	t->config.argon2_passes = 1;
	t->config.key_dir = t->key_dir;
	t->config.rate_default = 0;
	t->config.rate_stranger = 0;
	t->config.rate_login = 0;
	t->config.feed_poll_ms = 20;
	t->config.clock = &t->clock.clock;
	start(t);
	return t;
}

struct testserver *testserver_new(void)
{
	char key_dir[TEMP_DIR_MAX];
	temp_dir_make(key_dir);
	struct testserver *t = testserver_on(testdb_new(), key_dir);
	testserver_subject(t, "Mathematics", t->subject);
	return t;
}

struct testserver *testserver_replica(struct testserver *t)
{
	struct testserver *replica = testserver_on(t->db, t->key_dir);
	replica->clock.ahead_us = t->clock.ahead_us;
	memcpy(replica->subject, t->subject, sizeof(replica->subject));
	return replica;
}

static void release(struct testserver *t)
{
	stop(t);
	arena_done(&t->arena);
	free(t);
}

void testserver_free(struct testserver *t)
{
	struct testdb *db = t->db;
	char key_dir[TEMP_DIR_MAX];
	memcpy(key_dir, t->key_dir, sizeof(key_dir));
	release(t);
	temp_dir_remove(key_dir);
	testdb_free(db);
}

void testserver_replica_free(struct testserver *t)
{
	release(t);
}

int testserver_setup(void **state)
{
	*state = testserver_new();
	return 0;
}

int testserver_teardown(void **state)
{
	testserver_free(*state);
	return 0;
}

void testserver_restart(struct testserver *t)
{
	stop(t);
	start(t);
}

void testserver_reset(struct testserver *t)
{
	arena_reset(&t->arena);
}

int testserver_reset_after(void **state)
{
	testserver_reset(*state);
	return 0;
}

/* --- users --- */

int64_t testserver_new_id(const struct testserver *t)
{
	struct error err;
	int64_t id;
	if (node_lease_new_id(service_app(t->service)->node, &id, &err) < 0)
		die("cannot make an id", &err);
	return id;
}

void testserver_user(struct testserver *t, const char *name, uint32_t roles, struct testuser *ret)
{
	static const struct db_stmt_list *const lists[] = {&user_stmts, NULL};
	struct error err;
	int64_t now_us = clock_now_us(t->config.clock);

	*ret = (struct testuser){.user_id = testserver_new_id(t)};
	id_format(ID_USER, ret->user_id, ret->id);
	if (name)
		snprintf(ret->name, sizeof(ret->name), "%s", name);
	else
		snprintf(ret->name, sizeof(ret->name), "u.%s", ret->id + 4);
	struct user u = {
		.user_id = ret->user_id,
		.user_name = ret->name,
		.display_name = ret->name,
		.bio = (char *)"",
		.language = (char *)"",
		.time_zone = (char *)"",
		.password_hash = (char *)"none",
		.roles = roles | ROLE_MASK_LEARNER,
		.rights_epoch = 1,
		.state = USER_ACTIVE,
		.version = 1,
		.create_us = now_us,
		.update_us = now_us,
	};
	struct db_conn *conn = testdb_connect(t->db, lists);
	if (user_store_insert(conn, &u, &err) < 0)
		die("cannot insert a user", &err);
	db_close(conn);
	testserver_token(t, ret, u.roles);
}

/* A session that nobody signed in to. */
static int64_t begin_session(struct testserver *t, int64_t user_id)
{
	static const struct db_stmt_list *const lists[] = {&session_stmts, NULL};
	const struct session s = {
		.session_id = testserver_new_id(t),
		.user_id = user_id,
		.expire_us = INT64_MAX,
		.token_expire_us = INT64_MAX,
	};
	struct db_conn *conn = testdb_connect(t->db, lists);
	struct error err;
	if (session_store_insert(conn, &s, &err) < 0)
		die("cannot insert a session", &err);
	db_close(conn);
	return s.session_id;
}

void testserver_token(struct testserver *t, struct testuser *u, uint32_t roles)
{
	struct principal who = {
		.user_id = u->user_id,
		.session_id = begin_session(t, u->user_id),
		.rights_epoch = 1,
		.roles = roles | ROLE_MASK_LEARNER,
	};
	struct arena arena;
	struct error err;
	const char *token;

	arena_init(&arena, 1 << 16);
	if (token_issue(service_app(t->service)->auth->tokens, &who, &arena, &token, &err) < 0)
		die("cannot issue a token", &err);
	snprintf(u->token, sizeof(u->token), "%s", token);
	u->session_id = who.session_id;
	arena_done(&arena);
}

struct client_call_options as(const struct testuser *u)
{
	return (struct client_call_options){.token = u ? u->token : ""};
}

/* --- courses --- */

void testserver_subject(struct testserver *t, const char *name, char ret[ID_TEXT_MAX])
{
	static const struct db_stmt_list *const lists[] = {&subject_stmts, NULL};
	const struct subject s = {testserver_new_id(t), (char *)name, (char *)name,
				  clock_now_us(t->config.clock)};
	struct db_conn *conn = testdb_connect(t->db, lists);
	struct error err;
	if (subject_store_insert(conn, &s, &err) < 0)
		die("cannot insert a subject", &err);
	db_close(conn);
	id_format(ID_SUBJECT, s.subject_id, ret);
}

static void make_course(struct testserver *t, const struct testuser *instructor, int64_t eur_cents,
			struct testcourse *ret)
{
	struct client_call_options options = as(instructor);
	CreateCourseRequest req = CREATE_COURSE_REQUEST_INIT;
	Free free_of_charge = FREE_INIT;
	PriceList list = PRICE_LIST_INIT;
	Money price = MONEY_INIT, *prices[] = {&price};
	CreateCourseResponse *reply;
	struct error err;

	req.title = (char *)"A course";
	req.summary = (char *)"What it is about";
	req.subject_id = t->subject;
	req.level = EDU__V1__COURSE_LEVEL__COURSE_LEVEL_BEGINNER;
	req.language = (char *)"en";
	price.currency_code = (char *)"EUR";
	price.minor_units = eur_cents;
	list.prices = prices;
	list.n_prices = 1;
	if (eur_cents) {
		req.pricing_case = EDU__V1__CREATE_COURSE_REQUEST__PRICING_PRICE_LIST;
		req.price_list = &list;
	} else {
		req.pricing_case = EDU__V1__CREATE_COURSE_REQUEST__PRICING_FREE;
		req.free = &free_of_charge;
	}
	if (edu_service_create_course_call(t->channel, &req, &options, &t->arena, &reply, &err) < 0)
		die("CreateCourse", &err);
	snprintf(ret->id, sizeof(ret->id), "%s", reply->course->course_id);
	if (!id_parse(ID_COURSE, ret->id, &ret->course_id))
		abort();
}

void testserver_quiz(struct testserver *t, const struct testuser *instructor, const char *lesson_id)
{
	struct client_call_options options = as(instructor);
	SetQuizRequest req = SET_QUIZ_REQUEST_INIT;
	SetQuizResponse *reply;
	Quiz quiz = QUIZ_INIT;
	QuizQuestion question = QUIZ_QUESTION_INIT, *questions = &question;
	TextQuestion text = TEXT_QUESTION_INIT;
	TextSolution solution = TEXT_SOLUTION_INIT;
	char *accepted = (char *)"42";
	struct error err;

	req.lesson_id = (char *)lesson_id;
	req.quiz = &quiz;
	quiz.scoring = EDU__V1__QUIZ_SCORING__QUIZ_SCORING_BEST;
	quiz.pass_basis_points = 10000;
	quiz.questions = &questions;
	quiz.n_questions = 1;
	question.key = (char *)"q";
	question.prompt = (char *)"What is it?";
	question.points = 1;
	question.form_case = EDU__V1__QUIZ_QUESTION__FORM_TEXT;
	question.text = &text;
	text.solution = &solution;
	solution.accepted = &accepted;
	solution.n_accepted = 1;
	if (edu_service_set_quiz_call(t->channel, &req, &options, &t->arena, &reply, &err) < 0)
		die("SetQuiz", &err);
}

void testserver_text(struct testserver *t, int64_t course_id, int64_t lesson_id)
{
	struct db_conn *conn = testdb_connect(t->db, NULL);
	char sql[512];

	snprintf(
		sql, sizeof(sql),
		"INSERT INTO content (content_id, course_id, lesson_id, role, language, file_name, content_type,"
		" size_bytes, sha256, body, creator_id, create_time) VALUES (%" PRId64 ", %" PRId64
		", %" PRId64 ", 7, '', '', 'text/plain', 1, REPEAT('s', 32), 'T', 1, 1)",
		lesson_id, course_id, lesson_id);
	testdb_run(conn, sql);
	snprintf(sql, sizeof(sql),
		 "INSERT INTO lesson_content (course_id, revision, lesson_id, role, content_id)"
		 " VALUES (%" PRId64 ", 0, %" PRId64 ", 7, %" PRId64 ")",
		 course_id, lesson_id, lesson_id);
	testdb_run(conn, sql);
	db_close(conn);
}

static void make_lesson(struct testserver *t, const struct testuser *instructor, int kind,
			struct testcourse *ret)
{
	struct client_call_options options = as(instructor);
	CreateLessonRequest req = CREATE_LESSON_REQUEST_INIT;
	CreateLessonResponse *reply;
	struct error err;
	unsigned i = ret->n_lessons++;

	req.course_id = ret->id;
	req.title = (char *)"A lesson";
	req.kind = (LessonKind)kind;
	req.duration_seconds = kind == LESSON_VIDEO ? 640 : 60;
	if (edu_service_create_lesson_call(t->channel, &req, &options, &t->arena, &reply, &err) < 0)
		die("CreateLesson", &err);
	snprintf(ret->lessons[i], sizeof(ret->lessons[i]), "%s", reply->lesson->lesson_id);
	if (!id_parse(ID_LESSON, ret->lessons[i], &ret->lesson_ids[i]))
		abort();
	if (kind == LESSON_TEXT)
		testserver_text(t, ret->course_id, ret->lesson_ids[i]);
}

void testserver_publish(struct testserver *t, const struct testuser *instructor, struct testcourse *c)
{
	SubmitCourseForReviewRequest submit = SUBMIT_COURSE_FOR_REVIEW_REQUEST_INIT;
	ApproveCourseRequest approve = APPROVE_COURSE_REQUEST_INIT;
	SubmitCourseForReviewResponse *submitted;
	ApproveCourseResponse *approved;
	struct testuser admin;
	struct client_call_options options = as(instructor);
	struct error err;

	submit.course_id = approve.course_id = c->id;
	if (edu_service_submit_course_for_review_call(t->channel, &submit, &options, &t->arena, &submitted,
						      &err) < 0)
		die("SubmitCourseForReview", &err);
	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	options = as(&admin);
	if (edu_service_approve_course_call(t->channel, &approve, &options, &t->arena, &approved, &err) < 0)
		die("ApproveCourse", &err);
}

void testserver_draft(struct testserver *t, const struct testuser *instructor, int64_t eur_cents,
		      const int *kinds, struct testcourse *ret)
{
	memset(ret, 0, sizeof(*ret));
	make_course(t, instructor, eur_cents, ret);
	for (; *kinds && ret->n_lessons < 16; kinds++)
		make_lesson(t, instructor, *kinds, ret);
}

void testserver_course(struct testserver *t, const struct testuser *instructor, int64_t eur_cents,
		       const int *kinds, struct testcourse *ret)
{
	testserver_draft(t, instructor, eur_cents, kinds, ret);
	for (unsigned i = 0; i < ret->n_lessons; i++)
		if (kinds[i] == LESSON_QUIZ)
			testserver_quiz(t, instructor, ret->lessons[i]);
	testserver_publish(t, instructor, ret);
}

/* --- assertions --- */

static const char *reason_of(const struct error *err)
{
	return err->reason ? err->reason->name : "(none)";
}

void testserver_retitle(struct testserver *t, const struct testuser *instructor, const char *course_id,
			const char *title)
{
	struct client_call_options options = as(instructor);
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	UpdateCourseRequest req = UPDATE_COURSE_REQUEST_INIT;
	UpdateCourseResponse *reply;
	Course course = COURSE_INIT;
	struct error err;

	course.course_id = (char *)course_id;
	course.title = (char *)title;
	mask.paths = (char *[]){(char *)"title"};
	mask.n_paths = 1;
	req.course = &course;
	req.update_mask = &mask;
	if (edu_service_update_course_call(t->channel, &req, &options, &t->arena, &reply, &err) < 0)
		die("UpdateCourse", &err);
}

int testserver_delete_lesson(struct testserver *t, struct arena *arena, const struct testuser *instructor,
			     const char *lesson_id, struct error *err)
{
	struct client_call_options options = as(instructor);
	DeleteLessonRequest req = DELETE_LESSON_REQUEST_INIT;
	DeleteLessonResponse *reply;

	req.lesson_id = (char *)lesson_id;
	return edu_service_delete_lesson_call(t->channel, &req, &options, arena, &reply, err);
}

Enrollment *testserver_enroll(struct testserver *t, const struct testuser *u, const char *course_id)
{
	struct client_call_options options = as(u);
	EnrollInCourseRequest req = ENROLL_IN_COURSE_REQUEST_INIT;
	EnrollInCourseResponse *reply;
	struct error err;
	char request_id[37];

	req.course_id = (char *)course_id;
	req.request_id = new_request_id(request_id);
	if (edu_service_enroll_in_course_call(t->channel, &req, &options, &t->arena, &reply, &err) < 0)
		die("EnrollInCourse", &err);
	return reply->enrollment;
}

void assert_reason_at(const char *file, int line, int r, const struct error *err, const char *reason)
{
	if (r >= 0)
		print_error("succeeded instead of failing with %s\n", reason);
	else if (strcmp(reason_of(err), reason) != 0)
		print_error("failed with %s (%s), not %s\n", reason_of(err), err->message, reason);
	else
		return;
	_fail(file, line);
}

void fail_not_ok(const char *file, int line, const struct error *err)
{
	print_error("failed with %s (%s)\n", reason_of(err), err->message);
	for (unsigned i = 0; i < err->n_violations && i < ERROR_VIOLATIONS_MAX; i++)
		print_error("  %s: %s\n", err->violations[i].field, err->violations[i].description);
	_fail(file, line);
	abort(); /* not reached: the test was left */
}

void assert_violation_at(const char *file, int line, const struct error *err, const char *field)
{
	for (unsigned i = 0; i < err->n_violations && i < ERROR_VIOLATIONS_MAX; i++)
		if (strcmp(err->violations[i].field, field) == 0)
			return;
	print_error("no violation of %s; the first of %u is of %s\n", field, err->n_violations,
		    err->n_violations ? err->violations[0].field : "(none)");
	_fail(file, line);
}

char *new_request_id(char out[37])
{
	uint8_t b[16];
	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return out;
}
