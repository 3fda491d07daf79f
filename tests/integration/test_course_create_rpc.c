/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "server/course/lesson.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* Copies of courses: like what was copied, of their own, and sharing what never changes. */

enum { MANY = 2000, ROUNDS = 30, CALLERS = 16 };

static struct testuser teacher, other, admin, learner;

static const int kinds[] = {LESSON_TEXT, LESSON_QUIZ, LESSON_EXERCISE, LESSON_TEXT, 0};

#define number(t, ...) testdb_numberf((t)->db, __VA_ARGS__)

struct copying {
	const char *title, *external_id, *request_id;
	CourseInstructor *instructors;
};

static int copy_in(struct testserver *t, struct arena *arena, const struct testuser *u, const char *course_id,
		   struct copying v, Course **ret, struct error *err)
{
	const struct client_call_options options = as(u);
	CopyCourseRequest req = COPY_COURSE_REQUEST_INIT;
	CopyCourseResponse *reply;

	req.course_id = (char *)course_id;
	req.title = (char *)(v.title ? v.title : "");
	req.external_id = (char *)(v.external_id ? v.external_id : "");
	req.request_id = (char *)(v.request_id ? v.request_id : "");
	req.instructors = &v.instructors;
	req.n_instructors = v.instructors != NULL;
	int r = edu_service_copy_course_call(t->channel, &req, &options, arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->course;
	return r;
}

static Course *copy(struct testserver *t, const struct testuser *u, const char *course_id, struct copying v)
{
	Course *ret = NULL;
	struct error err;
	int r = copy_in(t, &t->arena, u, course_id, v, &ret, &err);
	assert_ok(r, &err);
	return ret;
}

static void copy_refused(struct testserver *t, const struct testuser *u, const char *course_id,
			 struct copying v, const char *reason)
{
	struct error err;
	int r = copy_in(t, &t->arena, u, course_id, v, NULL, &err);
	assert_reason(r, &err, reason);
}

static int64_t id_of_course(const Course *c)
{
	int64_t ret;
	assert_true(id_parse("crs", c->course_id, &ret));
	return ret;
}

/* The copy as a test's course, with its lessons. */
static struct testcourse lessons_of(struct testserver *t, const Course *c)
{
	const struct client_call_options options = as(&teacher);
	ListLessonsRequest req = LIST_LESSONS_REQUEST_INIT;
	ListLessonsResponse *list;
	struct testcourse ret = {.course_id = id_of_course(c)};
	struct error err;

