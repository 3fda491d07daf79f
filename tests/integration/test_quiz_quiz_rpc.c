/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "proto/runtime/codec.h"
#include "server/course/lesson.h"
#include "tests/lib/quiz_json.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* SetQuiz and GetQuiz: who sees what of a quiz, and of which revision. */

enum { CROWD = 16 };

static struct testuser teacher, rival, admin;
static const int one_quiz[] = {LESSON_QUIZ, 0};

static void __attribute__((format(printf, 2, 3))) sql(const struct testserver *t, const char *format, ...)
{
	struct db_conn *conn = testdb_connect(t->db, NULL);
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	testdb_run(conn, text);
	db_close(conn);
}

static int64_t __attribute__((format(printf, 2, 3)))
number(const struct testserver *t, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return testdb_number(t->db, text);
}

/* --- asking --- */

/* One caller's SetQuiz; an arena of its own, so that a crowd may set at once. */
struct setting {
	const struct testserver *t;
	const struct testuser *who;
	const char *lesson_id, *etag, *json;

	struct arena arena;
	SetQuizResponse *reply;
	int r;
	struct error err;
};

static void *set_quiz(void *arg)
{
	struct setting *s = arg;
	SetQuizRequest req = SET_QUIZ_REQUEST_INIT;
	struct client_call_options options = as(s->who);

	if (!s->arena.cap)
		arena_init(&s->arena, 8 << 20);
	req.lesson_id = (char *)s->lesson_id;
	req.etag = (char *)(s->etag ? s->etag : "");
	req.quiz = quiz_of(&s->arena, s->json);
	s->r = edu_service_set_quiz_call(s->t->channel, &req, &options, &s->arena, &s->reply, &s->err);
	return NULL;
}

static void set(const struct testserver *t, const char *lesson_id, const char *json)
{
	struct setting s = {.t = t, .who = &teacher, .lesson_id = lesson_id, .json = json};

	set_quiz(&s);
	assert_ok(s.r, &s.err);
	arena_done(&s.arena);
}

static void assert_not_set(const struct testserver *t, const struct testuser *who, const char *lesson_id,
			   const char *reason)
{
	struct setting s = {.t = t, .who = who, .lesson_id = lesson_id, .json = QUIZ_OF_EVERY_FORM};
	const int64_t before = number(t, "SELECT COUNT(*) FROM quiz");

	set_quiz(&s);
	assert_reason(s.r, &s.err, reason);
	assert_int_equal(number(t, "SELECT COUNT(*) FROM quiz"), before);
	arena_done(&s.arena);
}

static int get(struct testserver *t, const struct testuser *who, const char *lesson_id, CourseView view,
	       Quiz **ret, struct error *err)
{
	GetQuizRequest req = GET_QUIZ_REQUEST_INIT;
	GetQuizResponse *reply;
	struct client_call_options options = as(who);

	req.lesson_id = (char *)lesson_id;
	req.view = (Edu__V1__CourseView)view;
	int r = edu_service_get_quiz_call(t->channel, &req, &options, &t->arena, &reply, err);
	*ret = r < 0 ? NULL : reply->quiz;
	return r;
}

static Quiz *got(struct testserver *t, const struct testuser *who, const char *lesson_id, CourseView view)
{
	struct error err;
	Quiz *quiz;

	assert_ok(get(t, who, lesson_id, view, &quiz, &err), &err);
	return quiz;
}

static void assert_not_got(struct testserver *t, const struct testuser *who, const char *lesson_id,
			   CourseView view, const char *reason)
{
	struct error err;
	Quiz *quiz;
	int r = get(t, who, lesson_id, view, &quiz, &err);

	assert_reason(r, &err, reason);
}

/* --- what a quiz shows --- */

static const char *const secret[] = {"Ada Lovelace", "Lovelace", "-41.5", "0.25"};

