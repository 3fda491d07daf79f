/* SPDX-License-Identifier: Apache-2.0 */
/* The schema as a database administrator looks at it: what it refuses to keep, and what a table of a billion
 * rows can still be given while it is used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"
#include "server/course/course.h"
#include "server/db/table.h"
#include "tests/lib/testdb.h"

enum { NAME_SIZE = 65, TABLES_MAX = 100, CHECKS_MAX = 400 };

static struct testdb *db;
static struct db_conn *conn;

struct named {
	char table[NAME_SIZE], name[NAME_SIZE];
};
#define NAMED_COLUMNS(F, C, R) F(R, "table_name", CODE, table) C(R, "name", CODE, name)
DB_ROW(named_row, struct named, NAMED_COLUMNS);

enum stmt { TABLES, CHECKS, RANGE, N_STMTS };
static const struct db_stmt stmts[N_STMTS] = {
	[TABLES] = {"tables", "", &named_row,
		    "SELECT table_name, '' AS name FROM information_schema.tables"
		    " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"},
	[CHECKS] = {"checks", "", &named_row,
		    "SELECT table_name, IF(level = 'Column', CONCAT(table_name, '.', constraint_name),"
		    " constraint_name) AS name FROM information_schema.check_constraints"
		    " WHERE constraint_schema = DATABASE()"},
	[RANGE] =
		{"range", "ssi", &db_row_i64,
		 "SELECT 1 FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()"
		 " AND table_name = ? AND constraint_name = ? AND check_clause LIKE CONCAT('% between % and ', ?)"},
};
static const struct db_stmt_list list = {"schema", stmts, N_STMTS};

/* A row of each table that has a CHECK. */
static const char *const world[] = {
	"INSERT INTO node (node_id, holder, expire_time) VALUES (1023, 'nobody', 1)",
	"INSERT INTO idempotency (principal_id, method, request_id, body_hash, create_time, expire_time)"
	" VALUES (7, 1, REPEAT('r', 16), REPEAT('b', 32), 1, 2)",
	"INSERT INTO user (user_id, user_name, email, verified_email, display_name, bio, language, time_zone,"
	" password_hash, roles, administrator, rights_epoch, state, version, create_time, update_time)"
	" VALUES (7, 'ada', 'ada@example.org', 'ada@example.org', 'Ada', '', '', '', 'hash', 17, 1, 1, 1, 1, 1, 1)",
	"INSERT INTO session (session_id, user_id, create_time, expire_time, source, session_hash, token_hash,"
	" token_nonce, token_time, token_expire_time)"
	" VALUES (7, 7, 1, 9, 'from', REPEAT('f', 32), REPEAT('s', 32), REPEAT('n', 16), 3, 9)",
	"INSERT INTO course (course_id, creator_id, title, summary, description, objectives, audience, prerequisites,"
	" subject_id, level, language, license, pricing, planned_learning_hours, stage, lesson_count, version, revision,"
	" create_time, update_time, publish_time)"
	" VALUES (7, 7, 'Title', '', '', '[]', '', '', 1, 1, 'en', '', 2, 10000, 3, 2000, 1, 1, 1, 1, 1)",
	"INSERT INTO course_revision (course_id, revision, title, summary, description, objectives, audience,"
	" prerequisites, subject_id, level, language, license, planned_learning_hours, instructors, changed_fields,"
	" publish_time) VALUES (7, 1, 'Title', '', '', '[]', '', '', 1, 1, 'en', '', 0, '[]', '[]', 1)",
	"INSERT INTO course_instructor (course_id, user_id, position, share_basis_points) VALUES (7, 7, 1, 10000)",
	"INSERT INTO course_price (course_id, currency_code, minor_units, position) VALUES (7, 'EUR', 1, 1)",
	"INSERT INTO course_rank VALUES (7, 0, 0, 1)",
	"INSERT INTO search_miss VALUES (1, 'x', 1)",
	"INSERT INTO course_rating (course_id, stars_1, stars_2, stars_3, stars_4, stars_5) VALUES (7, 0, 0, 0, 0, 0)",
	"INSERT INTO section (course_id, revision, section_id, title, position) VALUES (7, 0, 7, 'Section', 1)",
	"INSERT INTO lesson (lesson_id, course_id, kind, create_time) VALUES (7, 7, 1, 1)",
	"INSERT INTO lesson_revision (course_id, revision, lesson_id, section_id, title, duration_seconds, weight,"
	" position, free_preview, release_time, release_after_days, quiz_id, update_time)"
	" VALUES (7, 0, 7, 7, 'Lesson', 604800, 1000, 1, 1, NULL, 3650, 7, 1)",
	"INSERT INTO content (content_id, course_id, lesson_id, role, language, file_name, content_type, size_bytes,"
	" sha256, body, creator_id, create_time, unused_time)"
	" VALUES (7, 7, 7, 7, '', '', 'text/plain', 1, REPEAT('s', 32), 'T', 7, 1, 1)",
	"INSERT INTO lesson_content (course_id, revision, lesson_id, role, content_id) VALUES (7, 0, 7, 7, 7)",
	"INSERT INTO download (user_id, device_name, lesson_id, start_time, expire_time) VALUES (7, 'phone', 7, 1, 2)",
	"INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time, payload)"
	" VALUES (7, 'test.happened', 7, 7, 7, 0, 1, '')",
	"INSERT INTO organization_member_span (user_id, member_id, organization_id, begin_position, end_position)"
	" VALUES (7, 7, 1, 7, 7)",
	"INSERT INTO organization_member (member_id, organization_id, user_id, live, version, create_time)"
	" VALUES (7, 1, 7, 1, 1, 1)",
	"INSERT INTO wallet (owner_id, currency_code, balance, update_time) VALUES (7, 'EUR', 0, 1)",
	"INSERT INTO payable (owner_id, currency_code, paid_out) VALUES (7, 'EUR', 0)",
	"INSERT INTO payment (payment_id, provider, provider_payment_id, owner_id, currency_code, amount, transaction_id,"
	" create_time) VALUES (7, 'bank', '1', 7, 'EUR', 1, 9, 1)",
	"INSERT INTO ledger_transaction (transaction_id, cause_kind, cause_id, step, actor_id, create_time)"
	" VALUES (9, 1, 7, 0, 7, 1)",
	"INSERT INTO ledger_checkpoint (account_kind, owner_id, currency_code, position, balance)"
	" VALUES (2, 7, 'EUR', 1, 0)",
	"INSERT INTO ledger_entry (transaction_id, line, account_kind, owner_id, currency_code, amount)"
	" VALUES (9, 1, 1, 7, 'EUR', 1)",
	"INSERT INTO charge (charge_id, payer_id, beneficiary_id, currency_code, list_price, discount, tax, tax_inclusive,"
	" total, charged, refunded, disputed, transaction_id, create_time)"
	" VALUES (7, 7, 7, 'EUR', 1000, 100, 90, 1, 900, 900, 300, 600, 9, 1)",
	"INSERT INTO purchase (purchase_id, user_id, course_id, course_revision, state, payment_source, complete_time, live)"
	" VALUES (7, 7, 7, 1, 2, 1, 1, 1)",
	"INSERT INTO access_grant (user_id, scope_kind, scope_id, grant_id, source_kind, source_id, start_time)"
	" VALUES (7, 1, 7, 7, 4, 7, 1)",
	"INSERT INTO catalogue_course (course_id, catalogue_id, start_time) VALUES (7, 7, 1)",
	"INSERT INTO enrollment (user_id, course_id, epoch, start_time, epoch_time) VALUES (7, 7, 1, 1, 1)",
	"INSERT INTO report (report_id, reporter_id, subject_kind, subject_id, course_id, kind, text, state, outcome, comment,"
	" live, version, create_time, update_time) VALUES (7, 7, 1, 7, 7, 6, '', 1, 0, '', 1, 1, 1, 1)",
	"INSERT INTO report_guard (reporter_id, day, reports) VALUES (7, 1, 20)",
	"INSERT INTO review (review_id, course_id, user_id, stars, text, state, hide_reason, counted, version, create_time,"
	" update_time) VALUES (7, 7, 7, 5, '', 1, '', 5, 1, 1, 1)",
};