	strcpy(ret.id, c->course_id);
	req.course_id = ret.id;
	int r = edu_service_list_lessons_call(t->channel, &req, &options, &t->arena, &list, &err);
	assert_ok(r, &err);
	for (size_t i = 0; i < list->n_lessons && i < 16; i++) {
		strcpy(ret.lessons[i], list->lessons[i]->lesson_id);
		assert_true(id_parse("les", ret.lessons[i], &ret.lesson_ids[i]));
		ret.n_lessons++;
	}
	return ret;
}

static int set_text(struct testserver *t, struct arena *arena, const char *lesson_id, struct error *err)
{
	const struct client_call_options options = as(&teacher);
	SetLessonTextRequest req = SET_LESSON_TEXT_REQUEST_INIT;
	SetLessonTextResponse *ret;

	req.lesson_id = (char *)lesson_id;
	req.text = (char *)"Another text.";
	req.format = (Edu__V1__TextFormat)TEXT_FORMAT_PLAIN;
	return edu_service_set_lesson_text_call(t->channel, &req, &options, arena, &ret, err);
}

static const char *text_of(struct testserver *t, const char *lesson_id)
{
	const struct client_call_options options = as(&teacher);
	GetLessonContentRequest req = GET_LESSON_CONTENT_REQUEST_INIT;
	GetLessonContentResponse *ret;
	struct error err;

	req.lesson_id = (char *)lesson_id;
	int r = edu_service_get_lesson_content_call(t->channel, &req, &options, &t->arena, &ret, &err);
	assert_ok(r, &err);
	return ret->content->text;
}

/* --- what a copy is --- */

/* Lessons of two drafts that differ at one place of them but for their ids. */
#define DIFFERENT                                                                                              \
	"SELECT COUNT(*) FROM lesson_revision a JOIN lesson_revision b ON b.position = a.position"             \
	" JOIN lesson k ON k.lesson_id = a.lesson_id JOIN lesson l ON l.lesson_id = b.lesson_id"               \
	" LEFT JOIN section s ON s.course_id = a.course_id AND s.revision = 0 AND s.section_id = a.section_id" \
	" LEFT JOIN section u ON u.course_id = b.course_id AND u.revision = 0 AND u.section_id = b.section_id" \
	" WHERE a.course_id = %" PRId64 " AND a.revision = 0 AND b.course_id = %" PRId64                       \
	" AND b.revision = 0 AND (a.lesson_id = b.lesson_id OR a.title <> b.title"                             \
	" OR NOT a.external_id <=> b.external_id OR a.duration_seconds <> b.duration_seconds"                  \
	" OR a.weight <> b.weight OR a.free_preview <> b.free_preview"                                         \
	" OR NOT a.release_time <=> b.release_time OR a.release_after_days <> b.release_after_days"            \
	" OR a.quiz_id <> b.quiz_id OR k.kind <> l.kind OR l.gone OR l.course_id <> b.course_id"               \
	" OR a.section_id <> 0 AND a.section_id = b.section_id OR NOT s.position <=> u.position"               \
	" OR NOT s.title <=> u.title OR (SELECT GROUP_CONCAT(role, ':', content_id) FROM lesson_content h"     \
	" WHERE h.course_id = a.course_id AND h.revision = 0 AND h.lesson_id = a.lesson_id) <=>"               \
	" (SELECT GROUP_CONCAT(role, ':', content_id) FROM lesson_content h"                                   \
	" WHERE h.course_id = b.course_id AND h.revision = 0 AND h.lesson_id = b.lesson_id) = 0)"

static void assert_alike(struct testserver *t, int64_t a, int64_t b, int lessons)
{
	assert_int_equal(number(t, DIFFERENT, a, b), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			number(t,
			       "SELECT COUNT(*) FROM lesson_revision WHERE revision = 0 AND course_id = %" PRId64,
			       i ? a : b),
			lessons);
}

/* Everything that a lesson may have, in two sections; a cover as well. */
static void fill(struct testserver *t, const struct testcourse *c)
{
	testdb_do(t->db,
		  "INSERT INTO section (course_id, revision, section_id, title, position) VALUES (%" PRId64
		  ", 0, %" PRId64 ", 'One', 1), (%" PRId64 ", 0, %" PRId64 ", 'Two', 2)",
		  c->course_id, c->lesson_ids[0], c->course_id, c->lesson_ids[1]);
	testdb_do(t->db,
		  "UPDATE lesson_revision SET section_id = IF(position < 3, %" PRId64 ", %" PRId64
		  "), external_id = CONCAT('k', position), weight = 3, free_preview = 1, release_time = 77,"
		  " release_after_days = 5 WHERE revision = 0 AND position > 1 AND course_id = %" PRId64,
		  c->lesson_ids[0], c->lesson_ids[1], c->course_id);
	testdb_do(
		t->db,
		"INSERT INTO lesson_content (course_id, revision, lesson_id, role, content_id) VALUES (%" PRId64
		", 0, 0, 5, 99), (%" PRId64 ", 0, %" PRId64 ", 4, 98)",
		c->course_id, c->course_id, c->lesson_ids[2]);
}

static void a_copy_is_like_what_is_edited(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;

	testserver_course(t, &teacher, 1200, kinds, &c);
	fill(t, &c);
	testserver_retitle(t, &teacher, c.id, "As edited");
	const Course *made = copy(t, &teacher, c.id, (struct copying){.external_id = "copy-1"});
	const struct testcourse same = lessons_of(t, made);

	assert_string_equal(made->title, "As edited");
	assert_string_equal(made->external_id, "copy-1");
	assert_string_equal(made->creator_id, teacher.id);
	assert_int_equal(made->state, COURSE_STATE_DRAFT);
	assert_int_equal(made->draft_state, 0);
	assert_int_equal(made->revision, 0);
	assert_int_equal(made->version, 1);
	assert_int_equal(made->lesson_count, c.n_lessons);
	assert_null(made->publish_time);
	assert_string_not_equal(made->cover_id, "");
	assert_int_equal(made->price_list->n_prices, 1);
	assert_int_equal(made->price_list->prices[0]->minor_units, 1200);
	assert_int_equal(made->n_instructors, 1);
	assert_alike(t, c.course_id, same.course_id, 4);
	assert_int_equal(
		number(t,
		       "SELECT COUNT(*) FROM course a JOIN course b ON b.course_id = %" PRId64
		       " AND (a.summary, a.subject_id, a.level, a.language, a.pricing, a.license) ="
		       " (b.summary, b.subject_id, b.level, b.language, b.pricing, b.license)"
		       " AND b.lesson_count = 4 AND b.platform_basis_points IS NULL WHERE a.course_id = %" PRId64,
		       same.course_id, c.course_id),
		1);
	assert_int_equal(
		number(t, "SELECT COUNT(*) FROM event WHERE kind = 'course.created' AND course_id = %" PRId64,
		       same.course_id),
		1);
	assert_string_equal(text_of(t, same.lessons[0]), "T");
}

static void either_changes_without_the_other(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;
	struct error err;

	testserver_course(t, &teacher, 0, kinds, &c);
	const Course *made = copy(t, &teacher, c.id, (struct copying){.title = "Another"});
	struct testcourse same = lessons_of(t, made);

	assert_string_equal(made->title, "Another");
	int r = set_text(t, &t->arena, same.lessons[0], &err);
	assert_ok(r, &err);
	testserver_quiz(t, &teacher, same.lessons[1]);
	assert_string_equal(text_of(t, c.lessons[0]), "T");
	assert_string_equal(text_of(t, same.lessons[0]), "Another text.");
	assert_string_equal(text_of(t, same.lessons[3]), "T");
	assert_int_equal(
		number(t,
		       "SELECT COUNT(*) FROM lesson_revision a JOIN quiz USING (quiz_id) WHERE a.lesson_id IN (%" PRId64
		       ", %" PRId64 ")",
		       c.lesson_ids[1], same.lesson_ids[1]),
		3); /* the draft and the revision of the one, and the other's draft */
	r = testserver_delete_lesson(t, &t->arena, &teacher, c.lessons[3], &err);
	assert_ok(r, &err);
	assert_string_equal(text_of(t, same.lessons[3]), "T");
	testserver_publish(t, &teacher, &same);
	assert_int_equal(number(t, "SELECT lesson_count FROM course WHERE course_id = %" PRId64, c.course_id),
			 4);
}

/* --- what both hold goes with the last that does --- */

struct dropping {
	struct testserver *t;
	const struct testcourse *c;
	int how;
	struct arena arena;
	struct error err;
	int r;
};

static void *drop(void *arg)
{
	struct dropping *d = arg;

	if (d->how == 0) {
		d->r = testserver_delete_lesson(d->t, &d->arena, &teacher, d->c->lessons[0], &d->err);
	} else if (d->how == 1) {
		d->r = testserver_delete_lesson(d->t, &d->arena, &teacher, d->c->lessons[1], &d->err);
	} else {
		d->r = set_text(d->t, &d->arena, d->c->lessons[0], &d->err);
	}
	return NULL;
}

static void what_both_hold_goes_with_the_last(void **state)
{
	struct testserver *t = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct testcourse pair[2];

		testserver_draft(t, &teacher, 0, kinds, &pair[0]);
		testserver_quiz(t, &teacher, pair[0].lessons[1]);
		pair[1] = lessons_of(t, copy(t, &teacher, pair[0].id, (struct copying){0}));
		const int64_t content = pair[0].lesson_ids[0];
		const int64_t quiz = number(
			t, "SELECT quiz_id FROM lesson_revision WHERE revision = 0 AND lesson_id = %" PRId64,
			pair[1].lesson_ids[1]);
		assert_int_equal(
			number(t, "SELECT COUNT(*) FROM lesson_revision WHERE quiz_id = %" PRId64, quiz), 2);
		struct dropping both[2];
		for (int i = 0; i < 2; i++) {
			both[i] = (struct dropping){.t = t, .c = &pair[i], .how = round % 3};
			arena_init(&both[i].arena, 1 << 20);
		}
		threads_run(2, drop, both, sizeof(both[0]));
		for (int i = 0; i < 2; i++) {
			assert_ok(both[i].r, &both[i].err);
			arena_done(&both[i].arena);
		}
		assert_int_equal(number(t, "SELECT COUNT(*) FROM quiz WHERE quiz_id = %" PRId64, quiz),
				 round % 3 != 1);
		assert_int_equal(
			number(t, "SELECT unused_time IS NOT NULL FROM content WHERE content_id = %" PRId64,
			       content),
			round % 3 != 1);
		testserver_reset(t);
	}
}

