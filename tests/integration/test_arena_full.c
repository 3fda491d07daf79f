/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call's memory may be full at any moment. Whatever is left of it, a store gives an answer that is whole or
 * MESSAGE_TOO_LARGE, never half of one: what is half read would be half written back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/access/access_store.h"
#include "server/access/enrollment.h"
#include "server/course/course_revision.h"
#include "server/course/course_store.h"
#include "server/course/lesson_store.h"
#include "server/db/idem.h"
#include "server/purchase/purchase_store.h"
#include "server/quiz/quiz_store.h"
#include "server/search/catalogue_store.h"
#include "server/user/session_store.h"
#include "server/user/user_store.h"
#include "tests/lib/testdb.h"

enum { ENOUGH = 64 * 1024, STEP = 16, ID = 7, NOW = 1000 };

static const struct db_stmt_list *const lists[] = {
	&user_stmts,      &session_stmts, &course_stmts,      &course_revision_stmts,
	&catalogue_stmts, &lesson_stmts,  &lesson_info_stmts, &purchase_stmts,
	&idem_stmts,      &access_stmts,  &quiz_stmts,        NULL,
};

static struct db_conn *conn;

static int setup(void **state)
{
	testdb_setup(state);
	conn = testdb_connect(*state, lists);
	testdb_run(
		conn,
		"INSERT INTO user VALUES (7, 'ada', 'ada@example.org', NULL, 'Ada', 'bio', 'en', 'Asia/Tokyo', 'hash', 1,"
		" DEFAULT, 1, 1, 1, 1, 1)");
	testdb_run(
		conn,
		"INSERT INTO session VALUES (7, 7, 1, 9000000, 'from', NULL, REPEAT('f', 32), REPEAT('s', 32),"
		" REPEAT('n', 16), 1, 9000000)");
	testdb_run(
		conn,
		"INSERT INTO course (course_id, creator_id, external_id, title, summary, description,"
		" objectives, audience, prerequisites, subject_id, level, language, license, pricing,"
		" planned_learning_hours, stage, lesson_count, version, revision, create_time, update_time, publish_time)"
		" VALUES (7, 7, 'key', 'Title', 'Summary', 'Description', '[\"one\", \"two\"]', 'All', "
		"'None',"
		" 9, 1, 'en', 'free', 2, 0, 5, 1, 1, 1, 1, 1, 1)");
	testdb_run(conn,
		   "INSERT INTO course_revision VALUES (7, 0, 'New title', 'Summary', 'Description',"
		   " '[\"three\"]', 'All', 'None', 9, 1, 'en', 'free', 0,"
		   " '[{\"user_id\":7,\"share_basis_points\":1},{\"user_id\":8,\"share_basis_points\":2}]',"
		   " '[]', 0, 0, 0, 0, 0, 0, 0, 0, NULL)");
	testdb_run(conn, "INSERT INTO course_instructor VALUES (7, 7, 1, 10000)");
	testdb_run(conn, "INSERT INTO course_price VALUES (7, 'EUR', 100, 1)");
	testdb_run(conn, "INSERT INTO lesson VALUES (7, 7, 2, 1, 0)");
	testdb_run(
		conn,
		"INSERT INTO lesson_revision VALUES (7, 1, 7, 0, 'key', 'Lesson', 0, 1, 1, 0, NULL, 0, 7, 1)");
	testdb_run(conn, "INSERT INTO quiz VALUES (7, 7, 7, 7, 1, 'shown', 'whole')");
	testdb_run(conn, "INSERT INTO enrollment (user_id, course_id, start_time) VALUES (7, 7, 1)");
	testdb_run(
		conn,
		"INSERT INTO access_grant (user_id, scope_kind, scope_id, grant_id, source_kind, source_id,"
		" start_time, expire_time) VALUES (7, 1, 7, 7, 2, 1, 1, 10), (7, 2, 9, 8, 6, 1, 40, 60)");
	testdb_run(conn,
		   "INSERT INTO catalogue_course (course_id, catalogue_id, start_time) VALUES (7, 9, 30)");
	testdb_run(conn, "INSERT INTO idempotency VALUES (7, 1, REPEAT('r', 16), REPEAT('b', 32), 'reply', "
			 "1, 9000000)");
	return 0;
}

