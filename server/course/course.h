/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_H
#define COURSE_COURSE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "edu/v1/course.tables.h"
#include "edu/v1/progress.tables.h"
#include "server/app/app.h"
#include "server/base/principal.h"
#include "server/db/db.h"

/*
 * What other areas may know of a course: whether somebody may see it, who teaches it, and on what terms it is
 * sold now.
 */

enum { COURSE_LESSONS_MAX = COURSE_PROGRESS_LESSONS_MAX_ITEMS };

/* edu.v1.CourseState; stored as these numbers. */
enum course_state {
	COURSE_DRAFT = COURSE_STATE_DRAFT,
	COURSE_IN_REVIEW = COURSE_STATE_IN_REVIEW,
	COURSE_PUBLISHED = COURSE_STATE_PUBLISHED,
	COURSE_ARCHIVED = COURSE_STATE_ARCHIVED,
};
static_assert(COURSE_ARCHIVED == CourseState_MAX, "a new state of the contract's");

/*
 * Where a course stands, the draft beside what is published included; stored as these numbers. The contract
 * shows it as two states.
 */
enum course_stage {
	STAGE_DRAFT = COURSE_DRAFT,
	STAGE_IN_REVIEW = COURSE_IN_REVIEW,
	STAGE_PUBLISHED = COURSE_PUBLISHED,
	STAGE_ARCHIVED = COURSE_ARCHIVED,
	STAGE_REVISING,           /* PUBLISHED, and a draft beside it */
	STAGE_REVISION_IN_REVIEW, /* the same, and the draft waits for review */
	STAGE_SHELVED,            /* ARCHIVED, and a draft beside it */
	COURSE_STAGES,
};

/* Of the course, and of the draft beside it: 0 when there is none. */
enum course_state course_state_of(enum course_stage stage);
enum course_state course_draft_state_of(enum course_stage stage);

/* In the catalogue and on sale. */
bool course_state_published(enum course_state state);

enum course_pricing { COURSE_UNPRICED = 0, COURSE_FREE = 1, COURSE_PRICED = 2 };

struct course_share {
	int64_t user_id;
	int share_basis_points; /* of what the platform leaves */
};

struct course_terms {
	int64_t course_id, creator_id, version, revision;
	enum course_state state;
	char *title; /* in the arena */
	int lesson_count;
	int planned_learning_hours; /* 0: not said */
	enum course_pricing pricing;
	bool offered;              /* COURSE_PRICED, and there is a price in the currency asked for */
	int64_t price_minor_units; /* that price, above 0; 0 when not offered */
	int platform_basis_points; /* the platform's part of what it brings; -1: as of every course */
	unsigned n_instructors;
	struct course_share instructors[COURSE_INSTRUCTORS_MAX_ITEMS]; /* in the order of the course */
};

/*
 * The terms as committed now; one round trip. `currency` NULL asks for no price. COURSE_NOT_FOUND when there
 * is no such course; whether the caller may see it is the caller's question.
 */
int course_terms_read(struct db_conn *conn, struct arena *arena, int64_t course_id, const char *currency,
		      struct course_terms *ret, struct error *err) __attribute__((warn_unused_result));

/* The same of a course that the caller may see; COURSE_NOT_FOUND else. Only on RPC_ON_DB. */
int course_terms_seen(struct rpc_call *call, int64_t course_id, const char *currency,
		      struct course_terms *ret, struct error *err) __attribute__((warn_unused_result));

/* The user stands in the course's list, and is paid for it: whatever roles are held now. */
bool course_has_share(const struct course_share *instructors, unsigned n, int64_t user_id);

/* The rule of who acts as an instructor of a course: who stands in its list and still holds the role
 * INSTRUCTOR. */
bool course_acts_as_instructor(const struct course_share *instructors, unsigned n,
			       const struct principal *who);

/* The rule of who sees a course: it is published, or the caller acts as its instructor or administers, or it
 * is archived and the caller has or had access to it. To others it is COURSE_NOT_FOUND. Every question about
 * seeing one asks here; the first part of the rule asks nobody. */
bool course_open_to(enum course_state state, const struct course_share *instructors, unsigned n,
		    const struct principal *who);

/* Who sees what is edited of a course: its instructors, as course_acts_as_instructor() says, and
 * administrators. */
bool course_draft_open_to(const struct course_share *instructors, unsigned n, const struct principal *who);

/* The last part of it comes into question. */
bool course_kept_for(enum course_state state, const struct principal *who);

/* The whole rule: 1 when the caller sees the course, 0 when not, negative on trouble. Only on RPC_ON_DB. */
int course_seen(struct rpc_call *call, int64_t course_id, enum course_state state,
		const struct course_share *instructors, unsigned n, struct error *err)
	__attribute__((warn_unused_result));

/* Who reads what a course, which he sees, was before: its instructors, administrators, and who has or had
 * access to it; ACCESS_MISSING else. Only on RPC_ON_DB. */
int course_check_past(struct rpc_call *call, const struct course_terms *c, struct error *err)
	__attribute__((warn_unused_result));

/* Raises REVISION_NOT_FOUND, which tells the newest that there is. */
int course_revision_not_found(int64_t newest, struct error *err) __attribute__((warn_unused_result));

bool course_taught_by(const struct course_terms *c, const struct principal *who);

/* The id in a request's text, which the rules have checked; 0 when it is empty. */
int64_t course_id_of(const char *text);

extern const struct app_resource course_resource;

/* Raises COURSE_NOT_FOUND for the course. */
int course_not_found(struct error *err, int64_t course_id);

/* Raises what somebody is told who may not act for the course, who sees it (1) or not (0), as course_seen()
 * says: NOT_COURSE_INSTRUCTOR or COURSE_NOT_FOUND. Trouble with that stays what it was. */
int course_refused(int seen, int64_t course_id, struct error *err) __attribute__((warn_unused_result));

/* The same of the caller and the course's terms. */
int course_refuse_caller(struct rpc_call *call, const struct course_terms *c, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list course_stmts;

#endif
