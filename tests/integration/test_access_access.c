/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "edu/v1/access.tables.h"
#include "proto/runtime/array.h"
#include "server/access/access.h"
#include "server/access/access_feed.h"
#include "server/access/access_names.h"
#include "server/access/access_store.h"
#include "server/access/enrollment.h"
#include "server/db/table.h"
#include "tests/lib/testdb.h"

/*
 * The law of access on a real database: on chosen rows, and on random ones against an evaluator in SQL that
 * shares nothing with the code but the tables. What is remembered may be older than the rows until the event
 * has come; then it may not.
 */

/* The law by itself, as one reads it. */
static const struct db_stmt law_stmts[] = {
	{"law", "iiiiiiiiii", &db_row_i64,
	 "SELECT EXISTS(SELECT * FROM access_grant g WHERE g.user_id = ?"
	 " AND g.start_time <= ? AND (g.expire_time IS NULL OR ? < g.expire_time)"
	 " AND (g.revoke_time IS NULL OR (? < g.revoke_time AND ? < ?))"
	 " AND ((g.scope_kind = 1 AND g.scope_id = ?) OR (g.scope_kind = 2 AND EXISTS("
	 "  SELECT * FROM catalogue_course h WHERE h.catalogue_id = g.scope_id AND h.course_id = ?"
	 "  AND h.start_time <= ? AND (h.end_time IS NULL OR ? < h.end_time)))))"},
};
static const struct db_stmt_list law_list = {"law", law_stmts, 1};

/* What ListEnrollments reads. */
struct shown {
	char *accesses;
};
#define SHOWN_COLUMNS(F, C, R) F(R, ENROLLMENT_ACCESSES_SQL, TEXT, accesses)
DB_ROW(shown_row, struct shown, SHOWN_COLUMNS);
static const struct db_stmt shown_stmts[] = {
	{"shown", "ii", &shown_row,
	 DB_SELECT(SHOWN_COLUMNS, " FROM enrollment e WHERE e.user_id = ? AND e.course_id = ?")},
};
static const struct db_stmt_list shown_list = {"shown", shown_stmts, 1};

static const struct db_stmt_list *const lists[] = {&access_stmts, &law_list, &shown_list, NULL};

static struct testdb *db;
static struct db_conn *conn;
static struct cache *cache;
static struct arena arena;
static struct error err;

/* Times of these tests are small; the clock stands at NOW. Ids of users and of courses are never the same. */
enum { USER = 100, COURSE = 200, CATALOGUE = 300, NOW = 20, FOREVER = 1000 };

#define sql(...) testdb_runf(conn, __VA_ARGS__)

static int64_t last_grant = 1000000;

/* Times of 0 are none. */
static void grant(int64_t user_id, int scope, int64_t scope_id, int64_t start, int64_t expire, int64_t revoke)
{
	sql("INSERT INTO access_grant (user_id, scope_kind, scope_id, grant_id, source_kind, source_id,"
	    " start_time, expire_time, revoke_time) VALUES (%" PRId64 ", %d, %" PRId64 ", %" PRId64
	    ", 2, 1, %" PRId64 ", NULLIF(%" PRId64 ", 0), NULLIF(%" PRId64 ", 0))",
	    user_id, scope, scope_id, ++last_grant, start, expire, revoke);
}

static void hold(int64_t catalogue_id, int64_t course_id, int64_t start, int64_t end)
{
	sql("INSERT IGNORE INTO catalogue_course (catalogue_id, course_id, start_time, end_time) VALUES"
	    " (%" PRId64 ", %" PRId64 ", %" PRId64 ", NULLIF(%" PRId64 ", 0))",
	    catalogue_id, course_id, start, end);
}

static void tell(const char *kind, int64_t user_id, int64_t course_id)
{
	const struct event e = {.kind = kind, .user_id = user_id, .course_id = course_id};

	access_on_event(cache, &e);
}

static bool covers(const struct access *a, const void *at_us)
{
	return access_covers(a, *(const int64_t *)at_us);
}

static int ask(int64_t user_id, int64_t course_id, access_question asks, int64_t at_us)
{
	const struct access_query q = {user_id, course_id, asks, &at_us};
	struct access a;
	int r = access_read(cache, conn, &arena, &q, NOW, &a, &err);

	assert_in_range(r, 0, 1);
	return r;
}