static void what_one_still_holds_stays(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;
	struct error err;

	testserver_draft(t, &teacher, 0, kinds, &c);
	testserver_quiz(t, &teacher, c.lessons[1]);
	(void)copy(t, &teacher, c.id, (struct copying){0});
	for (int i = 0; i < 2; i++) {
		int r = testserver_delete_lesson(t, &t->arena, &teacher, c.lessons[i], &err);
		assert_ok(r, &err);
	}
	assert_int_equal(number(t, "SELECT COUNT(*) FROM quiz WHERE lesson_id = %" PRId64, c.lesson_ids[1]),
			 1);
	assert_int_equal(
		number(t, "SELECT COUNT(*) FROM content WHERE unused_time IS NULL AND content_id = %" PRId64,
		       c.lesson_ids[0]),
		1);
}

/* --- who copies, and how often --- */

static void who_may_copy(void **state)
{
	struct testserver *t = *state;
	struct testcourse draft, published;
	CourseInstructor me = COURSE_INSTRUCTOR_INIT, no_teacher = COURSE_INSTRUCTOR_INIT;

	testserver_draft(t, &teacher, 0, kinds, &draft);
	testserver_course(t, &teacher, 0, kinds, &published);
	copy_refused(t, &learner, published.id, (struct copying){0}, "ROLE_MISSING");
	copy_refused(t, NULL, published.id, (struct copying){0}, "TOKEN_MISSING");
	copy_refused(t, &other, draft.id, (struct copying){0}, "COURSE_NOT_FOUND");
	copy_refused(t, &other, published.id, (struct copying){0}, "NOT_COURSE_INSTRUCTOR");
	copy_refused(t, &teacher, "", (struct copying){0}, "FIELD_INVALID");
	copy_refused(t, &teacher, draft.lessons[0], (struct copying){0}, "FIELD_INVALID");
	copy_refused(t, &teacher, draft.id, (struct copying){.title = " "}, "FIELD_INVALID");

	no_teacher.user_id = learner.id;
	copy_refused(t, &teacher, draft.id, (struct copying){.instructors = &no_teacher}, "FIELD_INVALID");
	copy_refused(t, &admin, draft.id, (struct copying){.instructors = &no_teacher},
		     "INSTRUCTOR_NOT_QUALIFIED");
	me.user_id = other.id;
	me.share_basis_points = 4000;
	const Course *made = copy(t, &admin, draft.id, (struct copying){.instructors = &me});
	assert_int_equal(made->n_instructors, 1);
	assert_string_equal(made->instructors[0]->user_id, other.id);
	assert_int_equal(made->instructors[0]->share_basis_points, 4000);
	assert_string_equal(made->creator_id, admin.id);
	assert_string_equal(copy(t, &admin, draft.id, (struct copying){0})->instructors[0]->user_id,
			    teacher.id);

	(void)copy(t, &teacher, draft.id, (struct copying){.external_id = "k"});
	copy_refused(t, &teacher, draft.id, (struct copying){.external_id = "k"}, "EXTERNAL_ID_IN_USE");
	assert_int_equal(number(t, "SELECT COUNT(*) FROM course WHERE external_id = 'k'"), 1);
}

