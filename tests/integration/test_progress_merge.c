/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/db/lease.h"
#include "server/progress/coverage.h"
#include "server/progress/progress_day_store.h"
#include "server/progress/progress_marks.h"
#include "server/progress/progress_write.h"
#include "tests/lib/testdb.h"

/*
 * The merge law: whatever the order, the repetition, the batches and the server's clock, the same reports
 * give the same rows; and those rows are what a plain model says.
 */
enum { EPOCHS = 2, LESSONS = 3, SESSIONS = 4, REPORTS = 80, LEARNERS = 12, US = 1000000, DAY = 86400 };

static const int64_t course_id = 77, noon_us = INT64_C(1790000000000000);
static const int64_t midnight_us = INT64_C(1790035200000000); /* the first after noon_us */
static const int64_t access_us = INT64_C(1790000000000000) + 120 * INT64_C(1000000);
static const int64_t reset_us = INT64_C(1790000000000000) + 900 * INT64_C(1000000);

struct fixture {
	struct testdb *db;
	struct clock_fixed clock;
	struct app app;
	struct id_maker ids;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned pending, failed;
	atomic_bool learnt;
};

static struct fixture fixture = {.lock = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};

static void done(struct progress_write *w, int r, const struct error *err)
{
	struct fixture *f = w->owner;

	pthread_mutex_lock(&f->lock);
	f->failed += r < 0;
	f->pending--;
	pthread_cond_signal(&f->idle);
	pthread_mutex_unlock(&f->lock);
}

static void submit(struct fixture *f, struct progress_write *w)
{
	w->owner = f;
	w->done = done;
	w->deadline_us = INT64_MAX;
	w->event_id = id_make(&f->ids, noon_us / 1000);
	pthread_mutex_lock(&f->lock);
	f->pending++;
	pthread_mutex_unlock(&f->lock);
	assert_true(combiner_submit(f->app.progress, w));
}