/* What each CHECK keeps out. */
static const struct {
	const char *check, *sql;
} refused[] = {
	{"node.node_id", "UPDATE node SET node_id = 1024"},
	{"idempotency_times", "UPDATE idempotency SET create_time = 2"},
	{"user.roles", "UPDATE user SET roles = 16"},
	{"user_administrator_as_roles", "UPDATE user SET roles = 1"},
	{"user_administrator_as_roles", "UPDATE user SET administrator = NULL"},
	{"user_administrator_as_roles", "UPDATE user SET roles = 1, administrator = 0"},
	{"user_verified_email", "UPDATE user SET email = 'bob@example.org'"},
	{"user.state", "UPDATE user SET state = 0"},
	{"user.state", "UPDATE user SET state = 3"},
	{"user.version", "UPDATE user SET version = 0"},
	{"user.rights_epoch", "UPDATE user SET rights_epoch = 0"},
	{"session_times", "UPDATE session SET create_time = 9"},
	{"session_times", "UPDATE session SET token_time = 9"},
	{"session_times", "UPDATE session SET token_expire_time = 10"},
	{"course.objectives", "UPDATE course SET objectives = 'none'"},
	{"course.rejection_reasons", "UPDATE course SET rejection_reasons = 'x'"},
	{"course.level", "UPDATE course SET level = -1"},
	{"course.level", "UPDATE course SET level = 5"},
	{"course.pricing", "UPDATE course SET pricing = -1"},
	{"course.pricing", "UPDATE course SET pricing = 3"},
	{"course.platform_basis_points", "UPDATE course SET platform_basis_points = -1"},
	{"course.platform_basis_points", "UPDATE course SET platform_basis_points = 10001"},
	{"course.planned_learning_hours", "UPDATE course SET planned_learning_hours = -1"},
	{"course.planned_learning_hours", "UPDATE course SET planned_learning_hours = 10001"},
	{"course.stage", "UPDATE course SET stage = 0"},
	{"course.stage", "UPDATE course SET stage = 8"},
	{"course.lesson_count", "UPDATE course SET lesson_count = -1"},
	{"course.lesson_count", "UPDATE course SET lesson_count = 2001"},
	{"course.version", "UPDATE course SET version = 0"},
	{"course.revision", "UPDATE course SET revision = -1, stage = 1, publish_time = NULL"},
	{"course_published", "UPDATE course SET publish_time = NULL"},
	{"course_published", "UPDATE course SET revision = 0, publish_time = NULL"},
	{"course_published", "UPDATE course SET revision = 0, stage = 1"},
	{"course_revision.revision", "UPDATE course_revision SET revision = -1, publish_time = NULL"},
	{"course_revision.objectives", "UPDATE course_revision SET objectives = 'none'"},
	{"course_revision.level", "UPDATE course_revision SET level = 5"},
	{"course_revision.planned_learning_hours",
	 "UPDATE course_revision SET planned_learning_hours = 10001"},
	{"course_revision.instructors", "UPDATE course_revision SET instructors = 'none'"},
	{"course_revision.changed_fields", "UPDATE course_revision SET changed_fields = 'none'"},
	{"course_revision.lessons_added", "UPDATE course_revision SET lessons_added = -1"},
	{"course_revision.lessons_removed", "UPDATE course_revision SET lessons_removed = -1"},
	{"course_revision.lessons_changed", "UPDATE course_revision SET lessons_changed = -1"},
	{"course_revision.lessons_moved", "UPDATE course_revision SET lessons_moved = -1"},
	{"course_revision.sections_added", "UPDATE course_revision SET sections_added = -1"},
	{"course_revision.sections_removed", "UPDATE course_revision SET sections_removed = -1"},
	{"course_revision.sections_changed", "UPDATE course_revision SET sections_changed = -1"},
	{"course_revision.sections_moved", "UPDATE course_revision SET sections_moved = -1"},
	{"course_revision_published", "UPDATE course_revision SET publish_time = NULL"},
	{"course_revision_published", "UPDATE course_revision SET revision = 0"},
	{"course_instructor.position", "UPDATE course_instructor SET position = 0"},
	{"course_instructor.share_basis_points", "UPDATE course_instructor SET share_basis_points = -1"},
	{"course_instructor.share_basis_points", "UPDATE course_instructor SET share_basis_points = 10001"},
	{"course_price.minor_units", "UPDATE course_price SET minor_units = 0"},
	{"course_price.position", "UPDATE course_price SET position = 0"},
	{"course_rank.rating", "UPDATE course_rank SET rating = 5001"},
	{"course_rank.popularity", "UPDATE course_rank SET popularity = -1"},
	{"search_miss.query", "UPDATE search_miss SET query = ''"},
	{"search_miss.searches", "UPDATE search_miss SET searches = 0"},
	{"course_rating.stars_1", "UPDATE course_rating SET stars_1 = -1"},
	{"course_rating.stars_2", "UPDATE course_rating SET stars_2 = -1"},
	{"course_rating.stars_3", "UPDATE course_rating SET stars_3 = -1"},
	{"course_rating.stars_4", "UPDATE course_rating SET stars_4 = -1"},
	{"course_rating.stars_5", "UPDATE course_rating SET stars_5 = -1"},
	{"lesson.kind", "UPDATE lesson SET kind = 0"},
	{"lesson.kind", "UPDATE lesson SET kind = 6"},
	{"lesson.gone", "UPDATE lesson SET gone = 2"},
	{"section.revision", "UPDATE section SET revision = -1"},
	{"section.position", "UPDATE section SET position = 0"},
	{"lesson_revision.revision", "UPDATE lesson_revision SET revision = -1"},
	{"lesson_revision.section_id", "UPDATE lesson_revision SET section_id = -1"},
	{"lesson_revision.duration_seconds", "UPDATE lesson_revision SET duration_seconds = -1"},
	{"lesson_revision.duration_seconds", "UPDATE lesson_revision SET duration_seconds = 604801"},
	{"lesson_revision.weight", "UPDATE lesson_revision SET weight = 0"},
	{"lesson_revision.weight", "UPDATE lesson_revision SET weight = 1001"},
	{"lesson_revision.position", "UPDATE lesson_revision SET position = 0"},
	{"lesson_revision.free_preview", "UPDATE lesson_revision SET free_preview = 2"},
	{"lesson_revision.release_after_days", "UPDATE lesson_revision SET release_after_days = -1"},
	{"lesson_revision.release_after_days", "UPDATE lesson_revision SET release_after_days = 3651"},
	{"lesson_revision.quiz_id", "UPDATE lesson_revision SET quiz_id = -1"},
	{"content.role", "UPDATE content SET role = 0, body = NULL"},
	{"content.role", "UPDATE content SET role = 8, body = NULL"},
	{"content.size_bytes", "UPDATE content SET size_bytes = 0"},
	{"content.size_bytes", "UPDATE content SET size_bytes = 5368709121"},
	{"content.unused_time", "UPDATE content SET unused_time = 0"},
	{"content_body", "UPDATE content SET body = NULL"},
	{"content_body", "UPDATE content SET role = 1"},
	{"content_of_course", "UPDATE content SET lesson_id = 0"},
	{"content_of_course", "UPDATE content SET role = 5, body = NULL"},
	{"lesson_content.revision", "UPDATE lesson_content SET revision = -1"},
	{"lesson_content.role", "UPDATE lesson_content SET role = 0"},
	{"lesson_content.role", "UPDATE lesson_content SET role = 8"},
	{"download_times", "UPDATE download SET expire_time = start_time"},
	{"organization_member.version", "UPDATE organization_member SET version = 0"},
	{"event.position", "UPDATE event SET position = -1"},
	{"organization_member_span_ends", "UPDATE organization_member_span SET end_position = 6"},
	{"event_sequence_durable", "UPDATE event_sequence SET durable_position = position + 1"},
	{"organization_member_ends", "UPDATE organization_member SET live = NULL"},
	{"organization_member_ends", "UPDATE organization_member SET live = 0, end_time = 2"},
	{"organization_member_ends", "UPDATE organization_member SET live = 2"},
	{"organization_member_ends", "UPDATE organization_member SET end_time = 2"},
	{"wallet_not_overdrawn", "UPDATE wallet SET balance = -1"},
	{"wallet.debt", "UPDATE wallet SET debt = -1"},
	{"payable.paid_out", "UPDATE payable SET paid_out = -1"},
	{"payment.amount", "UPDATE payment SET amount = 0"},
	{"ledger_transaction.cause_kind", "UPDATE ledger_transaction SET cause_kind = 0"},
	{"ledger_transaction.cause_kind", "UPDATE ledger_transaction SET cause_kind = 3"},
	{"ledger_checkpoint.account_kind", "UPDATE ledger_checkpoint SET account_kind = 1"},
	{"ledger_checkpoint.account_kind", "UPDATE ledger_checkpoint SET account_kind = 18"},
	{"ledger_entry.line", "UPDATE ledger_entry SET line = 0"},
	{"ledger_entry.account_kind", "UPDATE ledger_entry SET account_kind = 0"},
	{"ledger_entry.account_kind", "UPDATE ledger_entry SET account_kind = 18"},
	{"ledger_entry.amount", "UPDATE ledger_entry SET amount = 0"},
	{"charge_discount", "UPDATE charge SET discount = -1, total = 1001"},
	{"charge_discount", "UPDATE charge SET discount = 1001, total = -1"},
	{"charge_tax", "UPDATE charge SET tax = -1"},
	{"charge_tax", "UPDATE charge SET tax = 901"},
	{"charge.tax_inclusive", "UPDATE charge SET tax_inclusive = 2"},
	{"charge_total", "UPDATE charge SET total = 901"},
	{"charge_total", "UPDATE charge SET tax_inclusive = 0"},
	{"charge_total", "UPDATE charge SET tax = 89, tax_inclusive = 0, total = 990"},
	{"charge_taken", "UPDATE charge SET charged = -1"},
	{"charge_taken", "UPDATE charge SET charged = 901"},
	{"charge_given_back", "UPDATE charge SET refunded = 301"},
	{"charge_given_back", "UPDATE charge SET disputed = 601"},
	{"charge_given_back", "UPDATE charge SET refunded = 901, disputed = -1"},
	{"charge_given_back", "UPDATE charge SET refunded = -1, disputed = 901"},
	{"charge_given_back", "UPDATE charge SET charged = 899"},
	{"charge_paid", "UPDATE charge SET transaction_id = NULL"},
	{"charge_paid", "UPDATE charge SET charged = 0, refunded = 0, disputed = 0"},
	{"purchase.state", "UPDATE purchase SET state = 0, live = NULL, complete_time = NULL"},
	{"purchase.state", "UPDATE purchase SET state = 8, live = NULL, complete_time = NULL"},
	{"purchase.payment_source", "UPDATE purchase SET payment_source = 0"},
	{"purchase.payment_source", "UPDATE purchase SET payment_source = 2"},
	{"purchase.live", "UPDATE purchase SET live = 0"},
	{"purchase_live", "UPDATE purchase SET state = 5, complete_time = NULL"},
	{"purchase_live", "UPDATE purchase SET state = 6, complete_time = NULL"},
	{"purchase_live", "UPDATE purchase SET state = 7, complete_time = NULL"},
	{"purchase_completed", "UPDATE purchase SET complete_time = NULL"},
	{"purchase_completed", "UPDATE purchase SET state = 1"},
	{"access_grant.scope_kind", "UPDATE access_grant SET scope_kind = 0, source_kind = 2"},
	{"access_grant.scope_kind", "UPDATE access_grant SET scope_kind = 3, source_kind = 2"},
	{"access_grant.source_kind", "UPDATE access_grant SET source_kind = 0"},
	{"access_grant.source_kind", "UPDATE access_grant SET source_kind = 7"},
	{"access_grant.source_id", "UPDATE access_grant SET source_id = 0, source_kind = 2"},
	{"access_grant_instructor", "UPDATE access_grant SET scope_kind = 2"},
	{"access_grant_instructor", "UPDATE access_grant SET source_id = 8"},
	{"access_grant_window", "UPDATE access_grant SET expire_time = 1"},
	{"access_grant.expire_time", "UPDATE access_grant SET start_time = -1, expire_time = 0"},
	{"access_grant.revoke_time", "UPDATE access_grant SET revoke_time = 0"},
	{"catalogue_course.end_time", "UPDATE catalogue_course SET end_time = 0"},
	{"enrollment.epoch", "UPDATE enrollment SET epoch = -1"},
	{"enrollment_epoch_begins", "UPDATE enrollment SET epoch = 0"},
	{"enrollment_epoch_begins", "UPDATE enrollment SET epoch_time = NULL"},
	{"enrollment_times", "UPDATE enrollment SET epoch_time = 0"},
	{"review.stars", "UPDATE review SET stars = 0, counted = 0"},
	{"review.stars", "UPDATE review SET stars = 6, counted = 0"},
	{"review.state", "UPDATE review SET state = 0, counted = 0"},
	{"review.state", "UPDATE review SET state = 3, counted = 0"},
	{"review.counted", "UPDATE review SET counted = -1"},
	{"review.counted", "UPDATE review SET counted = 6"},
	{"review.version", "UPDATE review SET version = 0"},
	{"review_counted", "UPDATE review SET counted = 4"},
	{"review_counted", "UPDATE review SET state = 2, hide_reason = 'x'"},
	{"review_hidden", "UPDATE review SET state = 2, counted = 0"},
	{"review_hidden", "UPDATE review SET hide_reason = 'x'"},
	{"report.subject_kind", "UPDATE report SET subject_kind = 0"},
	{"report.subject_kind", "UPDATE report SET subject_kind = 4"},
	{"report.kind", "UPDATE report SET kind = 0"},
	{"report.kind", "UPDATE report SET kind = 7"},
	{"report.state", "UPDATE report SET state = 0"},
	{"report.state", "UPDATE report SET state = 3, live = NULL, outcome = 1"},
	{"report.outcome", "UPDATE report SET outcome = -1, state = 2, live = NULL"},
	{"report.outcome", "UPDATE report SET outcome = 3, state = 2, live = NULL"},
	{"report.live", "UPDATE report SET live = 0"},
	{"report.version", "UPDATE report SET version = 0"},
	{"report_open", "UPDATE report SET state = 2, outcome = 1"},
	{"report_open", "UPDATE report SET state = 2, live = NULL"},
	{"report_open", "UPDATE report SET live = NULL"},
	{"report_open", "UPDATE report SET comment = 'x'"},
	{"report_guard.reports", "UPDATE report_guard SET reports = 0"},
};

