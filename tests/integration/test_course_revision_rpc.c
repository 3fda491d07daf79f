/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/course/lesson.h"
#include "tests/lib/testserver.h"

/* What a course was: its publications, each as it was and with what it changed. */

static struct testuser teacher, stranger, buyer;

static const int kinds[] = {LESSON_TEXT, LESSON_EXERCISE, 0};

#define number(t, ...) testdb_numberf((t)->db, __VA_ARGS__)

static int list_in(struct testserver *t, const struct testuser *u, const char *course_id, int size,
		   const char *token, ListCourseRevisionsResponse **ret, struct error *err)
{
	const struct client_call_options options = as(u);
	ListCourseRevisionsRequest req = LIST_COURSE_REVISIONS_REQUEST_INIT;

	req.course_id = (char *)course_id;
	req.page_size = size;
	req.page_token = (char *)token;
	return edu_service_list_course_revisions_call(t->channel, &req, &options, &t->arena, ret, err);
}

static ListCourseRevisionsResponse *list(struct testserver *t, const struct testuser *u,
					 const char *course_id, int size, const char *token)
{
	ListCourseRevisionsResponse *ret;
	struct error err;
	int r = list_in(t, u, course_id, size, token, &ret, &err);
	assert_ok(r, &err);
	return ret;
}

static int get_in(struct testserver *t, const struct testuser *u, const char *course_id, int64_t revision,
		  GetCourseRevisionResponse **ret, struct error *err)
{
	const struct client_call_options options = as(u);
	GetCourseRevisionRequest req = GET_COURSE_REVISION_REQUEST_INIT;

	req.course_id = (char *)course_id;
	req.revision = revision;
	return edu_service_get_course_revision_call(t->channel, &req, &options, &t->arena, ret, err);
}

static GetCourseRevisionResponse *get(struct testserver *t, const struct testuser *u, const char *course_id,
				      int64_t revision)
{
	GetCourseRevisionResponse *ret;
	struct error err;
	int r = get_in(t, u, course_id, revision, &ret, &err);
	assert_ok(r, &err);
	return ret;
}

static void get_refused(struct testserver *t, const struct testuser *u, const char *course_id,
			int64_t revision, const char *reason)
{
	GetCourseRevisionResponse *ret;
	struct error err;
	int r = get_in(t, u, course_id, revision, &ret, &err);
	assert_reason(r, &err, reason);
}

static int lessons_in(struct testserver *t, const struct testuser *u, ListLessonsRequest req,
		      ListLessonsResponse **ret, struct error *err)
{
	const struct client_call_options options = as(u);
	return edu_service_list_lessons_call(t->channel, &req, &options, &t->arena, ret, err);
}

static ListLessonsResponse *lessons(struct testserver *t, const char *course_id, int64_t revision)
{
	ListLessonsRequest req = LIST_LESSONS_REQUEST_INIT;
	ListLessonsResponse *ret;
	struct error err;

	req.course_id = (char *)course_id;
	req.revision = revision;
	int r = lessons_in(t, &teacher, req, &ret, &err);
	assert_ok(r, &err);
	return ret;
}

static void update(struct testserver *t, Course *course, const char *const *paths, size_t n)
{
	const struct client_call_options options = as(&teacher);
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	UpdateCourseRequest req = UPDATE_COURSE_REQUEST_INIT;
	UpdateCourseResponse *reply;
	struct error err;

	mask.paths = (char **)paths;
	mask.n_paths = n;
	req.course = course;
	req.update_mask = &mask;
	int r = edu_service_update_course_call(t->channel, &req, &options, &t->arena, &reply, &err);
	assert_ok(r, &err);
}

static void delete_lesson(struct testserver *t, const char *lesson_id)
{
	struct error err;
	int r = testserver_delete_lesson(t, &t->arena, &teacher, lesson_id, &err);
	assert_ok(r, &err);
}