/* What came over the wire, fields that this client does not know included. */
static struct span bytes_of(struct testserver *t, const Quiz *quiz)
{
	struct span ret;
	struct error err;

	assert_ok(codec_pack(&quiz->base, &t->arena, &ret, &err), &err);
	return ret;
}

static void assert_solved(struct testserver *t, const Quiz *quiz)
{
	const struct span bytes = bytes_of(t, quiz);

	assert_int_equal(quiz->n_questions, 4);
	assert_string_equal(quiz->questions[0]->single_choice->solution->option_key, "b");
	assert_int_equal(quiz->questions[1]->multiple_choice->solution->n_option_keys, 2);
	for (unsigned i = 0; i < ARRAY_SIZE(secret); i++)
		assert_non_null(memmem(bytes.data, bytes.len, secret[i], strlen(secret[i])));
}

static void assert_unsolved(struct testserver *t, const Quiz *quiz)
{
	const struct span bytes = bytes_of(t, quiz);

	assert_int_equal(quiz->n_questions, 4);
	assert_int_equal(quiz->questions[0]->single_choice->n_options, 2);
	assert_null(quiz->questions[0]->single_choice->solution);
	assert_null(quiz->questions[1]->multiple_choice->solution);
	assert_null(quiz->questions[2]->numeric->solution);
	assert_null(quiz->questions[3]->text->solution);
	for (unsigned i = 0; i < ARRAY_SIZE(secret); i++)
		assert_null(memmem(bytes.data, bytes.len, secret[i], strlen(secret[i])));
}

static void who_sees_what(void **state)
{
	struct testserver *t = *state;
	struct testuser learner, stranger;
	struct testcourse c;

	testserver_user(t, NULL, 0, &learner);
	testserver_user(t, NULL, 0, &stranger);
	testserver_draft(t, &teacher, 0, one_quiz, &c);
	const char *const lesson = c.lessons[0];
	assert_not_got(t, &teacher, lesson, COURSE_VIEW_DRAFT, "QUIZ_NOT_FOUND");
	set(t, lesson, QUIZ_OF_EVERY_FORM);
	for (unsigned view = 0; view <= COURSE_VIEW_DRAFT; view++) {
		assert_solved(t, got(t, &teacher, lesson, (CourseView)view));
		assert_solved(t, got(t, &admin, lesson, (CourseView)view));
		assert_not_got(t, &learner, lesson, (CourseView)view, "LESSON_NOT_FOUND");
		assert_not_got(t, &rival, lesson, (CourseView)view, "LESSON_NOT_FOUND");
		assert_not_got(t, NULL, lesson, (CourseView)view, "LESSON_NOT_FOUND");
	}

	testserver_publish(t, &teacher, &c);
	(void)testserver_enroll(t, &learner, c.id);
	const Quiz *quiz = got(t, &learner, lesson, COURSE_VIEW_PUBLISHED);
	assert_unsolved(t, quiz);
	assert_string_equal(quiz->lesson_id, lesson);
	assert_string_equal(quiz->course_id, c.id);
	assert_int_equal(quiz->revision, 1);
	assert_int_equal(quiz->points_total, 15);
	assert_int_equal(quiz->attempt_limit, 3);
	assert_int_equal(quiz->pass_basis_points, 5000);
	assert_non_null(quiz->create_time);
	assert_unsolved(t, got(t, &learner, lesson, COURSE_VIEW_UNSPECIFIED));
	assert_solved(t, got(t, &teacher, lesson, COURSE_VIEW_PUBLISHED));
	assert_int_equal(got(t, &teacher, lesson, COURSE_VIEW_DRAFT)->revision, 0);
	assert_solved(t, got(t, &admin, lesson, COURSE_VIEW_DRAFT));
	assert_not_got(t, &learner, lesson, COURSE_VIEW_DRAFT, "NOT_COURSE_INSTRUCTOR");
	assert_not_got(t, &rival, lesson, COURSE_VIEW_DRAFT, "NOT_COURSE_INSTRUCTOR");
	assert_not_got(t, &rival, lesson, COURSE_VIEW_PUBLISHED, "ACCESS_MISSING");
	assert_not_got(t, &stranger, lesson, COURSE_VIEW_PUBLISHED, "ACCESS_MISSING");
	assert_not_got(t, NULL, lesson, COURSE_VIEW_PUBLISHED, "ACCESS_MISSING");
	assert_not_got(t, &learner, "les_0000000000001", COURSE_VIEW_PUBLISHED, "LESSON_NOT_FOUND");

	/* Who has or had access keeps it when the course is archived. */
	sql(t, "UPDATE course SET stage = 4 WHERE course_id = %" PRId64, c.course_id);
	assert_unsolved(t, got(t, &learner, lesson, COURSE_VIEW_PUBLISHED));
	assert_not_got(t, &stranger, lesson, COURSE_VIEW_PUBLISHED, "LESSON_NOT_FOUND");
}

