/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/metrics.h"
#include "server/course/lesson.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* What a course consists of: its draft under many hands, and what publication freezes of it. */

enum { MANY = 2000, ROUNDS = 12, STEPS = 250, US = 1000000 };

static struct testuser teacher, admin, learner;

#define sql(t, ...) testdb_do((t)->db, __VA_ARGS__)
#define number(t, ...) testdb_numberf((t)->db, __VA_ARGS__)

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * US + t.tv_nsec / 1000;
}

/* Lessons lie from 1 on without gaps, first those in no section, then section by section; sections as well.
 */
static void assert_in_order(const struct testserver *t, const struct testcourse *c)
{
	assert_int_equal(
		number(t,
		       "SELECT COUNT(*) FROM (SELECT l.position, ROW_NUMBER() OVER (ORDER BY IFNULL(s.position, 0),"
		       " l.position) n FROM lesson_revision l LEFT JOIN section s ON s.course_id = l.course_id"
		       " AND s.revision = 0 AND s.section_id = l.section_id"
		       " WHERE l.course_id = %" PRId64 " AND l.revision = 0) x WHERE position <> n",
		       c->course_id),
		0);
	assert_int_equal(
		number(t,
		       "SELECT IFNULL(MAX(position), 0) - COUNT(*) FROM section WHERE course_id = %" PRId64
		       " AND revision = 0",
		       c->course_id),
		0);
	assert_int_equal(
		number(t,
		       "SELECT lesson_count - (SELECT COUNT(*) FROM lesson_revision l WHERE l.course_id = c.course_id"
		       " AND l.revision = c.revision) FROM course c WHERE course_id = %" PRId64,
		       c->course_id),
		0);
}

static ListLessonsResponse *list(struct testserver *t, const struct testcourse *c, int view)
{
	const struct client_call_options options = as(&teacher);
	ListLessonsRequest req = LIST_LESSONS_REQUEST_INIT;
	ListLessonsResponse *ret;
	struct error err;

	req.course_id = (char *)c->id;
	req.page_size = 100;
	req.view = (Edu__V1__CourseView)view;
	int r = edu_service_list_lessons_call(t->channel, &req, &options, &t->arena, &ret, &err);
	assert_ok(r, &err);
	return ret;
}

static int create_lesson(struct testserver *t, struct arena *arena, const char *course_id, char *section_id,
			 struct error *err)
{
	const struct client_call_options options = as(&teacher);
	CreateLessonRequest req = CREATE_LESSON_REQUEST_INIT;
	CreateLessonResponse *ret;

	req.course_id = (char *)course_id;
	req.title = (char *)"L";
	req.kind = (Edu__V1__LessonKind)LESSON_EXERCISE;
	req.section_id = section_id;
	return edu_service_create_lesson_call(t->channel, &req, &options, arena, &ret, err);
}

static void rename_lesson(struct testserver *t, const char *lesson_id, const char *title)
{
	const struct client_call_options options = as(&teacher);
	UpdateLessonRequest req = UPDATE_LESSON_REQUEST_INIT;
	UpdateLessonResponse *ret;
	Lesson lesson = LESSON_INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	struct error err;

	lesson.lesson_id = (char *)lesson_id;
	lesson.title = (char *)title;
	mask.paths = (char *[]){(char *)"title"};
	mask.n_paths = 1;
	req.lesson = &lesson;
	req.update_mask = &mask;
	int r = edu_service_update_lesson_call(t->channel, &req, &options, &t->arena, &ret, &err);
	assert_ok(r, &err);
}

static void create_section(struct testserver *t, const struct testcourse *c)
{
	const struct client_call_options options = as(&teacher);
	CreateSectionRequest req = CREATE_SECTION_REQUEST_INIT;
	CreateSectionResponse *ret;
	struct error err;

	req.course_id = (char *)c->id;
	req.title = (char *)"S";
	int r = edu_service_create_section_call(t->channel, &req, &options, &t->arena, &ret, &err);
	assert_ok(r, &err);
}

/* --- two editors --- */

struct editing {
	struct testserver *t;
	const char *lesson_id, *etag, *title;
	struct arena arena;
	int r;
	struct error err;
};

