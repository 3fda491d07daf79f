/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REVIEW_REPORT_STORE_H
#define REVIEW_REPORT_STORE_H

#include <assert.h>

#include "edu/v1/edu_service.tables.h"
#include "server/app/app.h"

/* Reports as they are stored. Text lies in the arena given to whoever filled them. */

/* edu.v1.ReportState; stored as these numbers. */
enum report_state {
	REPORT_OPEN = REPORT_STATE_OPEN,
	REPORT_RESOLVED = REPORT_STATE_RESOLVED,
};
static_assert(REPORT_RESOLVED == ReportState_MAX, "a new state of the contract's");

enum report_subject { REPORT_OF_COURSE = 1, REPORT_OF_LESSON = 2, REPORT_OF_REVIEW = 3 };

struct content_report {
	int64_t report_id, reporter_id;
	enum report_subject subject_kind;
	int64_t subject_id;
	int64_t course_id; /* that the subject is, or is part of */
	int kind;          /* edu.v1.ReportKind */
	char *text;
	enum report_state state;
	int outcome;   /* edu.v1.ReportOutcome; 0 while it is open */
	char *comment; /* "" while it is open */
	int64_t live;  /* 1 while it is open, else 0 */
	int64_t version;
	int64_t create_us, update_us; /* update_us: when it was resolved, once it is */
};

enum { REPORTS_A_DAY = 20 };

extern const struct app_resource report_resource;

/* REPORT_NOT_FOUND when there is none. And the same locked until the transaction ends. */
int report_store_read(struct db_conn *conn, struct arena *arena, int64_t report_id,
		      struct content_report *ret, struct error *err) __attribute__((warn_unused_result));
int report_store_lock(struct db_conn *conn, struct arena *arena, int64_t report_id,
		      struct content_report *ret, struct error *err) __attribute__((warn_unused_result));

/* Writes a new report and counts it among the reporter's of the day. ALREADY_REPORTED names the open one;
 * REPORTS_EXHAUSTED. */
int report_store_insert(struct db_conn *conn, const struct content_report *r, struct error *err)
	__attribute__((warn_unused_result));
int report_store_update(struct db_conn *conn, const struct content_report *r, struct error *err)
	__attribute__((warn_unused_result));

/* At most `limit` reports in the state after that id, of one course or, with 0, of any: an array in the
 * arena. */
int report_store_list(struct db_conn *conn, struct arena *arena, enum report_state state, int64_t course_id,
		      int64_t after_id, unsigned limit, struct content_report **ret, unsigned *ret_n,
		      struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list report_stmts;

#endif
