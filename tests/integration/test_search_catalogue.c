/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue as callers see it: what words find among some courses that were written by hand and thousands
 * that were not, and what another replica, a restart and changes make of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/app/due_kinds.h"
#include "server/base/clock.h"
#include "server/course/lesson.h"
#include "tests/lib/testserver.h"

enum { GENERATED = 3000, KEYS_MAX = 64, FIRST_KEY = 1000000 };

/* --- the courses --- */

static struct {
	char name[32];
	int64_t course_id;
} keys[KEYS_MAX];
static unsigned n_keys;

static void add_course(struct db_conn *conn, int64_t id, const char *title, const char *summary)
{
	char sql[4096];
	snprintf(
		sql, sizeof(sql),
		"INSERT INTO course (course_id, creator_id, title, summary, description, objectives, audience,"
		" prerequisites, subject_id, level, language, license, pricing, planned_learning_hours, stage,"
		" lesson_count, version, revision, create_time, update_time, publish_time)"
		" VALUES (%lld, 1, '%s', '%s', '', '[]', '', '', 0, %lld, 'en', '', 1, 0, 3, 1, 1, 1, 1, 1, 1);",
		(long long)id, title, summary, (long long)(1 + id % 3));
	testdb_run(conn, sql);
}

/* Calls `take` with the columns of each line that is no comment. */
static void read_table(const char *name, void (*take)(void *arg, char **columns), void *arg)
{
	char path[512], line[2048];
	snprintf(path, sizeof(path), "%s/%s", TEST_DATA_DIR, name);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		char *columns[3] = {0}, *rest = line;
		line[strcspn(line, "\n")] = '\0';
		if (*line == '#')
			continue;
		for (unsigned i = 0; i < ARRAY_SIZE(columns); i++)
			columns[i] = strsep(&rest, "\t");
		take(arg, columns);
	}
	fclose(in);
}

static void take_course(void *arg, char **columns)
{
	assert_true(n_keys < KEYS_MAX);
	keys[n_keys].course_id = FIRST_KEY + n_keys;
	snprintf(keys[n_keys].name, sizeof(keys[n_keys].name), "%s", columns[0]);
	for (unsigned i = 1; i < 3; i++)
		for (char *p = columns[i]; (p = strchr(p, '\''));)
			*p = '`'; /* no quote in a statement; put back by the statement below */
	add_course(arg, keys[n_keys++].course_id, columns[1], columns[2]);
}

/* Titles of two languages, none with a word of those by hand. */
static void generate(struct db_conn *conn, int64_t id)
{
	static const char *const how[] = {"Practical", "Everyday", "Illustrated", "Quick", "Complete"};
	static const char *const what[] = {"Gardening", "Pottery", "Sailing", "Cooking",
					   "Knitting",  "Chess",   "Yoga"};
	static const char *const what_zh[] = {"\u56ed\u827a", "\u9676\u827a", "\u822a\u6d77", "\u70f9\u996a",
					      "\u7f16\u7ec7"};
	char title[200];
	if (id % 4)
		snprintf(title, sizeof(title), "%s %s %lld", how[id % 5], what[id % 7], (long long)id);
	else
		snprintf(title, sizeof(title), "%s\u57fa\u7840 %lld", what_zh[id % 5], (long long)id);
	add_course(conn, id, title,
		   id % 10 ? "Tools, materials and patience" : "\u5de5\u5177\u4e0e\u8010\u5fc3");
}

static int setup(void **state)
{
	testserver_setup(state);
	struct testserver *t = *state;
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(conn, "START TRANSACTION");
	for (int64_t id = 1; id <= GENERATED; id++)
		generate(conn, id);
	read_table("search_courses.tsv", take_course, conn);
	testdb_run(conn, "UPDATE course SET title = REPLACE(title, '`', '\\'') WHERE title LIKE '%`%'");
	testdb_run(conn, "COMMIT");
	db_close(conn);
	testserver_restart(t); /* no event tells of them */
	return 0;
}