static int setup(void **state)
{
	static const struct db_stmt_list *const lists[] = {&list, NULL};
	db = testdb_new();
	conn = testdb_connect(db, lists);
	for (size_t i = 0; i < ARRAY_SIZE(world); i++)
		testdb_run(conn, world[i]);
	return 0;
}

static int teardown(void **state)
{
	db_close(conn);
	testdb_free(db);
	return 0;
}

/* Rows of a statement, copied out. */
static unsigned names(enum stmt stmt, struct named *ret, unsigned max)
{
	struct named *rows;
	struct arena arena;
	struct error err;
	unsigned n;

	arena_init(&arena, 1 << 20);
	assert_int_equal(db_read_all(conn, &stmts[stmt], DB_NO_ARGS, &arena, &rows, &n, &err), 0);
	assert_in_range(n, 1, max);
	memcpy(ret, rows, n * sizeof(*rows));
	arena_done(&arena);
	return n;
}

static void test_a_check_refuses_what_it_is_for(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		char said[NAME_SIZE + 16];
		struct error err;

		snprintf(said, sizeof(said), "%s` failed", refused[i].check);
		if (db_run_text(conn, refused[i].sql, &err) >= 0)
			fail_msg("it was not refused: %s", refused[i].sql);
		if (!strstr(err.message, said))
			fail_msg("%s: %s", refused[i].sql, err.message);
	}
}