static void wait_all(struct fixture *f)
{
	pthread_mutex_lock(&f->lock);
	while (f->pending)
		pthread_cond_wait(&f->idle, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

static unsigned below(unsigned n)
{
	return (unsigned)rand() % n;
}

/* When learning is: within an hour in which access begins, within one around midnight, or, so that a session
 * grows by chained reports and its start moves by days, within three days. */
enum season { AT_ACCESS, AT_MIDNIGHT, CHAINED, SEASONS };

/* The last lesson is of another course. */
static int64_t course_of(int64_t lesson_id)
{
	return lesson_id == LESSONS ? course_id + 1 : course_id;
}

static struct report random_report(enum season season)
{
	const bool chained = season == CHAINED;
	const int64_t base_us = season == AT_MIDNIGHT ? midnight_us - 1800 * (int64_t)US : noon_us;
	struct report r = {
		.lesson_id = 1 + below(LESSONS),
		.epoch = below(EPOCHS),
		.client_us = base_us + (int64_t)below(chained ? 3 * DAY : 3600) * US,
		.learning_seconds = below(chained ? 4 * DAY : 5000),
		.interactions = below(100),
		.questions = below(10),
		.position_seconds = below(600),
		.completed = below(20) == 0,
	};
	r.course_id = course_of(r.lesson_id);
	r.start_us = r.client_us - (int64_t)below(chained ? DAY : 4000) * US;
	/* As report_admit() does; a slow clock reports from before it. */
	const int64_t begin_us = r.epoch ? reset_us : access_us;
	if (r.start_us < begin_us)
		r.start_us = begin_us;
	r.session_id[0] = (uint8_t)below(SESSIONS);
	r.session_id[15] = (uint8_t)r.lesson_id;
	for (unsigned n = below(12); n > 0; n--)
		r.coverage |= UINT64_C(1) << below(64);
	if (below(30) == 0)
		r.coverage = UINT64_MAX >> below(7);
	return r;
}

static void shuffle(unsigned *order, unsigned n)
{
	for (unsigned i = n - 1; i > 0; i--) {
		unsigned j = below(i + 1), kept = order[i];
		order[i] = order[j];
		order[j] = kept;
	}
}

/* A third of the learners are members of an organization, and a third join one while they learn. */
static bool is_member(int64_t user_id)
{
	return user_id % 3 != 0;
}

static bool joins_late(int64_t user_id)
{
	return user_id % 3 == 2;
}

/* What there was before has been seen by nobody. */
static void join(struct fixture *f, int64_t user_id)
{
	struct db_conn *conn = testdb_connect(f->db, NULL);
	char sql[512];

	snprintf(sql, sizeof(sql),
		 "INSERT INTO organization_member (member_id, organization_id, user_id, live, version,"
		 " create_time) VALUES (%" PRId64 ", 5, %" PRId64 ", 1, 1, 1)",
		 user_id, user_id);
	testdb_run(conn, sql);
	snprintf(sql, sizeof(sql),
		 "INSERT INTO before_joining SELECT user_id, day, course_id, credited_seconds, interactions,"
		 " questions FROM progress_day WHERE user_id = %" PRId64,
		 user_id);
	testdb_run(conn, sql);
	db_close(conn);
}

/* Every report once, some twice, in an order of its own, the clock jumping meanwhile. */
static void learn(struct fixture *f, int64_t user_id, const struct report *reports)
{
	static struct progress_write writes[2 * REPORTS];
	unsigned order[2 * REPORTS], n = 0;

	for (unsigned i = 0; i < REPORTS; i++) {
		order[n++] = i;
		if (below(3) == 0)
			order[n++] = i;
	}
	shuffle(order, n);
	for (unsigned i = 0; i < n; i++) {
		if (is_member(user_id) && i == (joins_late(user_id) ? n / 2 : 0))
			join(f, user_id);
		writes[i].report = reports[order[i]];
		writes[i].report.user_id = user_id;
		submit(f, &writes[i]);
		f->clock.us = noon_us + ((int64_t)below(2000000) - 1000000) * US;
		if (below(4) == 0)
			wait_all(f);
	}
	wait_all(f);
}

struct row {
	uint64_t coverage;
	int64_t position, position_time, seconds, interactions, questions, sessions, last;
	uint8_t position_session[16];
	bool completed;
};

/* What a session adds up to; start 0: there is none. */
struct session {
	int64_t start, last, seconds, interactions, questions;
};

/* What a session claims, but no more than lies between its ends, nor than a day, and never less than none. */
static int64_t credited(int64_t claimed, int64_t between)
{
	int64_t least = claimed < between ? claimed : between;

	return least < 0 ? 0 : least > DAY ? DAY : least;
}

/* The same law, said once more and plainly. */
static struct session model_session(const struct report *reports, int64_t epoch, int64_t lesson_id,
				    int number)
{
	struct session s = {0};

	for (unsigned i = 0; i < REPORTS; i++) {
		const struct report *r = &reports[i];
		if (r->epoch != epoch || r->lesson_id != lesson_id || r->session_id[0] != number)
			continue;
		s.start = !s.start || r->start_us < s.start ? r->start_us : s.start;
		s.last = r->client_us > s.last ? r->client_us : s.last;
		s.seconds = r->learning_seconds > s.seconds ? r->learning_seconds : s.seconds;
		s.interactions = r->interactions > s.interactions ? r->interactions : s.interactions;
		s.questions = r->questions > s.questions ? r->questions : s.questions;
	}
	s.seconds = credited(s.seconds, (s.last - s.start) / US);
	return s;
}

static void model_lesson(const struct report *reports, int64_t epoch, int64_t lesson_id, struct row *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < SESSIONS; i++) {
		const struct session s = model_session(reports, epoch, lesson_id, i);
		if (!s.start)
			continue;
		ret->seconds += s.seconds;
		ret->interactions += s.interactions;
		ret->questions += s.questions;
		ret->sessions++;
		ret->last = s.last > ret->last ? s.last : ret->last;
	}
	for (unsigned i = 0; i < REPORTS; i++)
		if (reports[i].epoch == epoch && reports[i].lesson_id == lesson_id) {
			ret->coverage |= reports[i].coverage;
			ret->completed |= reports[i].completed;
		}
	ret->completed |= coverage_count(ret->coverage) >= COVERAGE_COMPLETE;
}

/* A whole session belongs to the day of its least start, whatever the epoch: activity is not undone. */
static void model_day(const struct report *reports, int64_t day, int64_t course, struct session *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < EPOCHS * LESSONS * SESSIONS; i++) {
		const int64_t lesson = 1 + i / EPOCHS % LESSONS;
		const struct session s = model_session(reports, i % EPOCHS, lesson, i / EPOCHS / LESSONS);
		if (!s.start || course_of(lesson) != course || s.start / (DAY * (int64_t)US) != day)
			continue;
		ret->seconds += s.seconds;
		ret->interactions += s.interactions;
		ret->questions += s.questions;
	}
}