/* --- asking --- */

struct ids {
	int64_t id[GENERATED + 2000];
	unsigned n;
};

static void list_page(struct testserver *t, ListCoursesRequest *req, ListCoursesResponse **ret)
{
	struct client_call_options nobody = as(NULL);
	struct error err;
	int r = edu_service_list_courses_call(t->channel, req, &nobody, &t->arena, ret, &err);
	assert_ok(r, &err);
}

static void take_page(const ListCoursesResponse *page, struct ids *ret)
{
	for (size_t i = 0; i < page->n_courses; i++)
		assert_true(id_parse("crs", page->courses[i]->course_id, &ret->id[ret->n++]));
}

/* All pages. */
static void list_all(struct testserver *t, ListCoursesRequest req, struct ids *ret)
{
	ListCoursesResponse *page;
	ret->n = 0;
	req.page_size = req.page_size ? req.page_size : 100;
	do {
		list_page(t, &req, &page);
		take_page(page, ret);
		req.page_token = page->next_page_token;
	} while (*page->next_page_token);
}

static unsigned count(struct testserver *t, const char *query)
{
	static struct ids found;
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	req.query = (char *)query;
	list_all(t, req, &found);
	testserver_reset(t);
	return found.n;
}

/* --- words --- */

static int64_t key_id(const char *name)
{
	for (unsigned i = 0; i < n_keys; i++)
		if (strcmp(keys[i].name, name) == 0)
			return keys[i].course_id;
	fail_msg("no course %s", name);
	return 0;
}

static void take_query(void *arg, char **columns)
{
	static struct ids found;
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	unsigned n = 0;
	req.query = columns[0];
	req.page_size = 2;
	list_all(arg, req, &found);
	for (char *name, *rest = columns[1]; (name = strsep(&rest, " |"));) {
		if (!*name)
			continue;
		if (n >= found.n || found.id[n] != key_id(name))
			fail_msg("\"%s\" does not find %s as number %u", columns[0], name, n + 1);
		n++;
	}
	if (n != found.n)
		fail_msg("\"%s\" finds %u and not %u", columns[0], found.n, n);
}

static void test_what_words_find(void **state)
{
	read_table("search_queries.tsv", take_query, *state);
}

static void test_words_of_many(void **state)
{
	struct testserver *t = *state;
	assert_int_equal(count(t, "gardens"),
			 testdb_number(t->db, "SELECT COUNT(*) FROM course WHERE title LIKE '%Gardening%'"));
	assert_int_equal(
		count(t, "\u9676\u827a"),
		testdb_number(t->db, "SELECT COUNT(*) FROM course WHERE title LIKE '\u9676\u827a%'"));
	assert_int_equal(count(t, "patience practical"),
			 testdb_number(t->db, "SELECT COUNT(*) FROM course WHERE summary LIKE '%patience%'"
					      " AND title LIKE 'Practical%'"));
	assert_int_equal(count(t, "\u57fa\u7840 \u8010\u5fc3"),
			 testdb_number(t->db, "SELECT COUNT(*) FROM course WHERE summary LIKE '%\u8010\u5fc3'"
					      " AND title LIKE '%\u57fa\u7840%'"));
	assert_int_equal(count(t, "1234"), 1);
}

/* Every order has every course, and by title they come as the database has them. */
static void test_orders(void **state)
{
	static struct ids found;
	struct testserver *t = *state;
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	for (req.order = 1; req.order <= EDU__V1__COURSE_ORDER__COURSE_ORDER_POPULARITY; req.order++) {
		list_all(t, req, &found);
		assert_int_equal(found.n, GENERATED + n_keys);
		testserver_reset(t);
	}
	req.order = EDU__V1__COURSE_ORDER__COURSE_ORDER_TITLE;
	list_all(t, req, &found);
	char sql[256];
	for (unsigned i = 0; i < found.n; i += 97) {
		snprintf(
			sql, sizeof(sql),
			"SELECT course_id FROM course WHERE state = 3 ORDER BY title_key, course_id LIMIT 1 OFFSET %u",
			i);
		assert_int_equal(found.id[i], testdb_number(t->db, sql));
	}
}