struct repeating {
	struct testserver *t;
	const char *course_id, *request_id;
	char copy[ID_TEXT_MAX];
	int r;
	struct error err;
};

static void *repeat(void *arg)
{
	struct repeating *v = arg;
	struct arena arena;
	Course *made;

	arena_init(&arena, 1 << 20);
	v->r = copy_in(v->t, &arena, &teacher, v->course_id, (struct copying){.request_id = v->request_id},
		       &made, &v->err);
	if (v->r >= 0)
		strcpy(v->copy, made->course_id);
	arena_done(&arena);
	return NULL;
}

static void a_request_makes_one_copy(void **state)
{
	struct testserver *t = *state;
	struct repeating all[CALLERS];
	struct testcourse c;
	char request_id[37];

	testserver_draft(t, &teacher, 0, kinds, &c);
	(void)new_request_id(request_id);
	const int64_t before = number(t, "SELECT COUNT(*) FROM course");
	for (int i = 0; i < CALLERS; i++)
		all[i] = (struct repeating){.t = t, .course_id = c.id, .request_id = request_id};
	threads_run(CALLERS, repeat, all, sizeof(all[0]));
	for (int i = 0; i < CALLERS; i++) {
		assert_ok(all[i].r, &all[i].err);
		assert_string_equal(all[i].copy, all[0].copy);
	}
	assert_int_equal(number(t, "SELECT COUNT(*) FROM course"), before + 1);
	copy_refused(t, &teacher, c.id, (struct copying){.request_id = request_id, .title = "Other"},
		     "REQUEST_ID_REUSED");
}

