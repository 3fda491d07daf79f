/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/clock.h"
#include "server/db/sequencer.h"
#include "server/db/table.h"
#include "server/organization/audience.h"
#include "tests/lib/audience_page.h"
#include "tests/lib/testdb.h"

/*
 * How many events a second one sequencer gives positions to, alone and with their audiences, what it writes
 * into the redo log for each, and what a page of 100 events of one audience costs in a short feed and in a
 * long one. On a database of its own (tests/lib/testdb.h), which nothing else uses meanwhile.
 */
enum { SHORT_FEED = 1000, USERS = 100000, MEMBERS = 10000, ORGANIZATIONS = 10, PAGE = 100, PAGES = 400 };

/* The user that one in so many events concerns that he has PAGE of them. */
#define READER INT64_C(5)
#define FIRST_USER INT64_C(1000000)
#define FIRST_ORGANIZATION INT64_C(100)

static const struct testdb *db;
static const char *const platform_kinds[] = {"thing.sold", NULL};

static void die(const char *what, const struct error *err)
{
	fprintf(stderr, "sequence_direct: %s: %s\n", what, err->message);
	exit(1);
}

static int on_placed(void *arg, struct db_conn *conn, const struct event *events, unsigned n,
		     struct error *err)
{
	return audience_write(conn, platform_kinds, events, n, err);
}

static struct sequencer sequencer_of(bool audiences)
{
	static const struct db_stmt_list *const lists[] = {&audience_stmts, NULL};
	const struct sequencer_config config = {
		.db = &db->config, .stmts = lists, .placed = audiences ? on_placed : NULL};
	struct sequencer s;
	struct error err;
	if (sequencer_open(&s, &config, &err) < 0 || sequencer_lead(&s, &err) < 0)
		die("cannot open the sequencer", &err);
	return s;
}

/* One user in ten belongs to an organization. */
static void seed_members(struct db_conn *conn)
{
	char sql[256];
	snprintf(sql, sizeof(sql),
		 "INSERT INTO organization_member_span SELECT %" PRId64 " + 10 * seq, seq, %" PRId64
		 " + seq %% %d, 0, NULL FROM seq_1_to_%d",
		 FIRST_USER, FIRST_ORGANIZATION, ORGANIZATIONS, MEMBERS);
	testdb_run(conn, sql);
}

/* As purchases and completed lessons append them; ids go on from `first`. */
static void append(struct db_conn *conn, int64_t first, int n, int one_in)
{
	char sql[512];
	snprintf(sql, sizeof(sql),
		 "INSERT INTO event (" DB_NAMES(
			 EVENT_COLUMNS) ") SELECT %" PRId64 " + seq,"
					" IF(seq %% 10 = 0, 'thing.sold', 'thing.done'), seq, 1,"
					" IF(seq %% %d = 0, %" PRId64 ", %" PRId64
					" + seq * 7919 %% %d), 77, 0, 1700000000000000,"
					" '{\"transaction_id\":\"txn_0000000000000\"}' FROM seq_1_to_%d",
		 first, one_in, READER, FIRST_USER, USERS, n);
	testdb_run(conn, sql);
}

static int64_t redo_bytes(void)
{
	return testdb_number(db, "SELECT CAST(variable_value AS INT) FROM information_schema.global_status"
				 " WHERE variable_name = 'Innodb_lsn_current'");
}

struct cost {
	double per_second, redo_bytes;
};

/* Gives the positions of `n` new events. */
static struct cost sequence(struct db_conn *conn, int64_t first, int n, int one_in, bool audiences)
{
	struct sequencer s = sequencer_of(audiences);
	struct error err;
	append(conn, first, n, one_in);
	int64_t redo = redo_bytes(), began_us = monotonic_us();
	if (sequencer_run(&s, &err) < 0)
		die("cannot give positions", &err);
	int64_t took_us = monotonic_us() - began_us;
	redo = redo_bytes() - redo;
	sequencer_resign(&s);
	sequencer_close(&s);
	return (struct cost){n * 1e6 / (double)took_us, (double)redo / n};
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Microseconds of the reader's page of PAGE, the median. */
static int64_t page_us(void)
{
	static const struct db_stmt_list *const lists[] = {&audience_page_stmts, NULL};
	struct db_conn *conn = testdb_connect(db, lists);
	const struct event *events;
	struct arena arena;
	struct error err;
	int64_t times[PAGES];
	unsigned n;
	arena_init(&arena, 1 << 20);
	for (unsigned i = 0; i < PAGES; i++) {
		arena_reset(&arena);
		times[i] = monotonic_us();
		if (audience_page_read(conn, &arena, READER, 0, PAGE, &events, &n, &err) < 0)
			die("cannot read a page", &err);
		times[i] = monotonic_us() - times[i];
		if (n != PAGE)
			exit(1);
	}
	arena_done(&arena);
	db_close(conn);
	qsort(times, PAGES, sizeof(*times), by_time);
	return times[PAGES / 2];
}

static void clear(struct db_conn *conn)
{
	testdb_run(conn, "TRUNCATE event");
	testdb_run(conn, "TRUNCATE event_audience");
	testdb_run(conn, "UPDATE event_sequence SET position = 0, durable_position = 0");
}

int main(int argc, char **argv)
{
	const int feed = argc > 1 ? atoi(argv[1]) : 0;
	if (feed < 10 * SHORT_FEED) {
		fprintf(stderr, "Usage: sequence_direct EVENTS (%d at least)\n", 10 * SHORT_FEED);
		return 2;
	}
	struct testdb *t = testdb_new();
	db = t;
	struct db_conn *conn = testdb_connect(db, NULL);
	seed_members(conn);
	sequence(conn, 0, SHORT_FEED, SHORT_FEED / PAGE, true);
	int64_t short_us = page_us();
	clear(conn);
	const struct cost alone = sequence(conn, 0, feed / 2, feed + 1, false);
	clear(conn);
	const struct cost whole = sequence(conn, 0, feed, feed / PAGE, true);
	int64_t long_us = page_us();
	printf("{\"positions_per_second\": %.0f, \"positions_redo_bytes\": %.0f, \"per_second\": %.0f, "
	       "\"redo_bytes\": %.0f, \"short_page_us\": %" PRId64 ", \"long_page_us\": %" PRId64 "}\n",
	       alone.per_second, alone.redo_bytes, whole.per_second, whole.redo_bytes, short_us, long_us);
	db_close(conn);
	testdb_free(t);
	return 0;
}
