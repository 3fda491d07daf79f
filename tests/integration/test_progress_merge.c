/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/progress/coverage.h"
#include "server/progress/progress_write.h"
#include "tests/lib/testdb.h"

/*
 * The merge law: whatever the order, the repetition, the batches and the server's clock, the same reports
 * give the same rows; and those rows are what a plain model says.
 */
enum { LESSONS = 3, SESSIONS = 4, REPORTS = 60, LEARNERS = 12, US = 1000000, DAY = 86400 };

static const int64_t course_id = 77, noon_us = INT64_C(1790000000000000);
static const int64_t access_us = INT64_C(1790000000000000) + 120 * INT64_C(1000000);

struct fixture {
	struct testdb *db;
	struct clock_fixed clock;
	struct app app;
	struct id_maker ids;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned pending, failed;
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

/* Within an hour, or, so that a session grows by chained reports, within three days. */
static struct report random_report(bool chained)
{
	struct report r = {
		.course_id = course_id,
		.lesson_id = 1 + below(LESSONS),
		.client_us = noon_us + (int64_t)below(chained ? 3 * DAY : 3600) * US,
		.learning_seconds = below(chained ? 4 * DAY : 5000),
		.interactions = below(100),
		.questions = below(10),
		.position_seconds = below(600),
		.completed = below(20) == 0,
	};
	r.start_us = r.client_us - (int64_t)below(chained ? DAY : 4000) * US;
	if (r.start_us < access_us) /* as report_admit() does; a slow clock reports from before it */
		r.start_us = access_us;
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

/* What a session claims, but no more than lies between its ends, nor than a day, and never less than none. */
static int64_t credited(int64_t claimed, int64_t between)
{
	int64_t least = claimed < between ? claimed : between;

	return least < 0 ? 0 : least > DAY ? DAY : least;
}

/* The same law, said once more and plainly. */
static void model_lesson(const struct report *reports, int64_t lesson_id, struct row *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (int s = 0; s < SESSIONS; s++) {
		int64_t start = INT64_MAX, last = 0, seconds = 0, interactions = 0, questions = 0;
		for (unsigned i = 0; i < REPORTS; i++) {
			const struct report *r = &reports[i];
			if (r->lesson_id != lesson_id || r->session_id[0] != s)
				continue;
			start = r->start_us < start ? r->start_us : start;
			last = r->client_us > last ? r->client_us : last;
			seconds = r->learning_seconds > seconds ? r->learning_seconds : seconds;
			interactions = r->interactions > interactions ? r->interactions : interactions;
			questions = r->questions > questions ? r->questions : questions;
			ret->coverage |= r->coverage;
			ret->completed |= r->completed;
		}
		if (!last)
			continue;
		ret->seconds += credited(seconds, (last - start) / US);
		ret->interactions += interactions;
		ret->questions += questions;
		ret->sessions++;
		ret->last = last > ret->last ? last : ret->last;
	}
	ret->completed |= coverage_count(ret->coverage) >= COVERAGE_COMPLETE;
}

static void check_against_model(struct fixture *f, const struct report *reports)
{
	for (int64_t lesson = 1; lesson <= LESSONS; lesson++) {
		struct row row;
		char sql[512];

		model_lesson(reports, lesson, &row);
		snprintf(sql, sizeof(sql),
			 "SELECT COUNT(*) FROM progress_lesson WHERE lesson_id = %" PRId64
			 " AND coverage = %" PRIu64 " AND completed = %d AND learning_seconds = %" PRId64
			 " AND interactions = %" PRId64 " AND questions = %" PRId64 " AND sessions = %" PRId64
			 " AND last_time = %" PRId64 " AND (complete_time > 0) = completed",
			 lesson, row.coverage, row.completed, row.seconds, row.interactions, row.questions,
			 row.sessions, row.last);
		assert_int_equal(testdb_number(f->db, sql), row.sessions ? LEARNERS : 0);
	}
}

/* Every learner got the same reports, so every table holds the same rows for each. */
static void check_all_alike(struct fixture *f)
{
	assert_int_equal(
		testdb_number(f->db,
			      "SELECT COUNT(DISTINCT lesson_id, coverage, position_seconds, position_time,"
			      " position_session, completed, learning_seconds, interactions, questions,"
			      " sessions, last_time) = COUNT(DISTINCT lesson_id) FROM progress_lesson"),
		1);
	assert_int_equal(testdb_number(f->db,
				       "SELECT COUNT(DISTINCT lesson_id, session_id, start_time, last_time,"
				       " learning_seconds, interactions, questions) ="
				       " COUNT(DISTINCT lesson_id, session_id) FROM progress_session"),
			 1);
	assert_int_equal(
		testdb_number(f->db,
			      "SELECT COUNT(DISTINCT lessons_completed, learning_seconds, interactions,"
			      " questions, last_time) FROM progress_course"),
		1);
}

/* The kept sums are the sums. */
static void check_sums(struct fixture *f)
{
	assert_int_equal(
		testdb_number(
			f->db,
			"SELECT COUNT(*) FROM progress_course c JOIN (SELECT user_id, SUM(completed) n,"
			" SUM(learning_seconds) s, SUM(interactions) i, SUM(questions) q, MAX(last_time) t"
			" FROM progress_lesson GROUP BY user_id) l USING (user_id) WHERE c.lessons_completed "
			"= l.n"
			" AND c.learning_seconds = l.s AND c.interactions = l.i AND c.questions = l.q"
			" AND c.last_time = l.t"),
		LEARNERS);
	/* Completion is an effect: one event each, a heartbeat has none. */
	assert_int_equal(testdb_number(f->db, "SELECT (SELECT COUNT(*) FROM event) ="
					      " (SELECT SUM(completed) FROM progress_lesson)"),
			 1);
}

static void clear(struct fixture *f)
{
	struct db_conn *conn = testdb_connect(f->db, NULL);

	testdb_run(conn, "DELETE FROM progress_session");
	testdb_run(conn, "DELETE FROM progress_lesson");
	testdb_run(conn, "DELETE FROM progress_course");
	testdb_run(conn, "DELETE FROM event");
	db_close(conn);
	f->failed = 0;
}

static void test_order_repetition_and_clock_do_not_matter(void **state)
{
	struct fixture *f = *state;

	for (unsigned seed = 1; seed <= 4; seed++) {
		struct report reports[REPORTS];

		print_message("seed %u\n", seed);
		srand(seed);
		for (unsigned i = 0; i < REPORTS; i++)
			reports[i] = random_report(seed % 2 == 0);
		for (int64_t user = 1; user <= LEARNERS; user++)
			learn(f, user, reports);
		assert_int_equal(f->failed, 0);
		check_against_model(f, reports);
		check_all_alike(f);
		check_sums(f);
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

/* One report the database refuses fails alone, wherever it stands in its batch. */
static void test_a_bad_report_fails_alone(void **state)
{
	struct fixture *f = *state;
	struct progress_write writes[40] = {0};

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
	assert_int_equal(f->failed, 1);
	assert_int_equal(testdb_number(f->db, "SELECT COUNT(*) FROM progress_lesson"), 39);
	assert_int_equal(testdb_number(f->db, "SELECT COUNT(*) FROM progress_session"), 39);
	clear(f);
}

/* Somebody holds a row of one learner: the others of the batch are written, whichever row it is. */
static void test_a_locked_learner_fails_alone(void **state)
{
	static const char *const locks[] = {
		"UPDATE progress_session SET interactions = interactions WHERE user_id = 204",
		"UPDATE progress_lesson SET interactions = interactions WHERE user_id = 204",
		"UPDATE progress_course SET interactions = interactions WHERE user_id = 204",
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
	*state = f;
	const struct progress_writer_config config = {
		.db = &f->db->config, .lanes = 2, .queue = 1000, .batch_max = 64};
	return progress_writer_start(&f->app, &config, &err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	progress_writer_stop(&f->app);
	testdb_free(f->db);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_repetition_and_clock_do_not_matter),
		cmocka_unit_test(test_each_report_sees_its_own_merge),
		cmocka_unit_test(test_a_slow_clock_is_credited_nothing_and_not_less),
		cmocka_unit_test(test_a_bad_report_fails_alone),
		cmocka_unit_test(test_a_locked_learner_fails_alone),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