/* Columns that hold values of the contract's, with the greatest of them. */
static const struct {
	const char *table, *column;
	int max;
} values[] = {
	{"user", "state", UserState_MAX},
	{"course", "stage", COURSE_STAGES - 1},
	{"course", "level", CourseLevel_MAX},
	{"lesson", "kind", LessonKind_MAX},
	{"purchase", "state", PurchaseState_MAX},
	{"purchase", "payment_source", PaymentSource_MAX},
	{"access_grant", "scope_kind", AccessScope_MAX},
	{"access_grant", "source_kind", AccessSource_MAX},
	{"review", "state", ReviewState_MAX},
	{"report", "state", ReportState_MAX},
	{"report", "kind", ReportKind_MAX},
	{"report", "outcome", ReportOutcome_MAX},
};

static void test_a_check_takes_every_value_of_the_contract(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct error err;
		int r = db_found(
			conn, &stmts[RANGE],
			DB_ARGS(db_str(values[i].table), db_str(values[i].column), db_i64(values[i].max)),
			&err);
		if (r != 1)
			fail_msg("the CHECK of %s.%s does not end at %d", values[i].table, values[i].column,
				 values[i].max);
	}
}

static bool is_tried(const char *check)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (strcmp(refused[i].check, check) == 0)
			return true;
	return false;
}

