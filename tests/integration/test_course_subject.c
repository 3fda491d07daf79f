/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects: who makes them, that no two share a name, and that a course is of one that there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"
#include "server/course/course_names.h"
#include "tests/lib/testserver.h"

static int make(struct testserver *t, struct arena *arena, const struct testuser *who, const char *name_en,
		const char *name_zh, const char *request_id, Subject **ret, struct error *err)
{
	struct client_call_options options = as(who);
	CreateSubjectRequest req = CREATE_SUBJECT_REQUEST_INIT;
	CreateSubjectResponse *reply;

	req.name_en = (char *)name_en;
	req.name_zh = (char *)name_zh;
	req.request_id = (char *)request_id;
	int r = edu_service_create_subject_call(t->channel, &req, &options, arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->subject;
	return r;
}

static int64_t count(struct testserver *t, const char *what)
{
	char sql[128];
	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM %s", what);
	return testdb_number(t->db, sql);
}

static void test_create_refuses(void **state)
{
	struct testserver *t = *state;
	struct testuser teacher;
	struct error err;
	int64_t before = count(t, "subject");

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &teacher);
	int r = make(t, &t->arena, NULL, "Law", "法律", "", NULL, &err);
	assert_reason(r, &err, "TOKEN_MISSING");
	r = make(t, &t->arena, &teacher, "Law", "法律", "", NULL, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	testserver_token(t, &teacher, ROLE_MASK_ADMIN);
	r = make(t, &t->arena, &teacher, "", "", "", NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "name_en");
	assert_violation(&err, "name_zh");
	r = make(t, &t->arena, &teacher, "Law\n", "法律", "", NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_int_equal(count(t, "subject"), before);
}

/* Each name by itself, folded; the other is named, and nothing is left of what was refused. */
static void test_a_name_has_one_subject(void **state)
{
	static const struct {
		const char *name_en, *name_zh, *field;
	} others[] = {
		{"Economics", "别的", "name_en"},
		{"ECONOMICS", "别的", "name_en"},
		{"\xc3\x89"
		 "conomics",
		 "别的", "name_en"},
		{"Something else", "经济学", "name_zh"},
	};
	struct testserver *t = *state;
	struct testuser admin;
	Subject *first, *other;
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	int r = make(t, &t->arena, &admin, "Economics", "经济学", "", &first, &err);
	assert_ok(r, &err);
	assert_string_equal(first->name_en, "Economics");
	assert_string_equal(first->name_zh, "经济学");
	int64_t subjects = count(t, "subject"), audits = count(t, "audit WHERE action = 'CreateSubject'");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		r = make(t, &t->arena, &admin, others[i].name_en, others[i].name_zh, "", NULL, &err);
		assert_reason(r, &err, "SUBJECT_NAME_IN_USE");
		assert_string_equal(err.resource_name, first->subject_id);
		assert_string_equal(err.metadata[0].value, others[i].field);
	}
	assert_int_equal(count(t, "subject"), subjects);
	assert_int_equal(count(t, "audit WHERE action = 'CreateSubject'"), audits);
	/* A name in Chinese that another has in English is its own. */
	r = make(t, &t->arena, &admin, "经济学", "Economics", "", &other, &err);
	assert_ok(r, &err);
}

static void test_create_repeats(void **state)
{
	struct testserver *t = *state;
	struct testuser admin;
	char request_id[37];
	Subject *first, *again;
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	new_request_id(request_id);
	int r = make(t, &t->arena, &admin, "History", "历史", request_id, &first, &err);
	assert_ok(r, &err);
	r = make(t, &t->arena, &admin, "History", "历史", request_id, &again, &err);
	assert_ok(r, &err);
	assert_string_equal(again->subject_id, first->subject_id);
	r = make(t, &t->arena, &admin, "Histories", "历史", request_id, &again, &err);
	assert_reason(r, &err, "REQUEST_ID_REUSED");
}

enum { RACERS = 8 };

struct racer {
	struct testserver *t;
	const struct testuser *admin;
	pthread_t thread;
	struct arena arena;
	struct error err;
	int r;
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	racer->r = make(racer->t, &racer->arena, racer->admin, "Racing", "赛跑", "", NULL, &racer->err);
	return NULL;
}

static void test_a_race_makes_one(void **state)
{
	struct testserver *t = *state;
	struct testuser admin;
	struct racer racers[RACERS];
	unsigned made = 0;

	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	for (unsigned i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){.t = t, .admin = &admin};
		arena_init(&racers[i].arena, 1 << 20);
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (unsigned i = 0; i < RACERS; i++) {
		pthread_join(racers[i].thread, NULL);
		made += racers[i].r == 0;
		if (racers[i].r < 0)
			assert_reason(racers[i].r, &racers[i].err, "SUBJECT_NAME_IN_USE");
		arena_done(&racers[i].arena);
	}
	assert_int_equal(made, 1);
	assert_int_equal(count(t, "subject WHERE name_en = 'Racing'"), 1);
}

/* All of them, in pages, whoever asks; each once, in the order they were made. */
static void test_list(void **state)
{
	struct testserver *t = *state;
	struct client_call_options nobody = as(NULL);
	ListSubjectsRequest req = LIST_SUBJECTS_REQUEST_INIT;
	ListSubjectsResponse *page;
	char id[ID_TEXT_MAX], last[ID_TEXT_MAX] = "";
	unsigned n = 0;
	struct error err;

	for (unsigned i = 0; i < 5; i++) {
		char name[32];
		snprintf(name, sizeof(name), "Listed %u", i);
		testserver_subject(t, name, id);
	}
	req.page_size = 3;
	do {
		int r = edu_service_list_subjects_call(t->channel, &req, &nobody, &t->arena, &page, &err);
		assert_ok(r, &err);
		for (size_t i = 0; i < page->n_subjects; i++, n++) {
			assert_true(strcmp(page->subjects[i]->subject_id, last) > 0);
			assert_true(*page->subjects[i]->name_en && *page->subjects[i]->name_zh);
			snprintf(last, sizeof(last), "%s", page->subjects[i]->subject_id);
		}
		req.page_token = page->next_page_token;
	} while (*req.page_token);
	assert_int_equal(n, count(t, "subject"));
	assert_string_equal(last, id);
	req.page_token = (char *)"AAAA";
	int r = edu_service_list_subjects_call(t->channel, &req, &nobody, &t->arena, &page, &err);
	assert_reason(r, &err, "PAGE_TOKEN_INVALID");
}

static void test_a_course_is_of_one_that_there_is(void **state)
{
	struct testserver *t = *state;
	struct testuser teacher;
	char nothing[ID_TEXT_MAX];
	CreateCourseRequest req = CREATE_COURSE_REQUEST_INIT;
	CreateCourseResponse *made;
	UpdateCourseRequest update = UPDATE_COURSE_REQUEST_INIT;
	UpdateCourseResponse *updated;
	Course change = COURSE_INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	char *paths[] = {(char *)"subject_id"};
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &teacher);
	struct client_call_options options = as(&teacher);
	req.title = (char *)"A course";
	req.subject_id = id_format(ID_SUBJECT, 1, nothing);
	int r = edu_service_create_course_call(t->channel, &req, &options, &t->arena, &made, &err);
	assert_reason(r, &err, "SUBJECT_NOT_FOUND");
	assert_string_equal(err.resource_name, nothing);
	req.subject_id = t->subject;
	r = edu_service_create_course_call(t->channel, &req, &options, &t->arena, &made, &err);
	assert_ok(r, &err);
	assert_string_equal(made->course->subject_id, t->subject);

	change.course_id = made->course->course_id;
	change.subject_id = nothing;
	mask.paths = paths;
	mask.n_paths = 1;
	update.course = &change;
	update.update_mask = &mask;
	r = edu_service_update_course_call(t->channel, &update, &options, &t->arena, &updated, &err);
	assert_reason(r, &err, "SUBJECT_NOT_FOUND");
	change.subject_id = (char *)"";
	r = edu_service_update_course_call(t->channel, &update, &options, &t->arena, &updated, &err);
	assert_ok(r, &err);
	assert_string_equal(updated->course->subject_id, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_refuses),
		cmocka_unit_test(test_a_name_has_one_subject),
		cmocka_unit_test(test_create_repeats),
		cmocka_unit_test(test_a_race_makes_one),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_a_course_is_of_one_that_there_is),
	};
	return cmocka_run_group_tests(tests, testserver_setup, testserver_teardown);
}
