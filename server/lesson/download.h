/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LESSON_DOWNLOAD_H
#define LESSON_DOWNLOAD_H

#include "server/app/app.h"
#include "server/db/retention.h"

/*
 * What a learner takes along: a lesson on a device, for up to content_config's download_us, counted once
 * while it lasts. Stores take URLs of at most seven days; asking again renews them and is not counted again.
 */
struct download {
	int64_t user_id;
	char *device_name;
	int64_t lesson_id;
	int64_t start_us, expire_us;
};

/*
 * Counts this one, unless it is counted: sets when it began and until when it may be kept (start_us,
 * expire_us), which is not beyond `end_us`. A row of the learner's guards the count, so that no race takes
 * more. DOWNLOAD_LIMIT_REACHED. A transaction of its own; blocks.
 */
int download_take(const struct app *app, struct db_conn *conn, struct arena *arena, struct download *d,
		  int64_t end_us, struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list download_stmts;

/* One is over when it has ended. */
extern const struct retention download_retention;

#endif