#define count(f, ...) testdb_numberf((f)->db, __VA_ARGS__)

static void check_lessons(struct fixture *f, const struct report *reports)
{
	for (int i = 0; i < EPOCHS * LESSONS; i++) {
		const int64_t epoch = i % EPOCHS, lesson = 1 + i / EPOCHS;
		struct row row;

		model_lesson(reports, epoch, lesson, &row);
		assert_int_equal(count(f,
				       "SELECT COUNT(*) FROM progress_lesson WHERE epoch = %" PRId64
				       " AND lesson_id = %" PRId64 " AND coverage = %" PRIu64
				       " AND completed = %d AND learning_seconds = %" PRId64
				       " AND interactions = %" PRId64 " AND questions = %" PRId64
				       " AND sessions = %" PRId64 " AND last_time = %" PRId64
				       " AND (complete_time > 0) = completed",
				       epoch, lesson, row.coverage, row.completed, row.seconds,
				       row.interactions, row.questions, row.sessions, row.last),
				 row.sessions ? LEARNERS : 0);
	}
}

/* A row of zeros says what no row says. */
static void check_days(struct fixture *f, const struct report *reports)
{
	const int64_t first = noon_us / (DAY * (int64_t)US) - 1;
	unsigned n = 0;

	for (int i = 0; i < 2 * 7; i++) {
		const int64_t day = first + i / 2, course = course_id + i % 2;
		struct session sum;

		model_day(reports, day, course, &sum);
		if (!sum.seconds && !sum.interactions && !sum.questions)
			continue;
		n++;
		assert_int_equal(count(f,
				       "SELECT COUNT(*) FROM progress_day WHERE day = %" PRId64
				       " AND course_id = %" PRId64 " AND credited_seconds = %" PRId64
				       " AND interactions = %" PRId64 " AND questions = %" PRId64,
				       day, course, sum.seconds, sum.interactions, sum.questions),
				 LEARNERS);
	}
	assert_int_equal(count(f, "SELECT COUNT(*) FROM progress_day WHERE credited_seconds <> 0"
				  " OR interactions <> 0 OR questions <> 0"),
			 n * LEARNERS);
}

/* Every learner got the same reports, so every table holds the same rows for each. */
static void check_all_alike(struct fixture *f)
{
	assert_int_equal(
		testdb_number(
			f->db,
			"SELECT COUNT(DISTINCT epoch, lesson_id, coverage, position_seconds, position_time,"
			" position_session, completed, learning_seconds, interactions, questions,"
			" sessions, last_time) = COUNT(DISTINCT epoch, lesson_id) FROM progress_lesson"),
		1);
	assert_int_equal(
		testdb_number(f->db,
			      "SELECT COUNT(DISTINCT epoch, lesson_id, session_id, start_time, last_time,"
			      " learning_seconds, interactions, questions) ="
			      " COUNT(DISTINCT epoch, lesson_id, session_id) FROM progress_session"),
		1);
	assert_int_equal(
		testdb_number(f->db,
			      "SELECT COUNT(DISTINCT course_id, epoch, lessons_completed, learning_seconds,"
			      " interactions, questions, last_time) = COUNT(DISTINCT course_id, epoch)"
			      " FROM progress_course"),
		1);
}

/* The kept sums are the sums. */
static void check_sums(struct fixture *f)
{
	assert_int_equal(
		testdb_number(
			f->db,
			"SELECT COUNT(*) FROM progress_course c LEFT JOIN (SELECT user_id, course_id, epoch,"
			" SUM(completed) n, SUM(learning_seconds) s, SUM(interactions) i, SUM(questions) q,"
			" MAX(last_time) t FROM progress_lesson GROUP BY user_id, course_id, epoch) l"
			" USING (user_id, course_id, epoch) WHERE NOT (c.lessons_completed <=> l.n"
			" AND c.learning_seconds <=> l.s AND c.interactions <=> l.i AND c.questions <=> l.q"
			" AND c.last_time <=> l.t)"),
		0);
	/* Completion is an effect: one event each, a heartbeat has none. */
	assert_int_equal(testdb_number(f->db, "SELECT (SELECT COUNT(*) FROM event"
					      "  WHERE kind = 'progress.lesson_completed') ="
					      " (SELECT SUM(completed) FROM progress_lesson)"),
			 1);
}