static void *edit(void *arg)
{
	struct editing *e = arg;
	const struct client_call_options options = as(&teacher);
	UpdateLessonRequest req = UPDATE_LESSON_REQUEST_INIT;
	UpdateLessonResponse *ret;
	Lesson lesson = LESSON_INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;

	lesson.lesson_id = (char *)e->lesson_id;
	lesson.title = (char *)e->title;
	mask.paths = (char *[]){(char *)"title"};
	mask.n_paths = 1;
	req.lesson = &lesson;
	req.update_mask = &mask;
	req.etag = (char *)e->etag;
	e->r = edu_service_update_lesson_call(e->t->channel, &req, &options, &e->arena, &ret, &e->err);
	return NULL;
}

static void of_two_editors_one_is_told(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;

	testserver_draft(t, &teacher, 0, (const int[]){LESSON_EXERCISE, 0}, &c);
	for (int round = 0; round < ROUNDS; round++) {
		const char *etag = list(t, &c, 0)->etag;
		struct editing both[2] = {{.t = t, .lesson_id = c.lessons[0], .etag = etag, .title = "One"},
					  {.t = t, .lesson_id = c.lessons[0], .etag = etag, .title = "Two"}};

		for (int i = 0; i < 2; i++)
			arena_init(&both[i].arena, 1 << 20);
		threads_run(2, edit, both, sizeof(both[0]));
		const int won = both[0].r >= 0 ? 0 : 1;
		assert_ok(both[won].r, &both[won].err);
		assert_reason(both[!won].r, &both[!won].err, "ETAG_MISMATCH");
		assert_string_equal(list(t, &c, 0)->lessons[0]->title, both[won].title);
		for (int i = 0; i < 2; i++)
			arena_done(&both[i].arena);
	}
}

/* --- any changes, in any order --- */

static void step(struct testserver *t, const struct testcourse *c, unsigned *seed)
{
	const ListLessonsResponse *now = list(t, c, 0);
	const size_t lesson = now->n_lessons ? (size_t)rand_r(seed) % now->n_lessons : 0;
	const size_t section = now->n_sections ? (size_t)rand_r(seed) % (now->n_sections + 1) : 0;
	const struct client_call_options options = as(&teacher);
	DeleteSectionRequest deletion = DELETE_SECTION_REQUEST_INIT;
	DeleteSectionResponse *deleted;
	struct error err;
	int r;

	switch (rand_r(seed) % 8) {
	case 0:
		create_section(t, c);
		break;
	case 1:
		if (section < now->n_sections) {
			deletion.section_id = now->sections[section]->section_id;
			r = edu_service_delete_section_call(t->channel, &deletion, &options, &t->arena,
							    &deleted, &err);
			if (r < 0)
				assert_reason(r, &err, "SECTION_NOT_EMPTY");
		}
		break;
	case 2:
	case 3:
		if (now->n_lessons) {
			r = testserver_delete_lesson(t, &t->arena, &teacher, now->lessons[lesson]->lesson_id,
						     &err);
			assert_ok(r, &err);
		}
		break;
	default:
		r = create_lesson(t, &t->arena, c->id,
				  section < now->n_sections ? now->sections[section]->section_id : (char *)"",
				  &err);
		assert_ok(r, &err);
	}
}

static void any_changes_leave_no_gap(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;
	unsigned seed = 7;

	testserver_draft(t, &teacher, 0, (const int[]){LESSON_EXERCISE, 0}, &c);
	for (int i = 0; i < STEPS; i++) {
		step(t, &c, &seed);
		assert_in_order(t, &c);
		testserver_reset(t);
	}
}

/* --- many lessons --- */

static void fill(struct testserver *t, const struct testcourse *c)
{
	sql(t,
	    "INSERT INTO lesson SELECT %" PRId64 " + seq, course_id, 4, 1, 0 FROM course JOIN seq_2_to_%d"
	    " WHERE course_id = %" PRId64,
	    c->lesson_ids[0], MANY - 1, c->course_id);
	sql(t,
	    "INSERT INTO lesson_revision SELECT course_id, 0, %" PRId64
	    " + seq, 0, NULL, 'L', 0, 1, seq, 0, NULL, 0, 0, 1 FROM course JOIN seq_2_to_%d WHERE course_id = %" PRId64,
	    c->lesson_ids[0], MANY - 1, c->course_id);
	sql(t, "UPDATE course SET lesson_count = %d WHERE course_id = %" PRId64, MANY - 1, c->course_id);
}

