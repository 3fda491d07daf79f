/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REVIEW_REVIEW_NAMES_H
#define REVIEW_REVIEW_NAMES_H

#include "server/app/names.h"

#define REVIEW_IDS(X)                                                                                        \
	X(ID_REVIEW, "rvw")                                                                                  \
	X(ID_REPORT, "rpt")

/* For who listens to whatever becomes of one: each event names the course, whose rating may have changed. */
#define NOUN_REVIEW "review"

#define REVIEW_EVENTS(X) X(EVENT_REVIEW_UPDATED, "review.updated", ID_REVIEW)

/* Who teaches the course is told of a review, its author that it is hidden, or no longer; administrators of a
 * report, and who made it of what was decided. Events of reports name no user, whose organizations would
 * read them. */
#define REVIEW_PLATFORM_EVENTS(X)                                                                            \
	X(EVENT_REVIEW_CREATED, "review.created", ID_REVIEW)                                                 \
	X(EVENT_REVIEW_HIDDEN, "review.hidden", ID_REVIEW)                                                   \
	X(EVENT_REVIEW_UNHIDDEN, "review.unhidden", ID_REVIEW)                                               \
	X(EVENT_REPORT_FILED, "report.filed", ID_REPORT)                                                     \
	X(EVENT_REPORT_RESOLVED, "report.resolved", ID_REPORT)

#define REVIEW_AUDITS(X)                                                                                     \
	X(AUDIT_HIDE_REVIEW, "HideReview", ID_REVIEW)                                                        \
	X(AUDIT_UNHIDE_REVIEW, "UnhideReview", ID_REVIEW)                                                    \
	X(AUDIT_RESOLVE_REPORT, "ResolveReport", ID_REPORT)

REVIEW_IDS(NAME_ID)
REVIEW_EVENTS(NAME_EVENT)
REVIEW_PLATFORM_EVENTS(NAME_EVENT)
REVIEW_AUDITS(NAME_AUDIT)

#endif