/* --- who follows the marks --- */

static const char copy_recorded[] =
	"REPLACE INTO followed SELECT d.user_id, d.day, d.course_id, credited_seconds, interactions, questions"
	" FROM event e JOIN progress_day d ON d.user_id = e.user_id AND d.course_id = e.course_id"
	" AND d.day = DATEDIFF(JSON_VALUE(e.payload, '$.day'), '1970-01-01') WHERE e.kind = 'progress.recorded'";

#define SAME_AMOUNTS(of)                                                                                     \
	"(d.credited_seconds <=> " of ".credited_seconds AND d.interactions <=> " of ".interactions"         \
	" AND d.questions <=> " of ".questions)"

static void follow_once(struct fixture *f, struct db_conn *conn)
{
	struct error err;
	int n;

	do {
		n = progress_marks_take(&f->app, conn, INT64_MAX, &err);
		if (n < 0)
			fprintf(stderr, "cannot take marks: %s\n", err.message);
		assert_true(n >= 0);
		testdb_run(conn, copy_recorded);
		testdb_run(conn, "DELETE FROM event WHERE kind = 'progress.recorded'");
	} while (n > 0);
}

static struct db_conn *follower_connect(struct fixture *f)
{
	static const struct db_stmt_list *const lists[] = {&progress_day_stmts, &event_stmts, NULL};

	return testdb_connect(f->db, lists);
}

/* Takes marks as they come, and reads anew what each event names, as a consumer of the feed does. */
static void *follow(void *arg)
{
	struct fixture *f = arg;
	struct db_conn *conn = follower_connect(f);

	while (!atomic_load(&f->learnt))
		follow_once(f, conn);
	db_close(conn);
	return NULL;
}

/* Whatever was written after a mark was taken has marked again; of members, whatever was written after they
 * joined is told. */
static void check_followed(struct fixture *f)
{
	struct db_conn *conn = follower_connect(f);

	follow_once(f, conn);
	db_close(conn);
	assert_int_equal(count(f, "SELECT COUNT(*) FROM progress_mark"), 0);
	assert_int_equal(count(f,
			       "SELECT COUNT(*) FROM progress_day d JOIN organization_member USING (user_id)"
			       " LEFT JOIN before_joining b USING (user_id, day, course_id)"
			       " LEFT JOIN followed c USING (user_id, day, course_id)"
			       " WHERE NOT " SAME_AMOUNTS("b") " AND NOT " SAME_AMOUNTS("c")),
			 0);
	assert_int_equal(count(f, "SELECT COUNT(DISTINCT user_id) FROM followed"), LEARNERS * 2 / 3);
	assert_int_equal(count(f, "SELECT COUNT(*) FROM followed WHERE user_id NOT IN (SELECT user_id FROM"
				  " organization_member)"),
			 0);
}

static void clear(struct fixture *f)
{
	struct db_conn *conn = testdb_connect(f->db, NULL);

	testdb_run(conn, "DELETE FROM progress_session");
	testdb_run(conn, "DELETE FROM progress_lesson");
	testdb_run(conn, "DELETE FROM progress_course");
	testdb_run(conn, "DELETE FROM progress_day");
	testdb_run(conn, "DELETE FROM progress_mark");
	testdb_run(conn, "DELETE FROM followed");
	testdb_run(conn, "DELETE FROM before_joining");
	testdb_run(conn, "DELETE FROM organization_member");
	testdb_run(conn, "DELETE FROM event");
	db_close(conn);
	f->failed = 0;
}

static void test_order_repetition_and_clock_do_not_matter(void **state)
{
	struct fixture *f = *state;

	for (unsigned seed = 1; seed <= 2 * SEASONS; seed++) {
		struct report reports[REPORTS];
		pthread_t follower;

		print_message("seed %u\n", seed);
		srand(seed);
		for (unsigned i = 0; i < REPORTS; i++)
			reports[i] = random_report(seed % SEASONS);
		atomic_store(&f->learnt, false);
		assert_int_equal(pthread_create(&follower, NULL, follow, f), 0);
		for (int64_t user = 1; user <= LEARNERS; user++)
			learn(f, user, reports);
		atomic_store(&f->learnt, true);
		pthread_join(follower, NULL);
		assert_int_equal(f->failed, 0);
		check_lessons(f, reports);
		check_days(f, reports);
		check_all_alike(f);
		check_sums(f);
		check_followed(f);
		clear(f);
	}
}