struct reordering {
	struct testserver *t;
	const struct testcourse *c;
	bool creates;
	struct arena arena;
	int r;
	int64_t took_us;
	struct error err;
};

static void *reverse_or_create(void *arg)
{
	struct reordering *o = arg;
	const struct client_call_options options = as(&teacher);
	ReorderLessonsRequest req = REORDER_LESSONS_REQUEST_INIT;
	ReorderLessonsResponse *ret;
	char *ids[MANY];

	if (o->creates) {
		o->r = create_lesson(o->t, &o->arena, o->c->id, (char *)"", &o->err);
		return NULL;
	}
	req.course_id = (char *)o->c->id;
	req.lesson_ids = ids;
	for (int i = MANY - 1; i > 0; i--) {
		char text[ID_TEXT_MAX];
		id_format("les", o->c->lesson_ids[0] + (i == 1 ? 0 : i), text);
		ids[req.n_lesson_ids++] = arena_strdup(&o->arena, text);
	}
	const int64_t start = now_us();
	o->r = edu_service_reorder_lessons_call(o->t->channel, &req, &options, &o->arena, &ret, &o->err);
	o->took_us = now_us() - start;
	return NULL;
}

static void an_order_of_many_is_whole(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;

	testserver_draft(t, &teacher, 0, (const int[]){LESSON_EXERCISE, 0}, &c);
	fill(t, &c);
	struct reordering alone = {.t = t, .c = &c};
	arena_init(&alone.arena, 4 << 20);
	(void)reverse_or_create(&alone);
	assert_ok(alone.r, &alone.err);
	print_message("%d lessons reordered in %" PRId64 " ms\n", MANY - 1, alone.took_us / 1000);
	assert_in_order(t, &c);
	assert_int_equal(
		number(t, "SELECT position FROM lesson_revision WHERE revision = 0 AND lesson_id = %" PRId64,
		       c.lesson_ids[0]),
		MANY - 1);
	arena_done(&alone.arena);

	struct reordering both[2] = {{.t = t, .c = &c}, {.t = t, .c = &c, .creates = true}};
	for (int i = 0; i < 2; i++)
		arena_init(&both[i].arena, 4 << 20);
	threads_run(2, reverse_or_create, both, sizeof(both[0]));
	assert_ok(both[1].r, &both[1].err);
	if (both[0].r < 0)
		assert_reason(both[0].r, &both[0].err, "ORDER_INCOMPLETE");
	assert_in_order(t, &c);
	for (int i = 0; i < 2; i++)
		arena_done(&both[i].arena);

	const int64_t start = now_us();
	testserver_publish(t, &teacher, &c);
	print_message("%d lessons submitted and published in %" PRId64 " ms\n", MANY,
		      (now_us() - start) / 1000);
	assert_int_equal(
		number(t, "SELECT COUNT(*) FROM lesson_revision WHERE revision = 1 AND course_id = %" PRId64,
		       c.course_id),
		MANY);
}

/* --- what was published --- */

static void what_was_published_stays(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;
	struct error err;

	testserver_course(t, &teacher, 0, (const int[]){LESSON_EXERCISE, LESSON_LIVE, 0}, &c);
	const char *title = list(t, &c, 0)->lessons[0]->title;
	rename_lesson(t, c.lessons[0], "Changed");
	create_section(t, &c);
	int r = testserver_delete_lesson(t, &t->arena, &teacher, c.lessons[1], &err);
	assert_ok(r, &err);
	assert_int_equal(list(t, &c, 0)->n_lessons, 2);
	assert_int_equal(list(t, &c, 0)->n_sections, 0);
	assert_string_equal(list(t, &c, 0)->lessons[0]->title, title);
	assert_int_equal(list(t, &c, 2)->n_lessons, 1);
	assert_int_equal(list(t, &c, 2)->n_sections, 1);
	assert_string_equal(list(t, &c, 2)->lessons[0]->title, "Changed");
	testserver_publish(t, &teacher, &c);
	assert_int_equal(list(t, &c, 1)->n_lessons, 1);
	assert_string_equal(list(t, &c, 1)->lessons[0]->title, "Changed");
	assert_int_equal(
		number(t, "SELECT COUNT(*) FROM lesson_revision WHERE revision = 1 AND course_id = %" PRId64,
		       c.course_id),
		2);
}