static void a_free_preview_is_anybodys_without_solutions(void **state)
{
	struct testserver *t = *state;
	struct testuser stranger;
	struct testcourse c;

	testserver_user(t, NULL, 0, &stranger);
	testserver_draft(t, &teacher, 100, one_quiz, &c);
	set(t, c.lessons[0], QUIZ_OF_EVERY_FORM);
	sql(t, "UPDATE lesson_revision SET free_preview = 1 WHERE course_id = %" PRId64, c.course_id);
	testserver_publish(t, &teacher, &c);
	assert_unsolved(t, got(t, NULL, c.lessons[0], COURSE_VIEW_PUBLISHED));
	assert_unsolved(t, got(t, &stranger, c.lessons[0], COURSE_VIEW_PUBLISHED));
	assert_unsolved(t, got(t, &rival, c.lessons[0], COURSE_VIEW_PUBLISHED));
}

/* Two quizzes that differ in what is right alone are the same to a learner, byte for byte. */
static void what_a_learner_gets_does_not_depend_on_what_is_right(void **state)
{
	static const char format[] =
		"{'scoring': 'QUIZ_SCORING_LAST', 'passBasisPoints': 1, 'questions': [{'key': 'q',"
		" 'prompt': 'P', 'points': 1, 'singleChoice': {'options': [{'key': 'a', 'text': 'A'},"
		" {'key': 'b', 'text': 'B'}], 'solution': {'optionKey': '%s'}}}]}";
	struct testserver *t = *state;
	struct span bytes[2];

	for (unsigned i = 0; i < 2; i++) {
		char json[512];
		struct testcourse c;
		testserver_draft(t, &teacher, 100, one_quiz, &c);
		snprintf(json, sizeof(json), format, i ? "b" : "a");
		set(t, c.lessons[0], json);
		sql(t, "UPDATE lesson_revision SET free_preview = 1 WHERE course_id = %" PRId64, c.course_id);
		testserver_publish(t, &teacher, &c);
		Quiz *quiz = got(t, NULL, c.lessons[0], COURSE_VIEW_PUBLISHED);
		quiz->lesson_id = quiz->course_id = (char *)"";
		quiz->create_time = NULL;
		bytes[i] = bytes_of(t, quiz);
	}
	assert_int_equal(bytes[0].len, bytes[1].len);
	assert_memory_equal(bytes[0].data, bytes[1].data, bytes[0].len);
}

/* --- revisions --- */

#define QUIZ_NAMED(key)                                                                                      \
	"{'scoring': 'QUIZ_SCORING_LAST', 'passBasisPoints': 1, 'questions': [{'key': '" key "',"            \
	" 'prompt': 'P', 'points': 1, 'text': {'solution': {'accepted': ['x']}}}]}"

static const char *key_seen(struct testserver *t, const struct testuser *who, const char *lesson_id,
			    CourseView view, int64_t revision)
{
	const Quiz *quiz = got(t, who, lesson_id, view);

	assert_int_equal(quiz->revision, revision);
	return quiz->questions[0]->key;
}