static void refused(struct testserver *t, ListCoursesRequest *req, const char *field)
{
	struct client_call_options nobody = as(NULL);
	ListCoursesResponse *page;
	struct error err;
	int r = edu_service_list_courses_call(t->channel, req, &nobody, &t->arena, &page, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, field);
}

static void test_refuses(void **state)
{
	struct testserver *t = *state;
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	char user[ID_TEXT_MAX];
	req.order = EDU__V1__COURSE_ORDER__COURSE_ORDER_RELEVANCE;
	refused(t, &req, "order");
	req.query = (char *)"x";
	req.instructor_id = id_format("usr", 1, user);
	req.external_id = (char *)"key";
	refused(t, &req, "query");
}

/* --- changes --- */

static bool shows(struct testserver *t, const char *query, int64_t course_id)
{
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *page;
	struct ids found = {.n = 0};
	req.query = (char *)query;
	req.order = EDU__V1__COURSE_ORDER__COURSE_ORDER_NEWEST;
	list_page(t, &req, &page);
	take_page(page, &found);
	for (unsigned i = 0; i < found.n; i++)
		if (found.id[i] == course_id)
			return true;
	return false;
}

/* Within a second, and some time for a busy machine. */
static void await(struct testserver *t, const char *query, int64_t course_id, bool wanted)
{
	for (int64_t until_us = monotonic_us() + 5 * SECOND_US; shows(t, query, course_id) != wanted;
	     usleep(20000))
		if (monotonic_us() > until_us)
			fail_msg("\"%s\" %s it", query, wanted ? "does not show" : "still shows");
}

static void rename_user(struct testserver *t, const struct testuser *user, const char *name)
{
	struct client_call_options options = as(user);
	char *paths[] = {(char *)"display_name"};
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	UpdateUserRequest req = UPDATE_USER_REQUEST_INIT;
	UpdateUserResponse *reply;
	User change = USER_INIT;
	struct error err;
	mask.paths = paths;
	mask.n_paths = 1;
	change.user_id = (char *)user->id;
	change.display_name = (char *)name;
	req.user = &change;
	req.update_mask = &mask;
	int r = edu_service_update_user_call(t->channel, &req, &options, &t->arena, &reply, &err);
	assert_ok(r, &err);
}

static void archive(struct testserver *t, const struct testuser *admin, const char *id, bool back)
{
	struct client_call_options options = as(admin);
	ArchiveCourseRequest archive = ARCHIVE_COURSE_REQUEST_INIT;
	ArchiveCourseResponse *archived;
	UnarchiveCourseRequest unarchive = UNARCHIVE_COURSE_REQUEST_INIT;
	UnarchiveCourseResponse *unarchived;
	struct error err;
	archive.course_id = unarchive.course_id = (char *)id;
	int r = back ? edu_service_unarchive_course_call(t->channel, &unarchive, &options, &t->arena,
							 &unarchived, &err)
		     : edu_service_archive_course_call(t->channel, &archive, &options, &t->arena, &archived,
						       &err);
	assert_ok(r, &err);
}