/* Each caller is answered with the row as its own report left it. */
static void test_each_report_sees_its_own_merge(void **state)
{
	struct fixture *f = *state;
	struct progress_write writes[3] = {0};

	for (unsigned i = 0; i < 3; i++) {
		writes[i].report = (struct report){.user_id = 5,
						   .course_id = course_id,
						   .lesson_id = 9,
						   .client_us = noon_us,
						   .start_us = noon_us,
						   .coverage = UINT64_C(1) << i};
		submit(f, &writes[i]);
	}
	wait_all(f);
	assert_int_equal(writes[0].merged.coverage, 1);
	assert_int_equal(writes[1].merged.coverage, 3);
	assert_int_equal(writes[2].merged.coverage, 7);
	clear(f);
}

/* A client's clock that is slow reports from before access began, where the start was moved to: nothing is
 * credited, and not less than that; what comes after counts. */
static void test_a_slow_clock_is_credited_nothing_and_not_less(void **state)
{
	struct fixture *f = *state;
	struct progress_write writes[2] = {0};

	for (unsigned i = 0; i < 2; i++) {
		writes[i].report = (struct report){.user_id = 6,
						   .course_id = course_id,
						   .lesson_id = 9,
						   .client_us = access_us + (i ? 30 : -60) * (int64_t)US,
						   .start_us = access_us,
						   .learning_seconds = 500};
		submit(f, &writes[i]);
		wait_all(f);
		assert_int_equal(writes[i].merged.learning_seconds, i ? 30 : 0);
	}
	clear(f);
}

static void check_day(struct fixture *f, int64_t day, int64_t seconds, int64_t interactions,
		      int64_t questions)
{
	assert_int_equal(
		count(f,
		      "SELECT COALESCE(SUM(credited_seconds = %" PRId64 " AND interactions = %" PRId64
		      " AND questions = %" PRId64 "), %d) FROM progress_day WHERE day = %" PRId64,
		      seconds, interactions, questions, !seconds && !interactions && !questions, day),
		1);
}

/* A session that goes on past midnight is of the day it began; reports of an earlier beginning, out of order,
 * take it back two days, whole. Repeating them changes nothing. */
static void test_a_session_is_of_the_day_of_its_least_start(void **state)
{
	static const struct {
		int64_t start_s, client_s, seconds,
			credited[3]; /* from midnight; of the day before it and two on */
	} steps[] = {
		{-60, -30, 20, {0, 20, 0}},        {-60, 300, 350, {0, 350, 0}},
		{-60, DAY - 60, DAY, {0, DAY, 0}}, {-DAY - 1, -60, 40, {DAY, 0, 0}},
		{-DAY - 1, -60, 40, {DAY, 0, 0}},  {-60, DAY - 60, DAY, {DAY, 0, 0}},
	};
	struct fixture *f = *state;
	const int64_t day = midnight_us / (DAY * (int64_t)US);

	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		struct progress_write write = {0};

		write.report = (struct report){.user_id = 7,
					       .course_id = course_id,
					       .lesson_id = 9,
					       .start_us = midnight_us + steps[i].start_s * US,
					       .client_us = midnight_us + steps[i].client_s * US,
					       .learning_seconds = steps[i].seconds,
					       .interactions = 3};
		submit(f, &write);
		wait_all(f);
		for (int d = 0; d < 3; d++)
			check_day(f, day - 2 + d, steps[i].credited[d], steps[i].credited[d] ? 3 : 0, 0);
	}
	clear(f);
}