static int64_t quizzes_of(const struct testserver *t, const struct testcourse *c)
{
	return number(t, "SELECT COUNT(*) FROM quiz WHERE course_id = %" PRId64, c->course_id);
}

static void delete_lesson(struct testserver *t, const char *lesson_id)
{
	struct error err;
	int r = testserver_delete_lesson(t, &t->arena, &teacher, lesson_id, &err);
	assert_ok(r, &err);
}

static void a_learner_keeps_the_quiz_of_the_revision_shown(void **state)
{
	struct testserver *t = *state;
	struct testuser learner;
	struct testcourse c;

	testserver_user(t, NULL, 0, &learner);
	testserver_draft(t, &teacher, 0, one_quiz, &c);
	const char *const lesson = c.lessons[0];
	set(t, lesson, QUIZ_NAMED("one"));
	testserver_publish(t, &teacher, &c);
	(void)testserver_enroll(t, &learner, c.id);
	assert_string_equal(key_seen(t, &learner, lesson, COURSE_VIEW_PUBLISHED, 1), "one");

	set(t, lesson, QUIZ_NAMED("two"));
	assert_string_equal(key_seen(t, &learner, lesson, COURSE_VIEW_PUBLISHED, 1), "one");
	assert_string_equal(key_seen(t, &teacher, lesson, COURSE_VIEW_PUBLISHED, 1), "one");
	assert_string_equal(key_seen(t, &teacher, lesson, COURSE_VIEW_DRAFT, 0), "two");
	testserver_publish(t, &teacher, &c);
	assert_string_equal(key_seen(t, &learner, lesson, COURSE_VIEW_PUBLISHED, 2), "two");

	set(t, lesson, QUIZ_NAMED("three"));
	assert_string_equal(key_seen(t, &learner, lesson, COURSE_VIEW_PUBLISHED, 2), "two");
	assert_string_equal(key_seen(t, &teacher, lesson, COURSE_VIEW_DRAFT, 0), "three");
	assert_int_equal(quizzes_of(t, &c), 3);

	/* What was drafted and never published is gone once it is replaced; what was published stays. */
	set(t, lesson, QUIZ_NAMED("four"));
	assert_string_equal(key_seen(t, &learner, lesson, COURSE_VIEW_PUBLISHED, 2), "two");
	assert_string_equal(key_seen(t, &teacher, lesson, COURSE_VIEW_DRAFT, 0), "four");
	assert_int_equal(quizzes_of(t, &c), 3);

	/* So it is with the lesson. */
	delete_lesson(t, lesson);
	assert_string_equal(key_seen(t, &learner, lesson, COURSE_VIEW_PUBLISHED, 2), "two");
	assert_not_got(t, &teacher, lesson, COURSE_VIEW_DRAFT, "LESSON_NOT_FOUND");
	assert_not_set(t, &teacher, lesson, "LESSON_NOT_FOUND");
	assert_int_equal(quizzes_of(t, &c), 2);
}

/* --- setting --- */

static void who_may_set(void **state)
{
	struct testserver *t = *state;
	struct testuser learner;
	struct testcourse c, other;

	testserver_user(t, NULL, 0, &learner);
	testserver_draft(t, &teacher, 0, (const int[]){LESSON_QUIZ, LESSON_EXERCISE, 0}, &c);
	assert_not_set(t, NULL, c.lessons[0], "TOKEN_MISSING");
	assert_not_set(t, &learner, c.lessons[0], "ROLE_MISSING");
	assert_not_set(t, &rival, c.lessons[0], "LESSON_NOT_FOUND");
	assert_not_set(t, &teacher, "les_0000000000001", "LESSON_NOT_FOUND");
	assert_not_set(t, &teacher, c.lessons[1], "LESSON_KIND_MISMATCH");
	struct setting s = {.t = t, .who = &admin, .lesson_id = c.lessons[0], .json = QUIZ_OF_EVERY_FORM};
	set_quiz(&s);
	assert_ok(s.r, &s.err);
	assert_solved(t, s.reply->quiz);
	assert_int_equal(s.reply->quiz->revision, 0);
	arena_done(&s.arena);

	testserver_draft(t, &teacher, 0, one_quiz, &other);
	set(t, other.lessons[0], QUIZ_OF_EVERY_FORM);
	testserver_publish(t, &teacher, &other);
	assert_not_set(t, &rival, other.lessons[0], "NOT_COURSE_INSTRUCTOR");
}