/* Here at once, elsewhere within a second. */
static void test_two_replicas_and_a_restart(void **state)
{
	struct testserver *t = *state, *other = testserver_replica(t);
	struct testuser teacher, admin;
	struct testcourse c;
	testserver_user(t, "zelda", ROLE_MASK_INSTRUCTOR, &teacher);
	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	for (int i = 0; i < 3; i++) {
		testserver_course(t, &teacher, 500, (const int[]){LESSON_VIDEO, 0}, &c);
		assert_true(shows(t, "zelda", c.course_id));
	}
	await(other, "zelda", c.course_id, true);
	archive(t, &admin, c.id, false);
	assert_false(shows(t, "zelda", c.course_id));
	await(other, "zelda", c.course_id, false);
	archive(other, &admin, c.id, true);
	assert_true(shows(other, "zelda", c.course_id));
	await(t, "zelda", c.course_id, true);
	rename_user(t, &teacher, "Quixote \u5802\u5409");
	await(t, "\u5802\u5409", c.course_id, true);
	await(other, "quixote", c.course_id, true);
	await(other, "zelda", c.course_id, false);
	testserver_replica_free(other);
	archive(t, &admin, c.id, false);
	testserver_restart(t);
	assert_false(shows(t, "quixote", c.course_id));
	archive(t, &admin, c.id, true);
	testserver_restart(t);
	assert_true(shows(t, "quixote", c.course_id));
}

/* Published by SQL, a few at a time, and told as by a call. */
static void insert_more(struct db_conn *conn, int64_t from, unsigned n)
{
	char sql[1024];
	testdb_run(conn, "START TRANSACTION");
	for (int64_t id = from; id < from + n; id++)
		generate(conn, id);
	snprintf(
		sql, sizeof(sql),
		"INSERT INTO event (event_id, kind, subject_id, version, user_id, course_id, organization_id, create_time,"
		" payload) SELECT (UNIX_TIMESTAMP() * 1000 - 1704067200000) * 4194304 + course_id, 'course.published',"
		" course_id, 1, 1, course_id, 0, 1, '' FROM course WHERE course_id BETWEEN %lld AND %lld",
		(long long)from, (long long)from + n - 1);
	testdb_run(conn, sql);
	testdb_run(conn, "COMMIT");
}

static void walk_while_courses_come(struct testserver *t, CourseOrder order, int64_t from)
{
	static unsigned seen[FIRST_KEY];
	enum { MORE = 1000, AT_ONCE = 100 };
	struct db_conn *conn = testdb_connect(t->db, NULL);
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *page;
	unsigned added = 0;
	memset(seen, 0, sizeof(seen));
	req.order = order;
	req.page_size = 97;
	do {
		struct ids found = {.n = 0};
		list_page(t, &req, &page);
		take_page(page, &found);
		for (unsigned i = 0; i < found.n; i++)
			if (found.id[i] < FIRST_KEY)
				seen[found.id[i]]++;
		if (added < MORE) {
			insert_more(conn, from + added, AT_ONCE);
			added += AT_ONCE;
		}
		req.page_token = page->next_page_token;
	} while (*page->next_page_token);
	for (int64_t id = 1; id < from + MORE; id++)
		assert_true(seen[id] <= 1 && (id > GENERATED || seen[id] == 1));
	snprintf(req.query = (char[32]){0}, 32, "%lld", (long long)from + MORE - 1);
	await(t, req.query, from + MORE - 1, true);
	testdb_run(conn, "DELETE FROM course WHERE course_id BETWEEN 3001 AND 999999");
	db_close(conn);
}

static void test_a_walk_while_a_thousand_courses_come(void **state)
{
	struct testserver *t = *state;
	walk_while_courses_come(t, EDU__V1__COURSE_ORDER__COURSE_ORDER_TITLE, 10000);
	testserver_restart(t);
	walk_while_courses_come(t, EDU__V1__COURSE_ORDER__COURSE_ORDER_NEWEST, 20000);
	testserver_restart(t);
}

/* --- what nobody teaches --- */