/* One report the database refuses fails alone, wherever it stands in its batch. */
static void test_a_bad_report_fails_alone(void **state)
{
	struct fixture *f = *state;
	struct progress_write writes[40] = {0};
	struct db_conn *conn = testdb_connect(f->db, NULL);

	/* And one whose day alone cannot take it. */
	testdb_run(
		conn,
		"INSERT INTO progress_day (user_id, day, course_id, credited_seconds, interactions,"
		" questions, marked) VALUES (130, 1790000000 DIV 86400, 77, 0, 9223372036854775807, 0, 0)");
	db_close(conn);
	for (unsigned i = 0; i < 40; i++) {
		struct report *r = &writes[i].report;
		*r = (struct report){.user_id = 100 + i,
				     .course_id = course_id,
				     .lesson_id = 1,
				     .client_us = noon_us,
				     .start_us = noon_us,
				     .interactions = 1};
		if (i == 20 || i == 21) { /* two sessions of one lesson, whose sum leaves BIGINT */
			r->user_id = 120;
			r->session_id[0] = (uint8_t)i;
			r->interactions = i == 20 ? INT64_MAX : 1;
		}
		submit(f, &writes[i]);
	}
	wait_all(f);
	assert_int_equal(f->failed, 2);
	assert_int_equal(count(f, "SELECT COUNT(*) FROM progress_lesson"), 38);
	assert_int_equal(count(f, "SELECT COUNT(*) FROM progress_session"), 38);
	assert_int_equal(count(f, "SELECT COUNT(*) FROM progress_day WHERE interactions = 1"), 37);
	assert_int_equal(
		count(f, "SELECT COUNT(*) FROM progress_day WHERE interactions = 9223372036854775807"), 2);
	assert_int_equal(count(f, "SELECT COUNT(*) FROM progress_mark"), 38);
	clear(f);
}

/* Somebody holds a row of one learner: the others of the batch are written, whichever row it is. */
static void test_a_locked_learner_fails_alone(void **state)
{
	static const char *const locks[] = {
		"UPDATE progress_session SET interactions = interactions WHERE user_id = 204",
		"UPDATE progress_lesson SET interactions = interactions WHERE user_id = 204",
		"UPDATE progress_course SET interactions = interactions WHERE user_id = 204",
		"UPDATE progress_day SET interactions = interactions WHERE user_id = 204",
	};
	struct fixture *f = *state;

	for (unsigned round = 0; round <= ARRAY_SIZE(locks); round++) {
		struct progress_write writes[8] = {0};
		struct db_conn *holder = testdb_connect(f->db, NULL);

		f->failed = 0;
		testdb_run(holder, "START TRANSACTION");
		if (round > 0)
			testdb_run(holder, locks[round - 1]);
		for (unsigned i = 0; i < 8; i++) {
			writes[i].report = (struct report){.user_id = 200 + i,
							   .course_id = course_id,
							   .lesson_id = 1,
							   .client_us = noon_us + round * US,
							   .start_us = noon_us,
							   .interactions = 1 + round};
			submit(f, &writes[i]);
		}
		wait_all(f);
		assert_int_equal(f->failed, round ? 1 : 0);
		assert_int_equal(testdb_number(f->db,
					       "SELECT COUNT(*) FROM progress_course WHERE interactions ="
					       " (SELECT MAX(interactions) FROM progress_course)"),
				 round ? 7 : 8);
		testdb_run(holder, "ROLLBACK");
		db_close(holder);
	}
	clear(f);
}

static int setup(void **state)
{
	struct fixture *f = &fixture;
	struct error err;

	f->db = testdb_new();
	clock_fixed_init(&f->clock, noon_us);
	id_maker_lease(&f->ids, 1, 0, INT64_MAX);
	f->app.clock = &f->clock.clock;
	error_clear(&err);
	const struct node_lease_config lease = {.db = &f->db->config, .clock = &clock_system};
	if (node_lease_start(&lease, &f->app.node, &err) < 0)
		return -1;
	struct db_conn *conn = testdb_connect(f->db, NULL);
	testdb_run(
		conn,
		"CREATE TABLE followed (user_id BIGINT, day INT, course_id BIGINT, credited_seconds BIGINT,"
		" interactions BIGINT, questions BIGINT, PRIMARY KEY (user_id, day, course_id))");
	testdb_run(conn, "CREATE TABLE before_joining LIKE followed");
	db_close(conn);
	*state = f;
	const struct progress_writer_config config = {
		.db = &f->db->config, .lanes = 2, .queue = 1000, .batch_max = 64};
	return progress_writer_start(&f->app, &config, &err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	progress_writer_stop(&f->app);
	node_lease_stop(f->app.node);
	testdb_free(f->db);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_repetition_and_clock_do_not_matter),
		cmocka_unit_test(test_each_report_sees_its_own_merge),
		cmocka_unit_test(test_a_slow_clock_is_credited_nothing_and_not_less),
		cmocka_unit_test(test_a_session_is_of_the_day_of_its_least_start),
		cmocka_unit_test(test_a_bad_report_fails_alone),
		cmocka_unit_test(test_a_locked_learner_fails_alone),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