/* What revision `n` changed: a digit each for lessons added, removed, changed, moved, and sections likewise.
 */
static int64_t counted(struct testserver *t, const struct testcourse *c, int n)
{
	return number(t,
		      "SELECT CONCAT(lessons_added, lessons_removed, lessons_changed, lessons_moved,"
		      " sections_added, sections_removed, sections_changed, sections_moved) + 0"
		      " FROM course_revision WHERE revision = %d AND course_id = %" PRId64,
		      n, c->course_id);
}

static void what_a_revision_changed_is_counted(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;
	struct error err;
	const int kinds[] = {LESSON_EXERCISE, LESSON_EXERCISE, LESSON_EXERCISE, LESSON_EXERCISE, 0};

	testserver_course(t, &teacher, 0, kinds, &c);
	assert_int_equal(counted(t, &c, 1), 40000000);
	rename_lesson(t, c.lessons[0], "Changed");
	create_section(t, &c);
	create_section(t, &c);
	int r = testserver_delete_lesson(t, &t->arena, &teacher, c.lessons[1], &err);
	assert_ok(r, &err);
	testdb_do(
		t->db,
		"INSERT INTO lesson_content SELECT course_id, 0, lesson_id, 3, 77 FROM lesson WHERE lesson_id = %" PRId64,
		c.lesson_ids[2]);
	testdb_do(t->db,
		  "UPDATE lesson_revision r SET section_id = (SELECT MAX(section_id) FROM section s WHERE"
		  " s.course_id = r.course_id) WHERE revision = 0 AND lesson_id = %" PRId64,
		  c.lesson_ids[3]);
	testserver_publish(t, &teacher, &c);
	assert_int_equal(counted(t, &c, 2), 1212000); /* the first renamed, the third with a file */

	rename_lesson(t, c.lessons[0], "Once more");
	testdb_do(t->db,
		  "UPDATE lesson_revision SET position = 9 WHERE revision = 0 AND lesson_id = %" PRId64,
		  c.lesson_ids[0]);
	testdb_do(t->db,
		  "UPDATE lesson_revision SET position = 1 WHERE revision = 0 AND lesson_id = %" PRId64,
		  c.lesson_ids[2]);
	testdb_do(t->db,
		  "UPDATE lesson_revision SET position = 2 WHERE revision = 0 AND lesson_id = %" PRId64,
		  c.lesson_ids[0]);
	testdb_do(t->db, "DELETE FROM lesson_content WHERE revision = 0 AND lesson_id = %" PRId64,
		  c.lesson_ids[2]);
	testdb_do(
		t->db,
		"UPDATE section SET title = 'Other' WHERE revision = 0 AND position = 2 AND course_id = %" PRId64,
		c.course_id);
	testserver_publish(t, &teacher, &c);
	assert_int_equal(counted(t, &c, 3), 220010);

	rename_lesson(t, c.lessons[0], "At last");
	testdb_do(t->db,
		  "UPDATE lesson_revision SET section_id = 0 WHERE revision = 0 AND lesson_id = %" PRId64,
		  c.lesson_ids[3]);
	testdb_do(t->db, "DELETE FROM section WHERE revision = 0 AND position = 1 AND course_id = %" PRId64,
		  c.course_id);
	testserver_publish(t, &teacher, &c);
	assert_int_equal(counted(t, &c, 4), 110100);
}

static int complete(struct testserver *t, const char *lesson_id, struct error *err)
{
	const struct client_call_options options = as(&learner);
	RecordProgressRequest req = RECORD_PROGRESS_REQUEST_INIT;
	RecordProgressResponse *ret;
	Google__Protobuf__Timestamp now = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	char session[37];

	now.seconds = time(NULL);
	req.lesson_id = (char *)lesson_id;
	req.session_id = new_request_id(session);
	req.client_time = req.session_start_time = &now;
	req.completed = true;
	return edu_service_record_progress_call(t->channel, &req, &options, &t->arena, &ret, err);
}