static void what_contradicts_itself_changes_nothing(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;

	testserver_draft(t, &teacher, 0, one_quiz, &c);
	struct setting s = {.t = t, .who = &teacher, .lesson_id = c.lessons[0]};
	s.json =
		"{'scoring': 'QUIZ_SCORING_BEST', 'passBasisPoints': 1, 'questions': ["
		"{'key': 'q', 'prompt': 'P', 'points': 1, 'numeric': {'solution': {'value': '1', 'tolerance': '-2'}}},"
		"{'key': 'q', 'prompt': 'P', 'points': 1, 'singleChoice': {'options': [{'key': 'a', 'text': 'A'},"
		" {'key': 'b', 'text': 'B'}], 'solution': {'optionKey': 'c'}}}]}";
	set_quiz(&s);
	assert_reason(s.r, &s.err, "FIELD_INVALID");
	assert_int_equal(s.err.n_violations, 3);
	assert_violation(&s.err, "quiz.questions[0].numeric.solution.tolerance");
	assert_violation(&s.err, "quiz.questions[1].key");
	assert_violation(&s.err, "quiz.questions[1].single_choice.solution.option_key");
	assert_int_equal(quizzes_of(t, &c), 0);
	assert_int_equal(number(t, "SELECT version FROM course WHERE course_id = %" PRId64, c.course_id), 2);
	arena_done(&s.arena);
}

static void a_quiz_is_a_change_of_its_course(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;

	testserver_draft(t, &teacher, 0, one_quiz, &c);
	struct setting first = {
		.t = t, .who = &teacher, .lesson_id = c.lessons[0], .json = QUIZ_NAMED("one")};
	set_quiz(&first);
	assert_ok(first.r, &first.err);
	struct setting stale = {
		.t = t, .who = &teacher, .lesson_id = c.lessons[0], .json = QUIZ_NAMED("two"), .etag = "v2"};
	set_quiz(&stale);
	assert_reason(stale.r, &stale.err, "ETAG_MISMATCH");
	struct setting second = stale;
	second.etag = first.reply->etag;
	set_quiz(&second);
	assert_ok(second.r, &second.err);
	assert_int_equal(number(t, "SELECT version FROM course WHERE course_id = %" PRId64, c.course_id), 4);
	assert_int_equal(
		number(t,
		       "SELECT COUNT(*) FROM event WHERE kind = 'course.updated' AND subject_id = %" PRId64
		       " AND version IN (3, 4) AND user_id = %" PRId64,
		       c.course_id, teacher.user_id),
		2);
	assert_int_equal(quizzes_of(t, &c), 1);
	arena_done(&first.arena);
	arena_done(&second.arena);

	testserver_publish(t, &teacher, &c);
	sql(t, "UPDATE course SET stage = 2 WHERE course_id = %" PRId64, c.course_id);
	assert_not_set(t, &teacher, c.lessons[0], "COURSE_STATE_INVALID");
}