static int teardown(void **state)
{
	db_close(conn);
	return testdb_teardown(state);
}

/* Reads into the arena and looks at all of it: 0, or what the store returned. */
typedef int (*reading)(struct arena *arena, struct error *err);

/* With every cap from none to enough; the arena is full after the first refusal, as a call's is. */
static void sweep(reading read)
{
	int answered = 0, refused = 0;

	for (size_t cap = 0; cap <= ENOUGH && !answered; cap += STEP) {
		struct arena arena;
		struct error err;

		arena_init(&arena, cap);
		int r = read(&arena, &err);
		if (r < 0) {
			assert_int_equal(r, -STATUS_RESOURCE_EXHAUSTED);
			assert_ptr_equal(err.reason, &RPC_REASON_MESSAGE_TOO_LARGE);
			refused++;
		} else {
			answered++;
		}
		arena_done(&arena);
	}
	assert_int_equal(answered, 1);
	assert_true(refused > 0);
}

static int whole_user(struct arena *arena, struct error *err)
{
	struct user u;
	int r = user_store_read(conn, arena, ID, &u, err);

	if (r < 0)
		return r;
	assert_string_equal(u.user_name, "ada");
	assert_string_equal(u.email, "ada@example.org");
	assert_string_equal(u.display_name, "Ada");
	assert_string_equal(u.bio, "bio");
	assert_string_equal(u.language, "en");
	assert_string_equal(u.time_zone, "Asia/Tokyo");
	assert_string_equal(u.password_hash, "hash");
	return 0;
}

static int whole_session(struct arena *arena, struct error *err)
{
	struct session session;
	struct refresh_stored expected;

	int r = session_store_lock(conn, arena, ID, &session, err);
	if (r < 0)
		return r;
	assert_int_equal(r, 1);
	memset(expected.session_hash, 'f', sizeof(expected.session_hash));
	memset(expected.newest_hash, 's', sizeof(expected.newest_hash));
	memset(expected.nonce, 'n', sizeof(expected.nonce));
	assert_memory_equal(&session.tokens, &expected, sizeof(expected));
	assert_memory_equal(session.source.data, "from", session.source.len);
	return 0;
}

static void check_listed(const struct course *c)
{
	assert_string_equal(c->title, "Title");
	assert_string_equal(c->external_id, "key");
	assert_string_equal(c->summary, "Summary");
	assert_int_equal(c->subject_id, 9);
	assert_string_equal(c->language, "en");
	assert_string_equal(c->license, "free");
	assert_int_equal(c->n_instructors, 1);
	assert_int_equal(c->n_prices, 1);
}

static int whole_course(struct arena *arena, struct error *err)
{
	struct course c;
	int r = course_store_lock(conn, arena, ID, &c, err);

	if (r < 0)
		return r;
	check_listed(&c);
	assert_string_equal(c.description, "Description");
	assert_string_equal(c.audience, "All");
	assert_string_equal(c.prerequisites, "None");
	assert_int_equal(c.n_objectives, 2);
	assert_string_equal(c.objectives[0], "one");
	assert_string_equal(c.objectives[1], "two");
	assert_string_equal(c.beside->title, "New title");
	assert_int_equal(c.beside->n_objectives, 1);
	assert_string_equal(c.beside->objectives[0], "three");
	assert_int_equal(c.beside->n_instructors, 2);
	assert_int_equal(c.beside->instructors[1].user_id, 8);
	return 0;
}

static int whole_terms(struct arena *arena, struct error *err)
{
	struct course_terms terms;
	int r = course_terms_read(conn, arena, ID, "EUR", &terms, err);

	if (r == 0)
		assert_string_equal(terms.title, "Title");
	return r;
}