static void many_lessons_are_copied_whole(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;
	struct timespec before, after;

	testserver_draft(t, &teacher, 0, (const int[]){LESSON_EXERCISE, 0}, &c);
	testdb_do(t->db,
		  "INSERT INTO section SELECT course_id, 0, %" PRId64
		  " + seq, CONCAT('S', seq), seq FROM course JOIN seq_1_to_200 WHERE course_id = %" PRId64,
		  c.lesson_ids[0], c.course_id);
	testdb_do(t->db,
		  "INSERT INTO lesson SELECT %" PRId64
		  " + seq, course_id, 4, 1, 0 FROM course JOIN seq_2_to_%d"
		  " WHERE course_id = %" PRId64,
		  c.lesson_ids[0], MANY, c.course_id);
	testdb_do(t->db,
		  "INSERT INTO lesson_revision SELECT course_id, 0, %" PRId64 " + seq, %" PRId64
		  " + seq DIV 10, NULL, REPEAT('L', 200), 0, 1, seq, 0, NULL, 0, 0, 1 FROM course"
		  " JOIN seq_10_to_%d WHERE course_id = %" PRId64,
		  c.lesson_ids[0], c.lesson_ids[0], MANY, c.course_id);
	testdb_do(
		t->db,
		"UPDATE lesson_revision SET position = position - 8 WHERE position > 1 AND course_id = %" PRId64
		" ORDER BY position",
		c.course_id);
	clock_gettime(CLOCK_MONOTONIC, &before);
	const Course *made = copy(t, &teacher, c.id, (struct copying){0});
	clock_gettime(CLOCK_MONOTONIC, &after);
	print_message("%d lessons copied in %ld ms\n", MANY - 8,
		      (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000);
	assert_int_equal(made->lesson_count, MANY - 8);
	assert_alike(t, c.course_id, id_of_course(made), MANY - 8);
}

static int setup(void **state)
{
	int r = testserver_setup(state);
	struct testserver *t = *state;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &teacher);
	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &other);
	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	testserver_user(t, NULL, 0, &learner);
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_copy_is_like_what_is_edited, testserver_reset_after),
		cmocka_unit_test_teardown(either_changes_without_the_other, testserver_reset_after),
		cmocka_unit_test_teardown(what_both_hold_goes_with_the_last, testserver_reset_after),
		cmocka_unit_test_teardown(what_one_still_holds_stays, testserver_reset_after),
		cmocka_unit_test_teardown(who_may_copy, testserver_reset_after),
		cmocka_unit_test_teardown(a_request_makes_one_copy, testserver_reset_after),
		cmocka_unit_test_teardown(many_lessons_are_copied_whole, testserver_reset_after),
	};
	return cmocka_run_group_tests(tests, setup, testserver_teardown);
}