static void what_was_deleted_no_longer_counts(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;
	struct error err;

	testserver_course(t, &teacher, 0, (const int[]){LESSON_EXERCISE, LESSON_LIVE, LESSON_EXERCISE, 0},
			  &c);
	(void)testserver_enroll(t, &learner, c.id);
	for (int i = 0; i < 2; i++) {
		int r = complete(t, c.lessons[i], &err);
		assert_ok(r, &err);
	}
	int r = testserver_delete_lesson(t, &t->arena, &teacher, c.lessons[0], &err);
	assert_ok(r, &err);
	assert_int_equal(testserver_enroll(t, &learner, c.id)->lessons_completed, 2);
	assert_int_equal(testserver_enroll(t, &learner, c.id)->lessons_total, 3);
	r = complete(t, c.lessons[0], &err);
	assert_ok(r, &err);

	testserver_publish(t, &teacher, &c);
	assert_int_equal(testserver_enroll(t, &learner, c.id)->lessons_completed, 1);
	assert_int_equal(testserver_enroll(t, &learner, c.id)->lessons_total, 2);
	r = complete(t, c.lessons[0], &err);
	assert_reason(r, &err, "LESSON_NOT_FOUND");
	r = complete(t, c.lessons[1], &err);
	assert_ok(r, &err);
	assert_int_equal(
		number(t, "SELECT COUNT(*) FROM progress_lesson WHERE lesson_id = %" PRId64, c.lesson_ids[0]),
		1);
}

/* --- pages from memory --- */

enum { LESSONS = 25 }; /* two pages */

struct looks {
	int64_t hits, misses;
};

static struct looks looks(void)
{
	static const char labels[] = "cache=\"lesson_pages\"";
	return (struct looks){metric_value(metric_counter("edu_cache_hits_total", "", labels)),
			      metric_value(metric_counter("edu_cache_misses_total", "", labels))};
}

/* What was looked for since `before`, which becomes now. */
static void assert_looks(struct looks *before, int hits, int misses)
{
	const struct looks now = looks();

	assert_int_equal(now.hits - before->hits, hits);
	assert_int_equal(now.misses - before->misses, misses);
	*before = now;
}

static ListLessonsResponse *page_of(struct testserver *t, const struct testcourse *c, int size,
				    const char *token)
{
	const struct client_call_options options = as(&learner);
	ListLessonsRequest req = LIST_LESSONS_REQUEST_INIT;
	ListLessonsResponse *ret;
	struct error err;

	req.course_id = (char *)c->id;
	req.page_size = size;
	req.page_token = (char *)token;
	int r = edu_service_list_lessons_call(t->channel, &req, &options, &t->arena, &ret, &err);
	assert_ok(r, &err);
	return ret;
}

static void publish_many(struct testserver *t, struct testcourse *c)
{
	struct error err;

	testserver_draft(t, &teacher, 0, (const int[]){LESSON_EXERCISE, 0}, c);
	(void)create_section(t, c);
	for (int i = 1; i < LESSONS; i++) {
		int r = create_lesson(t, &t->arena, c->id, (char *)"", &err);
		assert_ok(r, &err);
	}
	testserver_publish(t, &teacher, c);
	usleep(US); /* what the feed tells of it drops what is remembered once more */
}

static void assert_same_page(const ListLessonsResponse *a, const ListLessonsResponse *b)
{
	assert_int_equal(a->n_lessons, b->n_lessons);
	for (size_t i = 0; i < a->n_lessons; i++)
		assert_string_equal(a->lessons[i]->lesson_id, b->lessons[i]->lesson_id);
	assert_int_equal(a->n_sections, b->n_sections);
	assert_string_equal(a->etag, b->etag);
	assert_int_equal(!*a->next_page_token, !*b->next_page_token);
}