static int whole_page(struct arena *arena, struct error *err)
{
	const struct course_filter filter = {.state = COURSE_PUBLISHED, .by_title = true};
	struct course *courses;
	unsigned n;
	bool cut;
	int r = catalogue_store_list(conn, arena, &filter, 2, &courses, &n, &cut, err);

	if (r < 0)
		return r;
	assert_int_equal(n, 1);
	check_listed(&courses[0]);
	return 0;
}

static int whole_lessons(struct arena *arena, struct error *err)
{
	struct lesson *lessons;
	unsigned n;
	int r = lesson_store_list(conn, arena, ID, 1, NULL, 0, 2, &lessons, &n, err);

	if (r < 0)
		return r;
	assert_int_equal(n, 1);
	assert_string_equal(lessons[0].title, "Lesson");
	assert_string_equal(lessons[0].external_id, "key");
	return 0;
}

static struct request_key stored_key(void)
{
	struct request_key key = {.present = true, .principal_id = ID, .method = 1};

	memset(key.request_id, 'r', sizeof(key.request_id));
	memset(key.body_hash, 'b', sizeof(key.body_hash));
	return key;
}

static int whole_quiz(struct arena *arena, struct error *err)
{
	struct quiz_found found;
	int r = quiz_store_read(conn, arena, ID, 1, ID, true, &found, err);

	if (r < 0)
		return r;
	assert_int_equal(r, 1);
	assert_int_equal(found.packed.len, 5);
	assert_memory_equal(found.packed.data, "whole", 5);
	return 0;
}

static int whole_reply(struct arena *arena, struct error *err)
{
	const struct request_key key = stored_key();
	struct span reply;
	int r = idem_claim(conn, &key, NOW, NOW, arena, &reply, err);

	if (r < 0)
		return r;
	assert_int_equal(r, 1);
	assert_memory_equal(reply.data, "reply", reply.len);
	return 0;
}

static int whole_earlier(struct arena *arena, struct error *err)
{
	const struct request_key key = stored_key();
	struct purchase_result result;
	int r = purchase_store_earlier(conn, arena, &key, NOW, ID, ID, &result, err);

	if (r < 0)
		return r;
	assert_int_equal(result.outcome, PURCHASE_REPLAYED);
	assert_memory_equal(result.reply.data, "reply", result.reply.len);
	return 0;
}

static bool opened_by_both(const struct access *a, const void *arg)
{
	return access_covers(a, 5) && access_covers(a, 50);
}

/* By a grant of the course, and by one of a catalogue. */
static int whole_access(struct arena *arena, struct error *err)
{
	const struct access_query q = {ID, ID, opened_by_both, NULL};
	struct cache *cache = cache_new(1 << 16, NULL);
	struct access access;

	assert_non_null(cache);
	int r = access_read(cache, conn, arena, &q, NOW, &access, err);
	if (r >= 0) {
		assert_int_equal(r, 1);
		assert_true(access.enrolled);
	}
	cache_free(cache);
	return r < 0 ? r : 0;
}

static int whole_accesses(struct arena *arena, struct error *err)
{
	unsigned n;
	const struct enrollment_access *a = enrollment_accesses(arena, "7:0:1:9:100:0:0,8:0:1:9:200:0:0", &n);

	if (!a)
		return arena_full(err);
	assert_int_equal(n, 2);
	assert_int_equal(a[0].grant_id, 8);
	return 0;
}

static void test_every_reading_is_whole_or_refused(void **state)
{
	const reading readings[] = {
		whole_user,  whole_session, whole_course, whole_terms,    whole_page, whole_lessons,
		whole_reply, whole_earlier, whole_access, whole_accesses, whole_quiz,
	};

	for (size_t i = 0; i < ARRAY_SIZE(readings); i++)
		sweep(readings[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_reading_is_whole_or_refused)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
