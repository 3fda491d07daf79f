/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/db/event.h"
#include "server/money/rules.h"
#include "server/purchase/purchase_store.h"
#include "tests/lib/ledger_check.h"
#include "tests/lib/test_payment.h"
#include "tests/lib/testdb.h"

/*
 * Purchases per second of the statement alone, without a server: each connection buys course after course for
 * buyers of its own. On a database of its own (tests/lib/testdb.h); the money is checked at the end.
 */
enum { COURSES = 200, ARENA_BYTES = 1 << 20, CONNECTIONS_MAX = 256 };
#define FIRST_COURSE INT64_C(1000)
#define FUNDS INT64_C(1000000000)
#define TOTAL INT64_C(1999)

static const struct db_stmt_list *const lists[] = {&purchase_stmts, &payment_stmts, &event_stmts, NULL};

static const struct testdb *db;
static int64_t stop_us; /* monotonic */

static int64_t next_id(void)
{
	static _Atomic int64_t last_id = 1 << 20;

	return ++last_id;
}

struct buyer {
	unsigned index;
	unsigned long made;
};

static void die(const char *what, const struct error *err)
{
	fprintf(stderr, "purchase_direct: %s: %s\n", what, err ? err->message : "");
	exit(1);
}

static void seed(void)
{
	static const char courses[] =
		"INSERT INTO course (course_id, creator_id, title, summary, description, objectives, "
		"audience,"
		" prerequisites, subject_id, level, language, license, pricing, planned_learning_hours, stage, "
		"lesson_count,"
		" version, revision, create_time, update_time, publish_time)"
		" SELECT %" PRId64
		" + seq, 1, 'Course', '', '', '[]', '', '', 0, 0, '', '', 2, 0, 3, 0, 1, 1, 0, 0, 0"
		" FROM seq_0_to_%d";
	struct db_conn *conn = testdb_connect(db, NULL);
	char sql[1024];

	snprintf(sql, sizeof(sql), courses, FIRST_COURSE, COURSES - 1);
	testdb_run(conn, sql);
	db_close(conn);
}

/* A buyer with money that came from somewhere, so that the ledger holds. */
static void seed_buyer(struct db_conn *conn, int64_t user_id)
{
	char payment_id[32];
	struct test_payment p = {.provider = "bank",
				 .provider_payment_id = payment_id,
				 .owner_id = user_id,
				 .currency_code = "EUR",
				 .amount = FUNDS,
				 .first_id = next_id()};

	next_id();
	next_id();
	snprintf(payment_id, sizeof(payment_id), "fund-%" PRId64, user_id);
	if (test_payment_credit(conn, &p) != PAYMENT_CREDITED)
		die("a buyer got no money", NULL);
}

static struct purchase purchase_of(int64_t user_id, int64_t course_id, int64_t event_id)
{
	const int64_t now_us = clock_now_us(&clock_system), purchase_id = next_id();

	return (struct purchase){
		.purchase_id = purchase_id,
		.user_id = user_id,
		.course_id = course_id,
		.course_revision = 1,
		.state = PURCHASE_COMPLETED,
		.source = PURCHASE_FROM_WALLET,
		.complete_us = now_us,
		.charge = {.charge_id = purchase_id,
			   .payer_id = user_id,
			   .beneficiary_id = user_id,
			   .currency_code = "EUR",
			   .list_price = TOTAL,
			   .tax_inclusive = true,
			   .total = TOTAL,
			   .charged = TOTAL,
			   .transaction_id = event_id,
			   .create_us = now_us},
	};
}

static void buy(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id)
{
	static const struct course_share shares[] = {{901, 5000}, {902, 2000}};
	const int64_t event_id = next_id();
	const struct purchase p = purchase_of(user_id, course_id, event_id);
	const struct money_input input = {.currency_code = "EUR",
					  .party_ids = {[MONEY_USER] = user_id},
					  .total = TOTAL,
					  .sellers = shares,
					  .n_sellers = 2};
	struct ledger_posting posting;
	struct request_key key = {.present = true, .principal_id = user_id, .method = 1};
	struct purchase_result result;
	struct error err;

	memcpy(key.request_id, &p.purchase_id, sizeof(p.purchase_id));
	if (money_post(&posting, MONEY_PURCHASE, &input, &err) < 0)
		die("ledger", &err);
	struct purchase_order order = {
		.purchase = &p,
		.posting = &posting,
		.course_version = 1,
		.grant_id = next_id(),
		.event_id = event_id,
		.event_payload = "{\"purchase_id\":\"pur_0000000000000\"}",
		.key = key,
		.reply = span_str("a reply of about the size of a real one, which is some 250 bytes: "
				  "ids, five amounts with their currency, two times and a state ... "
				  "................................................................")};
	if (purchase_store_complete(conn, arena, &order, &result, &err) < 0)
		die("purchase", &err);
	if (result.outcome != PURCHASE_MADE)
		die("a purchase was refused", NULL);
	arena_reset(arena);
}

static void *run_buyer(void *arg)
{
	struct buyer *b = arg;
	struct db_conn *conn = testdb_connect(db, lists);
	struct arena arena;
	int64_t user_id = 0;

	arena_init(&arena, ARENA_BYTES);
	for (; monotonic_us() < stop_us; b->made++) {
		if (b->made % COURSES == 0) {
			user_id = next_id();
			seed_buyer(conn, user_id);
		}
		buy(conn, &arena, user_id, FIRST_COURSE + (int64_t)((b->made + b->index * 7) % COURSES));
	}
	arena_done(&arena);
	db_close(conn);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned connections = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 16;
	unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 5;
	struct buyer buyers[CONNECTIONS_MAX] = {0};
	pthread_t threads[CONNECTIONS_MAX];
	unsigned long made = 0;

	if (!connections || connections > CONNECTIONS_MAX || !seconds || seconds > 600) {
		fprintf(stderr,
			"usage: purchase_direct [CONNECTIONS (16, at most %d)] [SECONDS (5, at most 600)]\n",
			CONNECTIONS_MAX);
		return 2;
	}
	struct testdb *t = testdb_new();
	db = t;
	seed();
	int64_t start_us = monotonic_us();
	stop_us = start_us + (int64_t)seconds * 1000000;
	for (unsigned i = 0; i < connections; i++) {
		buyers[i].index = i;
		if (pthread_create(&threads[i], NULL, run_buyer, &buyers[i]))
			die("a thread cannot be made", NULL);
	}
	for (unsigned i = 0; i < connections; i++) {
		pthread_join(threads[i], NULL);
		made += buyers[i].made;
	}
	double elapsed = (double)(monotonic_us() - start_us) / 1e6;
	int64_t faults = ledger_faults(t);
	printf("{\"connections\": %u, \"purchases\": %lu, \"per_second\": %.0f, \"ledger_faults\": %" PRId64
	       "}\n",
	       connections, made, (double)made / elapsed, faults);
	testdb_free(t);
	return faults ? 1 : 0;
}
