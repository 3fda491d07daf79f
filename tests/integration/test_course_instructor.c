/* SPDX-License-Identifier: Apache-2.0 */
/* GetInstructor: who is shown to everybody, with what, and how soon a change is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <time.h>

#include "edu/v1/edu_service.tables.h"
#include "server/course/course_rating.h"
#include "server/course/lesson.h"
#include "server/user/user_names.h"
#include "tests/lib/testserver.h"

static int get(struct testserver *t, const char *id, Instructor **ret, struct error *err)
{
	struct client_call_options nobody = as(NULL);
	GetInstructorRequest req = GET_INSTRUCTOR_REQUEST_INIT;
	GetInstructorResponse *reply;

	req.instructor_id = (char *)id;
	int r = edu_service_get_instructor_call(t->channel, &req, &nobody, &t->arena, &reply, err);
	if (r >= 0)
		*ret = reply->instructor;
	return r;
}

static void set_user(struct testserver *t, int64_t user_id, const char *set)
{
	struct db_conn *conn = testdb_connect(t->db, NULL);
	char sql[128];
	snprintf(sql, sizeof(sql), "UPDATE user SET %s WHERE user_id = %lld", set, (long long)user_id);
	testdb_run(conn, sql);
	db_close(conn);
}

/* What the feed tells is seen by now, or the test fails. */
#define EVENTUALLY(condition)                                                                                \
	do {                                                                                                 \
		unsigned tries = 0;                                                                          \
		while (!(condition)) {                                                                       \
			assert_true(tries++ < 500);                                                          \
			nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);                            \
		}                                                                                            \
	} while (0)

static const char *name_of(struct testserver *t, const char *id)
{
	Instructor *i;
	struct error err;
	return get(t, id, &i, &err) < 0 ? err.reason->name : i->display_name;
}

static int published(struct testserver *t, const char *id)
{
	Instructor *i;
	struct error err;
	return get(t, id, &i, &err) < 0 ? -1 : i->published_course_count;
}

/* What no event tells is not seen, when it was asked before. */
static void test_it_is_remembered(void **state)
{
	struct testserver *t = *state;
	struct testuser ines;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &ines);
	assert_string_equal(name_of(t, ines.id), ines.name);
	set_user(t, ines.user_id, "display_name = 'Other'");
	assert_string_equal(name_of(t, ines.id), ines.name);
	t->clock.ahead_us = 61 * 1000000;
	assert_string_equal(name_of(t, ines.id), "Other");
	t->clock.ahead_us = 0;
}

static void test_who_is_shown(void **state)
{
	struct testserver *t = *state;
	struct testuser ines, former, learner, suspended;
	struct testcourse c;
	char nobody[ID_TEXT_MAX];
	Instructor *i;
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &ines);
	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &former);
	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &suspended);
	testserver_user(t, NULL, 0, &learner);
	testserver_course(t, &former, 500, (const int[]){LESSON_TEXT, 0}, &c);
	set_user(t, former.user_id, "roles = 1");
	set_user(t, suspended.user_id, "state = 2");

	int r = get(t, ines.id, &i, &err);
	assert_ok(r, &err);
	assert_string_equal(i->user_id, ines.id);
	assert_string_equal(i->display_name, ines.name);
	assert_int_equal(i->published_course_count, 0);
	assert_null(i->rating);
	r = get(t, former.id, &i, &err);
	assert_ok(r, &err);
	assert_int_equal(i->published_course_count, 1);
	r = get(t, learner.id, &i, &err);
	assert_reason(r, &err, "INSTRUCTOR_NOT_FOUND");
	r = get(t, suspended.id, &i, &err);
	assert_reason(r, &err, "INSTRUCTOR_NOT_FOUND");
	r = get(t, id_format(ID_USER, 1, nobody), &i, &err);
	assert_reason(r, &err, "INSTRUCTOR_NOT_FOUND");
	assert_string_equal(err.resource_name, nobody);
	r = get(t, "", &i, &err);
	assert_reason(r, &err, "FIELD_INVALID");
}

