/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_MARKS_H
#define PROGRESS_MARKS_H

#include "server/app/app.h"

/*
 * From marks to events. What changes the facts of a learner's day in a course marks it, in the same
 * transaction; a mark that is old enough becomes one event, EVENT_PROGRESS_RECORDED, which tells the
 * organizations that follow the feed to read these facts anew; or none, when the learner is a member of none:
 * nobody else asks, and from before he joins there is nothing to be seen. However many reports came
 * meanwhile, it is one event; and whatever commits after the mark was taken marks anew, so that the feed's
 * order skips no change. Marks cannot pile up: there is one at most for each learner, day and course, and
 * when they are taken late they stand for more reports.
 */
enum {
	PROGRESS_MARKS_BATCH = 256, /* taken in one transaction, whose locks reports wait for */
	PROGRESS_MARKS_TURN = 1024, /* and in one turn, at most */
};

/* Takes what was marked until then, batch after batch. On a connection with `progress_day_stmts` and
 * `event_stmts`. */
int progress_marks_turn(struct app *app, struct db_conn *conn, int64_t until_us, struct error *err)
	__attribute__((warn_unused_result));

/* One batch: how many marks there were, or negative. What a report is writing just now is left for the next
 * time.
 */
int progress_marks_take(struct app *app, struct db_conn *conn, int64_t until_us, struct error *err)
	__attribute__((warn_unused_result));

#endif