static void test_what_finds_nothing_is_counted(void **state)
{
	struct testserver *t = *state;
	ListCoursesRequest filtered = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *page;
	assert_int_equal(count(t, "Plugh  XYZZY"), 0);
	assert_int_equal(count(t, "plugh \uff38yzzy"), 0);
	assert_int_equal(count(t, "\u70bc\u91d1\u672f"), 0);
	assert_true(count(t, "chess") > 0);
	filtered.query = (char *)"chess"; /* there are some, though not these */
	filtered.language = (char *)"fi";
	list_page(t, &filtered, &page);
	assert_int_equal(page->n_courses, 0);
	testserver_restart(t);
	assert_int_equal(testdb_number(t->db, "SELECT searches FROM search_miss WHERE query = 'plugh xyzzy'"),
			 2);
	assert_int_equal(
		testdb_number(t->db, "SELECT searches FROM search_miss WHERE query = '\u70bc\u91d1\u672f'"),
		1);
	assert_int_equal(testdb_number(t->db, "SELECT COUNT(*) FROM search_miss WHERE query = 'chess'"), 0);
	assert_int_equal(
		testdb_number(t->db, "SELECT COUNT(*) FROM search_miss WHERE day_time % 86400000000 <> 0"),
		0);
}

/* --- ranks --- */

static void expect_first(struct testserver *t, CourseOrder order, int64_t a, int64_t b)
{
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *page;
	struct ids found = {.n = 0};
	req.order = order;
	list_page(t, &req, &page);
	take_page(page, &found);
	assert_int_equal(found.id[0], a);
	assert_int_equal(found.id[1], b);
}

/* By what is due; replicas read it by themselves. */
static void test_ranks_are_written_now_and_then(void **state)
{
	struct testserver *t = *state;
	char sql[256];
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(
		conn,
		"INSERT INTO enrollment (user_id, course_id, start_time) SELECT seq, 40, 1 FROM seq_1_to_5");
	testdb_run(
		conn,
		"INSERT INTO enrollment (user_id, course_id, start_time) SELECT seq, 2900, 1 FROM seq_1_to_3");
	testdb_run(conn, "INSERT INTO course_rating (course_id, stars_1, stars_2, stars_3, stars_4, stars_5)"
			 " VALUES (50, 0, 0, 0, 0, 1), (60, 0, 0, 0, 9, 5), (70, 4, 0, 0, 0, 0)");
	snprintf(sql, sizeof(sql), "UPDATE due SET due_time = 1 WHERE kind = %d", DUE_COURSE_RANK);
	testdb_run(conn, sql);
	db_close(conn);
	for (int64_t until_us = monotonic_us() + 60 * SECOND_US;
	     testdb_number(t->db, "SELECT COUNT(*) FROM course_rank WHERE rating = 2111 OR popularity = 3") !=
	     2;
	     usleep(50000))
		assert_true(monotonic_us() < until_us);
	assert_int_equal(testdb_number(t->db, "SELECT rating FROM course_rank WHERE course_id = 60"),
			 (4000 * 9 + 5000 * 5 + 15000) / 19);
	testserver_restart(t);
	expect_first(t, EDU__V1__COURSE_ORDER__COURSE_ORDER_POPULARITY, 40, 2900);
	expect_first(t, EDU__V1__COURSE_ORDER__COURSE_ORDER_RATING, 60, 50);
	/* And without a restart. */
	conn = testdb_connect(t->db, NULL);
	testdb_run(conn,
		   "UPDATE course_rank SET popularity = 99, rank_time = UNIX_TIMESTAMP(NOW(6)) * 1000000"
		   " WHERE course_id = 7");
	db_close(conn);
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *page;
	struct ids found = {.n = 0};
	req.order = EDU__V1__COURSE_ORDER__COURSE_ORDER_POPULARITY;
	int64_t until_us = monotonic_us() + 30 * SECOND_US;
	do {
		usleep(200000);
		found.n = 0;
		list_page(t, &req, &page);
		take_page(page, &found);
		assert_true(monotonic_us() < until_us);
	} while (found.id[0] != 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_words_find),
		cmocka_unit_test(test_words_of_many),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_a_walk_while_a_thousand_courses_come),
		cmocka_unit_test(test_two_replicas_and_a_restart),
		cmocka_unit_test(test_what_finds_nothing_is_counted),
		cmocka_unit_test(test_ranks_are_written_now_and_then),
	};
	return cmocka_run_group_tests(tests, setup, testserver_teardown);
}