static void test_every_check_is_tried(void **state)
{
	struct named checks[CHECKS_MAX];
	unsigned n = names(CHECKS, checks, CHECKS_MAX);

	for (unsigned i = 0; i < n; i++)
		if (!is_tried(checks[i].name))
			fail_msg("no row of `refused` tries %s of table %s", checks[i].name, checks[i].table);
}

static void alter(const char *table, const char *how)
{
	char sql[512];
	struct error err;

	snprintf(sql, sizeof(sql), "ALTER TABLE %s %s", table, how);
	if (db_run_text(conn, sql, &err) < 0)
		fail_msg("%s", err.message);
}

/* Neither copied nor closed to writers, whatever it has grown to. */
static void test_every_table_takes_a_column_and_a_key(void **state)
{
	struct named tables[TABLES_MAX];
	unsigned n = names(TABLES, tables, TABLES_MAX);

	for (unsigned i = 0; i < n; i++) {
		alter(tables[i].table, "ADD COLUMN added_later INT NOT NULL DEFAULT 0, ALGORITHM=INSTANT");
		alter(tables[i].table, "ADD KEY added_later (added_later), ALGORITHM=NOCOPY, LOCK=NONE");
		alter(tables[i].table, "DROP KEY added_later, ALGORITHM=NOCOPY, LOCK=NONE");
		alter(tables[i].table, "DROP COLUMN added_later, ALGORITHM=INSTANT");
	}
}

/* A range of a column goes with its definition, and is widened with it. One over several columns is dropped
 * at once, and made anew by copying the table. */
static void test_a_range_is_widened_at_once(void **state)
{
	alter("lesson_revision",
	      "MODIFY weight INT NOT NULL CHECK (weight BETWEEN 1 AND 2000), ALGORITHM=INSTANT");
	testdb_run(conn, "UPDATE lesson_revision SET weight = 2000");
	alter("course", "DROP CONSTRAINT course_published, ALGORITHM=INSTANT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_check_refuses_what_it_is_for),
		cmocka_unit_test(test_every_check_is_tried),
		cmocka_unit_test(test_a_check_takes_every_value_of_the_contract),
		cmocka_unit_test(test_every_table_takes_a_column_and_a_key),
		cmocka_unit_test(test_a_range_is_widened_at_once),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