/* Every text that review is about comes into what is published, is kept as it was, and is named. */
static void every_text_of_a_revision_is_kept(void **state)
{
	static const char *const paths[] = {"title",      "summary",     "description",
					    "objectives", "audience",    "prerequisites",
					    "subject_id", "level",       "language",
					    "license",    "instructors", "planned_learning_hours"};
	struct testserver *t = *state;
	CourseInstructor me = COURSE_INSTRUCTOR_INIT, *instructors = &me;
	char subject[ID_TEXT_MAX], *objective = (char *)"O2";
	struct testcourse c;
	Course other = COURSE_INIT;

	testserver_course(t, &teacher, 700, kinds, &c);
	const Course before = *get(t, &teacher, c.id, 1)->course;
	testserver_subject(t, "Second", subject);
	me.user_id = teacher.id;
	me.share_basis_points = 5000;
	other.course_id = c.id;
	other.title = (char *)"T2";
	other.summary = (char *)"S2";
	other.description = (char *)"D2";
	other.objectives = &objective;
	other.n_objectives = 1;
	other.audience = (char *)"A2";
	other.prerequisites = (char *)"P2";
	other.subject_id = subject;
	other.level = (Edu__V1__CourseLevel)COURSE_LEVEL_ALL;
	other.language = (char *)"zh-Hans";
	other.license = (char *)"L2";
	other.instructors = &instructors;
	other.n_instructors = 1;
	other.planned_learning_hours = 77;
	update(t, &other, paths, ARRAY_SIZE(paths));
	testserver_publish(t, &teacher, &c);

	const GetCourseRevisionResponse *second = get(t, &teacher, c.id, 2);
	assert_int_equal(second->revision->n_changed_fields, ARRAY_SIZE(paths));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_string_equal(second->revision->changed_fields[i], paths[i]);
	const Course *now = second->course;
	assert_string_equal(now->title, "T2");
	assert_string_equal(now->summary, "S2");
	assert_string_equal(now->description, "D2");
	assert_string_equal(now->objectives[0], "O2");
	assert_string_equal(now->audience, "A2");
	assert_string_equal(now->prerequisites, "P2");
	assert_string_equal(now->subject_id, subject);
	assert_int_equal(now->level, COURSE_LEVEL_ALL);
	assert_string_equal(now->language, "zh-Hans");
	assert_string_equal(now->license, "L2");
	assert_int_equal(now->instructors[0]->share_basis_points, 5000);
	assert_int_equal(now->planned_learning_hours, 77);
	const Course *first = get(t, &teacher, c.id, 1)->course;
	assert_string_equal(first->title, before.title);
	assert_string_equal(first->subject_id, t->subject);
	assert_int_equal(first->instructors[0]->share_basis_points, 10000);
}

static void a_revision_has_what_it_had(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;

	testserver_draft(t, &teacher, 700, kinds, &c);
	testdb_do(
		t->db,
		"INSERT INTO lesson_content (course_id, revision, lesson_id, role, content_id) VALUES (%" PRId64
		", 0, 0, 5, 91)",
		c.course_id);
	testserver_publish(t, &teacher, &c);
	delete_lesson(t, c.lessons[1]);
	testdb_do(t->db,
		  "DELETE FROM lesson_content WHERE revision = 0 AND lesson_id = 0 AND course_id = %" PRId64,
		  c.course_id);
	testserver_publish(t, &teacher, &c);

	const Course *was = get(t, &teacher, c.id, 1)->course, *is = get(t, &teacher, c.id, 2)->course;
	assert_int_equal(was->lesson_count, 2);
	assert_int_equal(is->lesson_count, 1);
	assert_string_not_equal(was->cover_id, "");
	assert_string_equal(is->cover_id, "");
	assert_int_equal(was->revision, 1);
	assert_int_equal(was->state, COURSE_STATE_PUBLISHED);
	assert_string_equal(was->creator_id, teacher.id);
	assert_true(was->publish_time->seconds <= is->publish_time->seconds);
	assert_string_equal(was->etag, "");
	assert_int_equal(was->version, 0);
	assert_null(was->update_time);
	assert_int_equal(was->pricing_case, 0);
	assert_null(was->rating);
	assert_int_equal(lessons(t, c.id, 1)->n_lessons, 2);
	assert_int_equal(lessons(t, c.id, 2)->n_lessons, 1);
	assert_int_equal(lessons(t, c.id, 0)->n_lessons, 1);
	get_refused(t, &teacher, c.id, 3, "REVISION_NOT_FOUND");
	get_refused(t, &teacher, c.id, INT64_MAX, "REVISION_NOT_FOUND");
	get_refused(t, &teacher, c.id, 0, "FIELD_INVALID");
	get_refused(t, &teacher, c.id, -1, "FIELD_INVALID");
	get_refused(t, &teacher, "", 1, "FIELD_INVALID");
}