static bool remembered(int64_t user_id, int64_t course_id, int64_t at_us)
{
	const struct access_query q = {user_id, course_id, covers, &at_us};
	struct access a;

	return access_cached(cache, &arena, &q, &a);
}

static uint64_t round_trips(void)
{
	static uint64_t before;
	uint64_t now = db_counters(conn).round_trips, n = now - before;

	before = now;
	return n;
}

static int clear(void **state)
{
	sql("DELETE FROM access_grant");
	sql("DELETE FROM catalogue_course");
	sql("DELETE FROM enrollment");
	cache_clear(cache);
	arena_reset(&arena);
	return 0;
}

/* --- chosen rows --- */

/* Half-open; the first of expiry and revocation ends it. What was taken away is over now, although the clock
 * of who took it away was ahead. */
static void windows_of_grants_of_a_course(void **state)
{
	static const struct {
		int64_t start, expire, revoke, first, end; /* end 0: none at all */
	} cases[] = {
		{5, 0, 0, 5, FOREVER}, {5, 10, 0, 5, 10}, {5, 10, 7, 5, 7},        {5, 10, 12, 5, 10},
		{5, 0, 5, 0, 0},       {5, 0, 3, 0, 0},   {30, 0, 0, 30, FOREVER}, {5, 0, 25, 5, NOW},
		{5, 40, 35, 5, NOW},   {30, 0, 35, 0, 0},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		clear(NULL);
		grant(USER, ACCESS_SCOPE_COURSE, COURSE, cases[i].start, cases[i].expire, cases[i].revoke);
		for (int64_t t = 0; t < 60; t++) {
			bool covered = cases[i].end && t >= cases[i].first && t < cases[i].end;

			assert_int_equal(ask(USER, COURSE, covers, t), covered);
			assert_int_equal(remembered(USER, COURSE, t), covered);
			assert_int_equal(ask(USER, COURSE, access_began, t),
					 cases[i].end && t >= cases[i].first);
		}
		assert_int_equal(ask(USER + 1, COURSE, covers, cases[i].first), 0);
		assert_int_equal(ask(USER, COURSE + 1, covers, cases[i].first), 0);
	}
}

static void tells_the_enrollment(void **state)
{
	const int64_t at_us = 8;
	const struct access_query q = {USER, COURSE, covers, &at_us},
				  other = {USER, COURSE + 1, covers, &at_us};
	struct access a;

	sql("INSERT INTO enrollment (user_id, course_id, epoch, start_time, epoch_time) VALUES (%d, %d, 3, 5, 7)",
	    USER, COURSE);
	sql("INSERT INTO enrollment (user_id, course_id, start_time) VALUES (%d, %d, 5)", USER, COURSE + 1);
	assert_int_equal(access_read(cache, conn, &arena, &q, NOW, &a, &err), 0);
	for (int i = 0; i < 2; i++) {
		assert_true(a.enrolled);
		assert_int_equal(a.epoch, 3);
		assert_int_equal(a.start_us, 5);
		assert_int_equal(a.epoch_us, 7);
		assert_int_equal(a.n_windows, 0);
		memset(&a, 0, sizeof(a));
		assert_false(access_cached(cache, &arena, &q, &a));
	}
	/* What was never reset began with the access. */
	assert_int_equal(access_read(cache, conn, &arena, &other, NOW, &a, &err), 0);
	assert_int_equal(a.epoch_us, 5);
	/* Who is enrolled had access once. */
	assert_int_equal(ask(USER, COURSE, access_began, 5), 1);
	assert_int_equal(ask(USER, COURSE, access_began, 4), 0);
}

/* A grant of a catalogue opens a course while both windows are open. */
static void windows_of_catalogues_are_put_together(void **state)
{
	grant(USER, ACCESS_SCOPE_CATALOGUE, CATALOGUE, 10, 30, 0);
	hold(CATALOGUE, COURSE, 5, 15);
	hold(CATALOGUE, COURSE, 20, 0);
	hold(CATALOGUE + 1, COURSE, 0, 0);
	for (int64_t t = 0; t < 40; t++) {
		bool covered = (t >= 10 && t < 15) || (t >= 20 && t < 30);

		assert_int_equal(ask(USER, COURSE, covers, t), covered);
		assert_int_equal(remembered(USER, COURSE, t), covered);
		assert_int_equal(ask(USER, COURSE, access_began, t), t >= 10);
	}
	assert_int_equal(ask(USER, COURSE + 1, covers, 12), 0);
	assert_int_equal(ask(USER + 1, COURSE, covers, 12), 0);
}