static void pages_come_from_memory(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;

	publish_many(t, &c);
	struct looks before = looks();
	const ListLessonsResponse *first = page_of(t, &c, 0, "");
	assert_looks(&before, 0, 1);
	assert_int_equal(first->n_lessons, 20);
	assert_int_equal(first->n_sections, 1);
	assert_same_page(page_of(t, &c, 20, ""), first);
	assert_looks(&before, 1, 0);
	const ListLessonsResponse *second = page_of(t, &c, 0, first->next_page_token);
	assert_looks(&before, 0, 1);
	assert_int_equal(second->n_lessons, LESSONS - 20);
	assert_int_equal(second->lessons[0]->position, 21);
	assert_int_equal(second->n_sections, 0);
	assert_string_equal(second->next_page_token, "");
	assert_same_page(page_of(t, &c, 0, page_of(t, &c, 0, "")->next_page_token), second);
	assert_looks(&before, 2, 0);
	assert_int_equal(page_of(t, &c, 1000, "")->n_lessons, LESSONS);
	assert_int_equal(page_of(t, &c, 100, "")->n_lessons, LESSONS);
	assert_looks(&before, 1, 1);
}

/* Of sizes and beginnings of his own nobody makes the server keep anything. */
static void pages_of_other_sizes_are_not_kept(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;

	publish_many(t, &c);
	struct looks before = looks();
	for (int size = 1; size < 20; size++) {
		const ListLessonsResponse *first = page_of(t, &c, size, "");

		assert_int_equal(first->n_lessons, size);
		assert_int_equal(page_of(t, &c, 0, first->next_page_token)->lessons[0]->position, size + 1);
	}
	(void)list(t, &c, EDU__V1__COURSE_VIEW__COURSE_VIEW_DRAFT);
	assert_looks(&before, 0, 0);
}

static void a_publication_drops_pages_and_parts_none(void **state)
{
	struct testserver *t = *state, *other = testserver_replica(t);
	struct testcourse c;

	publish_many(t, &c);
	const ListLessonsResponse *first = page_of(t, &c, 0, "");
	const ListLessonsResponse *second = page_of(t, &c, 0, first->next_page_token);
	assert_same_page(page_of(other, &c, 0, ""), first);
	assert_same_page(page_of(other, &c, 0, first->next_page_token), second);
	rename_lesson(t, first->lessons[0]->lesson_id, "New first");
	rename_lesson(t, second->lessons[4]->lesson_id, "New last");
	assert_string_not_equal(page_of(t, &c, 0, "")->etag, first->etag);
	assert_string_not_equal(page_of(t, &c, 0, "")->lessons[0]->title, "New first");

	testserver_publish(t, &teacher, &c);
	const int64_t published_us = now_us();
	for (int twice = 0; twice < 2; twice++) {
		const ListLessonsResponse *now = page_of(t, &c, 0, "");

		assert_string_equal(now->lessons[0]->title, "New first");
		assert_string_equal(page_of(t, &c, 0, now->next_page_token)->lessons[4]->title, "New last");
		assert_string_equal(page_of(t, &c, 0, first->next_page_token)->lessons[4]->title,
				    second->lessons[4]->title);
	}
	while (strcmp(page_of(other, &c, 0, "")->lessons[0]->title, "New first") != 0) {
		assert_true(now_us() - published_us < US);
		usleep(5000);
	}
	assert_string_equal(page_of(other, &c, 0, first->next_page_token)->lessons[4]->title,
			    second->lessons[4]->title);
	testserver_replica_free(other);
}

static int setup(void **state)
{
	int r = testserver_setup(state);
	struct testserver *t = *state;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &teacher);
	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	testserver_user(t, NULL, 0, &learner);
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(of_two_editors_one_is_told, testserver_reset_after),
		cmocka_unit_test_teardown(any_changes_leave_no_gap, testserver_reset_after),
		cmocka_unit_test_teardown(an_order_of_many_is_whole, testserver_reset_after),
		cmocka_unit_test_teardown(what_was_published_stays, testserver_reset_after),
		cmocka_unit_test_teardown(what_a_revision_changed_is_counted, testserver_reset_after),
		cmocka_unit_test_teardown(what_was_deleted_no_longer_counts, testserver_reset_after),
		cmocka_unit_test_teardown(pages_come_from_memory, testserver_reset_after),
		cmocka_unit_test_teardown(pages_of_other_sizes_are_not_kept, testserver_reset_after),
		cmocka_unit_test_teardown(a_publication_drops_pages_and_parts_none, testserver_reset_after),
	};
	return cmocka_run_group_tests(tests, setup, testserver_teardown);
}