/* A change of the profile and of the roles, by events; on another replica too. */
static void test_a_change_is_seen(void **state)
{
	struct testserver *t = *state, *replica = testserver_replica(t);
	struct testuser ines, admin;
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &ines);
	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	struct client_call_options as_ines = as(&ines), as_admin = as(&admin);
	assert_string_equal(name_of(t, ines.id), ines.name);
	assert_string_equal(name_of(replica, ines.id), ines.name);

	UpdateUserRequest update = UPDATE_USER_REQUEST_INIT;
	UpdateUserResponse *updated;
	User change = USER_INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	char *paths[] = {(char *)"display_name"};
	change.display_name = (char *)"伊内斯";
	mask.paths = paths;
	mask.n_paths = 1;
	update.user = &change;
	update.update_mask = &mask;
	int r = edu_service_update_user_call(t->channel, &update, &as_ines, &t->arena, &updated, &err);
	assert_ok(r, &err);
	EVENTUALLY(strcmp(name_of(t, ines.id), "伊内斯") == 0);
	EVENTUALLY(strcmp(name_of(replica, ines.id), "伊内斯") == 0);

	SetUserRolesRequest roles = SET_USER_ROLES_REQUEST_INIT;
	SetUserRolesResponse *set;
	Role learner = EDU__V1__ROLE__ROLE_LEARNER;
	roles.user_id = ines.id;
	roles.roles = &learner;
	roles.n_roles = 1;
	roles.reason = (char *)"teaches no more";
	r = edu_service_set_user_roles_call(t->channel, &roles, &as_admin, &t->arena, &set, &err);
	assert_ok(r, &err);
	EVENTUALLY(strcmp(name_of(t, ines.id), "INSTRUCTOR_NOT_FOUND") == 0);
	EVENTUALLY(strcmp(name_of(replica, ines.id), "INSTRUCTOR_NOT_FOUND") == 0);
	testserver_replica_free(replica);
}

/* What no event tells is seen a minute later. */
static void test_courses_and_their_rating(void **state)
{
	static const struct db_stmt_list *const lists[] = {&course_rating_stmts, NULL};
	struct testserver *t = *state;
	struct testuser ines;
	struct testcourse first, second;
	Instructor *i;
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &ines);
	assert_int_equal(published(t, ines.id), 0);
	testserver_course(t, &ines, 500, (const int[]){LESSON_TEXT, 0}, &first);
	EVENTUALLY(published(t, ines.id) == 1);
	testserver_course(t, &ines, 0, (const int[]){LESSON_TEXT, 0}, &second);
	EVENTUALLY(published(t, ines.id) == 2);

	struct db_conn *conn = testdb_connect(t->db, lists);
	const struct {
		int64_t course_id;
		int stars;
	} reviews[] = {{first.course_id, 5}, {first.course_id, 4}, {second.course_id, 4}};
	for (unsigned n = 0; n < 3; n++)
		assert_int_equal(course_rating_move(conn, reviews[n].course_id, 0, reviews[n].stars, &err),
				 0);
	db_close(conn);
	t->clock.ahead_us = 61 * 1000000;
	int r = get(t, ines.id, &i, &err);
	t->clock.ahead_us = 0;
	assert_ok(r, &err);
	assert_int_equal(i->rating->review_count, 3);
	assert_int_equal(i->rating->average_hundredths, 433);
	assert_int_equal(i->rating->four_stars, 2);
}

/* Newer than any course. */
static void insert_drafts(struct testserver *t, int64_t user_id, unsigned n)
{
	struct db_conn *conn = testdb_connect(t->db, NULL);
	char sql[1024];
	snprintf(
		sql, sizeof(sql),
		"INSERT INTO course (course_id, creator_id, title, summary, description, objectives, audience,"
		" prerequisites, subject_id, level, language, license, pricing, planned_learning_hours, stage,"
		" lesson_count, version, revision, create_time, update_time)"
		" SELECT 9000000000000000000 + seq, %lld, 'Draft', '', '', '[]', '', '', 0, 0, '', '', 0, 0, 1, 0,"
		" 1, 0, 1, 1 FROM seq_1_to_%u",
		(long long)user_id, n);
	testdb_run(conn, "DELETE FROM course WHERE course_id > 9000000000000000000");
	testdb_run(conn, sql);
	testdb_run(conn, "INSERT IGNORE INTO course_instructor SELECT course_id, creator_id, 1, 0 FROM course"
			 " WHERE course_id > 9000000000000000000");
	db_close(conn);
}

/* However many drafts somebody has, so many are looked at. */
static void test_what_is_looked_at_is_bounded(void **state)
{
	struct testserver *t = *state;
	struct testuser ines;
	struct testcourse c;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &ines);
	testserver_course(t, &ines, 500, (const int[]){LESSON_TEXT, 0}, &c);
	EVENTUALLY(published(t, ines.id) == 1);
	for (unsigned drafts = 999; drafts <= 1000; drafts++) {
		insert_drafts(t, ines.user_id, drafts);
		t->clock.ahead_us += 61 * 1000000;
		assert_int_equal(published(t, ines.id), 1000 - drafts);
	}
	t->clock.ahead_us = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_remembered),
		cmocka_unit_test(test_who_is_shown),
		cmocka_unit_test(test_a_change_is_seen),
		cmocka_unit_test(test_courses_and_their_rating),
		cmocka_unit_test(test_what_is_looked_at_is_bounded),
	};
	return cmocka_run_group_tests(tests, testserver_setup, testserver_teardown);
}