static void revisions_come_in_pages(void **state)
{
	struct testserver *t = *state;
	struct testcourse c, other;
	const char *token = "";
	char title[16];
	int64_t expected = 5;
	ListCourseRevisionsResponse *page;
	struct error err;

	testserver_course(t, &teacher, 0, kinds, &c);
	testserver_course(t, &teacher, 0, kinds, &other);
	for (int i = 2; i <= 5; i++) {
		snprintf(title, sizeof(title), "Title %d", i);
		testserver_retitle(t, &teacher, c.id, title);
		testserver_publish(t, &teacher, &c);
	}
	testserver_retitle(t, &teacher, c.id, "Never published");
	do {
		page = list(t, &teacher, c.id, 2, token);
		for (size_t i = 0; i < page->n_revisions; i++)
			assert_int_equal(page->revisions[i]->revision, expected--);
		token = page->next_page_token;
	} while (*token);
	assert_int_equal(expected, 0);
	token = list(t, &teacher, c.id, 2, "")->next_page_token;
	int r = list_in(t, &teacher, other.id, 2, token, &page, &err);
	assert_reason(r, &err, "PAGE_TOKEN_INVALID");
	assert_int_equal(list(t, &teacher, other.id, 0, "")->revisions[0]->lessons_added, 2);
}

static void who_reads_what_was(void **state)
{
	struct testserver *t = *state;
	struct testuser assistant;
	struct testcourse draft, c;
	ListLessonsRequest req = LIST_LESSONS_REQUEST_INIT;
	ListLessonsResponse *ret;
	ListCourseRevisionsResponse *page;
	struct error err;

	testserver_draft(t, &teacher, 0, kinds, &draft);
	testserver_course(t, &teacher, 0, kinds, &c);
	testserver_user(t, NULL, 0, &buyer);
	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &assistant);
	(void)testserver_enroll(t, &buyer, c.id);
	assert_int_equal(list(t, &teacher, draft.id, 0, "")->n_revisions, 0);
	get_refused(t, &teacher, draft.id, 1, "REVISION_NOT_FOUND");
	get_refused(t, &stranger, draft.id, 1, "COURSE_NOT_FOUND");
	get_refused(t, NULL, c.id, 1, "ACCESS_MISSING");
	get_refused(t, &stranger, c.id, 1, "ACCESS_MISSING");
	get_refused(t, &stranger, c.id, 9, "ACCESS_MISSING");
	get_refused(t, &assistant, c.id, 1, "ACCESS_MISSING");
	assert_int_equal(get(t, &buyer, c.id, 1)->course->lesson_count, 2);
	int r = list_in(t, &stranger, c.id, 0, "", &page, &err);
	assert_reason(r, &err, "ACCESS_MISSING");

	/* What was taken away is of the past too; what is put off sale stays theirs. */
	testdb_do(t->db, "UPDATE access_grant SET revoke_time = start_time + 1 WHERE user_id = %" PRId64,
		  buyer.user_id);
	assert_int_equal(list(t, &buyer, c.id, 0, "")->n_revisions, 1);
	testdb_do(t->db, "UPDATE course SET stage = 4 WHERE course_id = %" PRId64, c.course_id);
	assert_int_equal(get(t, &buyer, c.id, 1)->course->state, COURSE_STATE_ARCHIVED);
	get_refused(t, &stranger, c.id, 1, "COURSE_NOT_FOUND");

	req.course_id = c.id;
	req.revision = 1;
	r = lessons_in(t, &stranger, req, &ret, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");
	req.view = (Edu__V1__CourseView)COURSE_VIEW_PUBLISHED;
	r = lessons_in(t, &buyer, req, &ret, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "revision");
}

/* A page of an old revision is never taken for one of what learners see, nor the other way round. */
static void memory_tells_revisions_apart(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;

	testserver_course(t, &teacher, 0, kinds, &c);
	delete_lesson(t, c.lessons[1]);
	testserver_publish(t, &teacher, &c);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(lessons(t, c.id, 0)->n_lessons, 1);
		assert_int_equal(lessons(t, c.id, 1)->n_lessons, 2);
		assert_int_equal(lessons(t, c.id, 2)->n_lessons, 1);
	}
}

static int setup(void **state)
{
	int r = testserver_setup(state);
	struct testserver *t = *state;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &teacher);
	testserver_user(t, NULL, 0, &stranger);
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_text_of_a_revision_is_kept, testserver_reset_after),
		cmocka_unit_test_teardown(a_revision_has_what_it_had, testserver_reset_after),
		cmocka_unit_test_teardown(revisions_come_in_pages, testserver_reset_after),
		cmocka_unit_test_teardown(who_reads_what_was, testserver_reset_after),
		cmocka_unit_test_teardown(memory_tells_revisions_apart, testserver_reset_after),
	};
	return cmocka_run_group_tests(tests, setup, testserver_teardown);
}