static void many_at_once(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;
	struct setting crowd[CROWD];
	unsigned passed = 0;

	testserver_draft(t, &teacher, 0, one_quiz, &c);
	for (int with_etag = 0; with_etag < 2; with_etag++) {
		char etag[24];
		snprintf(etag, sizeof(etag), "v%" PRIx64,
			 number(t, "SELECT version FROM course WHERE course_id = %" PRId64, c.course_id));
		for (int i = 0; i < CROWD; i++)
			crowd[i] = (struct setting){.t = t,
						    .who = i % 2 ? &teacher : &admin,
						    .lesson_id = c.lessons[0],
						    .json = QUIZ_OF_EVERY_FORM,
						    .etag = with_etag ? etag : NULL};
		threads_run(CROWD, set_quiz, crowd, sizeof(*crowd));
		passed = 0;
		for (int i = 0; i < CROWD; i++) {
			passed += crowd[i].r >= 0;
			if (crowd[i].r < 0)
				assert_reason(crowd[i].r, &crowd[i].err, "ETAG_MISMATCH");
			arena_done(&crowd[i].arena);
		}
		assert_int_equal(passed, with_etag ? 1 : CROWD);
		assert_int_equal(quizzes_of(t, &c), 1);
	}
	assert_int_equal(number(t, "SELECT version FROM course WHERE course_id = %" PRId64, c.course_id),
			 2 + CROWD + 1);
	assert_solved(t, got(t, &teacher, c.lessons[0], COURSE_VIEW_DRAFT));
}

/* Each lesson of kind QUIZ needs its quiz before the course is reviewed. */
static void a_quiz_that_is_missing_blocks_review(void **state)
{
	struct testserver *t = *state;
	SubmitCourseForReviewRequest req = SUBMIT_COURSE_FOR_REVIEW_REQUEST_INIT;
	SubmitCourseForReviewResponse *reply;
	struct client_call_options options = as(&teacher);
	struct testcourse c;
	struct error err;

	testserver_draft(t, &teacher, 0,
			 (const int[]){LESSON_QUIZ, LESSON_EXERCISE, LESSON_QUIZ, LESSON_QUIZ, 0}, &c);
	set(t, c.lessons[2], QUIZ_OF_EVERY_FORM);
	req.course_id = c.id;
	int r = edu_service_submit_course_for_review_call(t->channel, &req, &options, &t->arena, &reply,
							  &err);
	assert_reason(r, &err, "COURSE_INCOMPLETE");
	assert_int_equal(err.n_violations, 2);
	assert_violation(&err, "lessons[0]");
	assert_violation(&err, "lessons[3]");
	set(t, c.lessons[0], QUIZ_OF_EVERY_FORM);
	set(t, c.lessons[3], QUIZ_OF_EVERY_FORM);
	testserver_publish(t, &teacher, &c);
}

static int setup(void **state)
{
	testserver_setup(state);
	testserver_user(*state, NULL, ROLE_MASK_INSTRUCTOR, &teacher);
	testserver_user(*state, NULL, ROLE_MASK_INSTRUCTOR, &rival);
	testserver_user(*state, NULL, ROLE_MASK_ADMIN, &admin);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(who_sees_what, testserver_reset_after),
		cmocka_unit_test_teardown(a_free_preview_is_anybodys_without_solutions,
					  testserver_reset_after),
		cmocka_unit_test_teardown(what_a_learner_gets_does_not_depend_on_what_is_right,
					  testserver_reset_after),
		cmocka_unit_test_teardown(a_learner_keeps_the_quiz_of_the_revision_shown,
					  testserver_reset_after),
		cmocka_unit_test_teardown(who_may_set, testserver_reset_after),
		cmocka_unit_test_teardown(what_contradicts_itself_changes_nothing, testserver_reset_after),
		cmocka_unit_test_teardown(a_quiz_is_a_change_of_its_course, testserver_reset_after),
		cmocka_unit_test_teardown(many_at_once, testserver_reset_after),
		cmocka_unit_test_teardown(a_quiz_that_is_missing_blocks_review, testserver_reset_after),
	};
	return cmocka_run_group_tests(tests, setup, testserver_teardown);
}