/* Paid periods follow one another: a window for all of them. */
static void windows_that_meet_are_joined(void **state)
{
	struct access_window *windows;
	unsigned n;

	for (int i = 0; i < 60; i++)
		grant(USER, ACCESS_SCOPE_CATALOGUE, CATALOGUE, 10 * i + 1, 10 * i + 11, 0);
	grant(USER, ACCESS_SCOPE_CATALOGUE, CATALOGUE, 700, 0, 0);
	grant(USER, ACCESS_SCOPE_CATALOGUE, CATALOGUE + 1, 611, 700, 0);
	assert_int_equal(access_store_catalogues_of_user(conn, &arena, USER, NOW, &windows, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_true(windows[0].start_us == 1 && windows[0].end_us == 601);
	assert_true(windows[1].start_us == 700 && windows[1].end_us == INT64_MAX);
	assert_true(windows[2].scope_id == CATALOGUE + 1 && windows[2].start_us == 611);
}

/* --- what it costs --- */

/* Who never subscribed is asked no more than the grants of the course, and nothing once they are remembered.
 */
static void a_buyer_pays_for_no_catalogue(void **state)
{
	grant(USER, ACCESS_SCOPE_COURSE, COURSE, 5, 0, 0);
	hold(CATALOGUE, COURSE, 0, 0);
	round_trips();
	assert_int_equal(ask(USER, COURSE, covers, 8), 1);
	assert_int_equal(round_trips(), 1);
	assert_true(remembered(USER, COURSE, 8));
	assert_int_equal(round_trips(), 0);
	/* Refused, the catalogues are looked at: of the user first, who has none. */
	assert_int_equal(ask(USER, COURSE, covers, 4), 0);
	assert_int_equal(round_trips(), 2);
}

/* What is remembered of a user serves every course, and what is of a course every user. */
static void catalogues_are_read_once(void **state)
{
	for (int i = 0; i < 4; i++) {
		grant(USER + i, ACCESS_SCOPE_CATALOGUE, CATALOGUE, 5, 0, 0);
		hold(CATALOGUE, COURSE + i, 0, 0);
	}
	round_trips();
	assert_int_equal(ask(USER, COURSE, covers, 8), 1);
	assert_int_equal(round_trips(), 3);
	for (int i = 1; i < 4; i++)
		assert_int_equal(ask(USER, COURSE + i, covers, 8), 1);
	assert_int_equal(round_trips(), 9); /* each course once more than the pair */
	for (int i = 1; i < 4; i++)
		assert_int_equal(ask(USER + i, COURSE, covers, 8), 1);
	round_trips();
	for (int i = 1; i < 4; i++)
		for (int j = 1; j < 4; j++)
			assert_int_equal(ask(USER + i, COURSE + j, covers, 8), 1);
	assert_int_equal(round_trips(), 9); /* the pairs alone */
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++)
			assert_true(remembered(USER + i, COURSE + j, 8));
	assert_int_equal(round_trips(), 0);
}

/* --- what is remembered --- */

/* It keeps nobody out: who has just bought, or subscribed, or whose course has just come into the catalogue,
 * is let in before any event has come. */
static void no_is_asked_anew(void **state)
{
	assert_int_equal(ask(USER, COURSE, covers, 8), 0);
	grant(USER, ACCESS_SCOPE_COURSE, COURSE, 5, 9, 0);
	assert_false(remembered(USER, COURSE, 8));
	assert_int_equal(ask(USER, COURSE, covers, 8), 1);
	assert_true(remembered(USER, COURSE, 8));

	assert_int_equal(ask(USER, COURSE, covers, 12), 0);
	grant(USER, ACCESS_SCOPE_CATALOGUE, CATALOGUE, 10, 0, 0);
	assert_int_equal(ask(USER, COURSE, covers, 12), 0);
	hold(CATALOGUE, COURSE, 10, 0);
	assert_int_equal(ask(USER, COURSE, covers, 12), 1);
	assert_true(remembered(USER, COURSE, 12));
}

/* Each event drops what it names, and nothing else. */
static void events_drop_one_thing(void **state)
{
	grant(USER, ACCESS_SCOPE_COURSE, COURSE, 5, 0, 0);
	grant(USER, ACCESS_SCOPE_COURSE, COURSE + 1, 5, 0, 0);
	grant(USER, ACCESS_SCOPE_CATALOGUE, CATALOGUE, 5, 0, 0);
	hold(CATALOGUE, COURSE + 2, 0, 0);
	hold(CATALOGUE, COURSE + 3, 0, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(ask(USER, COURSE + i, covers, 8), 1);
	sql("UPDATE access_grant SET revoke_time = 6");
	sql("UPDATE catalogue_course SET end_time = 6");
	tell("access.revoked", USER, COURSE);
	assert_false(remembered(USER, COURSE, 8));
	assert_true(remembered(USER, COURSE + 1, 8));
	assert_true(remembered(USER, COURSE + 2, 8));
	tell("catalogue.course_removed", 0, COURSE + 2);
	assert_false(remembered(USER, COURSE + 2, 8));
	assert_true(remembered(USER, COURSE + 3, 8));
	tell("access.revoked", USER, 0);
	assert_false(remembered(USER, COURSE + 3, 8));
	assert_true(remembered(USER, COURSE + 1, 8));
	/* Of others, or of something else. */
	tell("accessory.sold", USER, COURSE + 1);
	tell("access.revoked", USER + 1, COURSE + 1);
	assert_true(remembered(USER, COURSE + 1, 8));
}

struct filler {
	pthread_t thread;
	int which;
	atomic_bool stop;
};

static void *fill(void *arg)
{
	struct filler *f = arg;
	struct db_conn *own = testdb_connect(db, lists);
	const int64_t at_us = 8;
	const struct access_query q = {USER + f->which, COURSE + f->which, covers, &at_us};
	struct arena room;
	struct access a;
	struct error trouble;

	arena_init(&room, 8 << 20);
	while (!atomic_load(&f->stop)) {
		if (access_read(cache, own, &room, &q, NOW, &a, &trouble) < 0)
			abort();
		arena_reset(&room);
	}
	arena_done(&room);
	db_close(own);
	return NULL;
}

/* What was read before a change and comes to memory after its event is dropped: while others fill it as fast
 * as they can, what was taken away is not remembered once the event has come. */
static void a_late_fill_brings_nothing_back(void **state)
{
	/* Each of a user, course and catalogue of its own. */
	static const struct {
		const char *set, *where, *kind;
		int64_t user, course;
	} cases[] = {
		{"UPDATE access_grant SET revoke_time = ", " WHERE user_id = 100 AND start_time = 5",
		 "access.changed", USER, COURSE},
		{"UPDATE access_grant SET revoke_time = ", " WHERE user_id = 101 AND start_time = 5",
		 "access.changed", USER + 1, 0},
		{"UPDATE catalogue_course SET end_time = ", " WHERE course_id = 202 AND catalogue_id = 302",
		 "catalogue.changed", 0, COURSE + 2},
	};
	struct filler fillers[6] = {0};

	grant(USER, ACCESS_SCOPE_COURSE, COURSE, 5, 0, 0);
	for (int i = 1; i < 3; i++) {
		grant(USER + i, ACCESS_SCOPE_CATALOGUE, CATALOGUE + i, 5, 0, 0);
		hold(CATALOGUE + i, COURSE + i, 5, 0);
	}
	/* What was over long ago, so much of it that reading takes longer than a change. */
	sql("INSERT INTO access_grant (user_id, scope_kind, scope_id, grant_id, source_kind, source_id, start_time,"
	    " expire_time) SELECT %d, 1, %d, seq, 2, 1, 1, 2 FROM seq_1_to_1500 UNION ALL"
	    " SELECT %d, 2, %d, seq, 2, 1, 1, 2 FROM seq_1_to_1500",
	    USER, COURSE, USER + 1, CATALOGUE + 1);
	sql("INSERT INTO catalogue_course (course_id, catalogue_id, start_time, end_time)"
	    " SELECT %d, %d + seq, 1, 2 FROM seq_1_to_1500",
	    COURSE + 2, CATALOGUE + 2);
	for (unsigned i = 0; i < ARRAY_SIZE(fillers); i++) {
		fillers[i].which = (int)i % 3;
		if (pthread_create(&fillers[i].thread, NULL, fill, &fillers[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < 3 * 20; i++) {
		const unsigned which = i % 3;

		for (int look = 0; !remembered(USER + which, COURSE + which, 8); look++) {
			assert_in_range(look, 0, 10000);
			usleep(500);
			arena_reset(&arena);
		}
		/* Something else happened to it: now everybody reads it anew. */
		tell(cases[which].kind, cases[which].user, cases[which].course);
		for (int back = 0; back < 2; back++) {
			sql("%s%s%s", cases[which].set, back ? "NULL" : "6", cases[which].where);
			tell(cases[which].kind, cases[which].user, cases[which].course);
			for (int look = 0; !back && look < 20; look++) {
				assert_false(remembered(USER + which, COURSE + which, 8));
				usleep(500);
			}
		}
	}
	for (unsigned i = 0; i < ARRAY_SIZE(fillers); i++) {
		atomic_store(&fillers[i].stop, true);
		pthread_join(fillers[i].thread, NULL);
	}
}

/* --- random rows --- */

enum { WORLDS = 150, USERS = 3, COURSES = 3, CATALOGUES = 3, QUESTIONS = 24, END = 40 };

static int64_t between(int64_t low, int64_t high)
{
	return low + rand() % (high - low + 1);
}

/* Several of one scope among them, which touch, overlap, or hold each other. */
static void random_grant(void)
{
	int scope = (int)between(ACCESS_SCOPE_COURSE, ACCESS_SCOPE_CATALOGUE);
	int64_t start = between(1, END), expire = between(0, 2) ? start + between(1, 15) : 0;
	int64_t revoke = between(0, 3) ? 0 : between(1, END);

	grant(USER + between(0, USERS - 1), scope,
	      scope == ACCESS_SCOPE_COURSE ? COURSE + between(0, COURSES - 1)
					   : CATALOGUE + between(0, CATALOGUES - 1),
	      start, expire, revoke);
}

static void random_hold(void)
{
	int64_t start = between(1, END), end = between(0, 2) ? start + between(0, 15) : 0;

	hold(CATALOGUE + between(0, CATALOGUES - 1), COURSE + between(0, COURSES - 1), start, end);
}

/* Changes what is there, and tells of it as the transaction that did so would. */
static void random_change(void)
{
	int64_t user = USER + between(0, USERS - 1), course = COURSE + between(0, COURSES - 1);
	int64_t catalogue = CATALOGUE + between(0, CATALOGUES - 1), at = between(1, END);

	switch (between(0, 2)) {
	case 0:
		sql("UPDATE access_grant SET revoke_time = %" PRId64 " WHERE user_id = %" PRId64
		    " AND scope_kind = 1 AND scope_id = %" PRId64,
		    at, user, course);
		tell("access.revoked", user, course);
		break;
	case 1:
		sql("UPDATE access_grant SET revoke_time = %" PRId64 " WHERE user_id = %" PRId64
		    " AND scope_kind = 2 AND scope_id = %" PRId64,
		    at, user, catalogue);
		tell("access.revoked", user, 0);
		break;
	case 2:
		sql("UPDATE catalogue_course SET end_time = GREATEST(start_time, %" PRId64
		    ") WHERE course_id = %" PRId64 " AND catalogue_id = %" PRId64,
		    at, course, catalogue);
		tell("catalogue.course_removed", 0, course);
		break;
	}
}

static bool lawful(int64_t user_id, int64_t course_id, int64_t at_us)
{
	const struct db_value user = db_i64(user_id), course = db_i64(course_id), at = db_i64(at_us);
	int64_t law;

	assert_int_equal(db_read(conn, &law_stmts[0],
				 DB_ARGS(user, at, at, at, at, db_i64(NOW), course, course, at, at), NULL,
				 &law, &err),
			 1);
	return law;
}

static void ask_at_random(unsigned seed, unsigned *yes)
{
	for (int i = 0; i < QUESTIONS; i++) {
		int64_t user = USER + between(0, USERS - 1), course = COURSE + between(0, COURSES - 1);
		int64_t at_us = between(0, END + 10);
		bool law = lawful(user, course, at_us);

		if (remembered(user, course, at_us) && !law)
			fail_msg("seed %u: let in against the law at %" PRId64, seed, at_us);
		if (ask(user, course, covers, at_us) != law)
			fail_msg("seed %u: not the law (%d) of user %" PRId64 ", course %" PRId64
				 " at %" PRId64,
				 seed, law, user, course, at_us);
		if (law && !remembered(user, course, at_us))
			fail_msg("seed %u: not remembered at %" PRId64, seed, at_us);
		*yes += law;
	}
	arena_reset(&arena);
}

/* Each enrollment is in the state that the law says: of what is, and of what will be. */
static void show_enrollments(unsigned seed, unsigned states[])
{
	for (int64_t user = USER; user < USER + USERS; user++)
		for (int64_t course = COURSE; course < COURSE + COURSES; course++) {
			EnrollmentState law =
				lawful(user, course, NOW) ? ENROLLMENT_STATE_ACTIVE : ENROLLMENT_STATE_ENDED;
			struct shown shown;
			unsigned n;

			for (int64_t t = NOW + 1; law == ENROLLMENT_STATE_ENDED && t <= END + 1; t++)
				if (lawful(user, course, t))
					law = ENROLLMENT_STATE_SCHEDULED;
			assert_int_equal(db_read(conn, &shown_stmts[0], DB_ARGS(db_i64(user), db_i64(course)),
						 &arena, &shown, &err),
					 1);
			const struct enrollment_access *a = enrollment_accesses(&arena, shown.accesses, &n);
			if (enrollment_state_at(a, n, NOW) != law)
				fail_msg("seed %u: user %" PRId64 ", course %" PRId64 " not %s by %s", seed,
					 user, course, EnrollmentState_name(law), shown.accesses);
			states[law]++;
		}
	arena_reset(&arena);
}

/* Rows come in any order of their times, before and after what is remembered of them. */
static void random_worlds_keep_the_law(void **state)
{
	unsigned yes = 0, states[EnrollmentState_MAX + 1] = {0};

	for (unsigned seed = 1; seed <= WORLDS; seed++) {
		clear(NULL);
		sql("INSERT INTO enrollment (user_id, course_id, start_time) SELECT %d + u.seq, %d + c.seq, 50"
		    " FROM seq_0_to_%d u JOIN seq_0_to_%d c",
		    USER, COURSE, USERS - 1, COURSES - 1);
		srand(seed);
		for (int i = 0, n = (int)between(4, 24); i < n; i++)
			if (between(0, 2))
				random_grant();
			else
				random_hold();
		ask_at_random(seed, &yes);
		for (int i = 0; i < 3; i++) {
			random_change();
			ask_at_random(seed, &yes);
		}
		show_enrollments(seed, states);
		/* The same rows, in the opposite order. */
		sql("UPDATE access_grant SET grant_id = %" PRId64 " - grant_id", 2 * last_grant);
		cache_clear(cache);
		ask_at_random(seed, &yes);
	}
	/* Both answers are common. */
	assert_in_range(yes, WORLDS * QUESTIONS / 2, WORLDS * QUESTIONS * 4);
	for (int s = ENROLLMENT_STATE_ACTIVE; s <= EnrollmentState_MAX; s++)
		assert_in_range(states[s], WORLDS / 3, WORLDS * USERS * COURSES);
}

static int setup(void **state)
{
	db = testdb_new();
	conn = testdb_connect(db, lists);
	cache = cache_new(1 << 20, NULL);
	arena_init(&arena, 8 << 20);
	return cache ? 0 : -1;
}

static int teardown(void **state)
{
	arena_done(&arena);
	cache_free(cache);
	db_close(conn);
	testdb_free(db);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(windows_of_grants_of_a_course),
		TEST(tells_the_enrollment),
		TEST(windows_of_catalogues_are_put_together),
		TEST(windows_that_meet_are_joined),
		TEST(a_buyer_pays_for_no_catalogue),
		TEST(catalogues_are_read_once),
		TEST(no_is_asked_anew),
		TEST(events_drop_one_thing),
		TEST(a_late_fill_brings_nothing_back),
		TEST(random_worlds_keep_the_law),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
