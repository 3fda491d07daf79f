/* SPDX-License-Identifier: Apache-2.0 */
#include "server/lesson/download.h"

#include "edu/v1/edu_service.tables.h"
#include "server/db/table.h"

#define KEY_COLUMNS(F, C, R)                                                                                 \
	F(R, "user_id", I64, user_id)                                                                        \
	C(R, "device_name", TEXT, device_name)                                                               \
	C(R, "lesson_id", I64, lesson_id)
#define DOWNLOAD_COLUMNS(F, C, R)                                                                            \
	KEY_COLUMNS(F, C, R)                                                                                 \
	C(R, "start_time", I64, start_us)                                                                    \
	C(R, "expire_time", I64, expire_us)
DB_ROW(key_row, struct download, KEY_COLUMNS);
DB_ROW(download_row, struct download, DOWNLOAD_COLUMNS);

/* What a learner keeps: on this device, and on how many others. */
struct held {
	int64_t others, here, room_us; /* when the first lesson ends here; with none here, the first device */
};
#define HELD_COLUMNS(F, C, R)                                                                                \
	F(R, "IFNULL(SUM(device_name <> ?), 0)", I64, others)                                                \
	C(R, "IFNULL(SUM(IF(device_name = ?, lessons, 0)), 0)", I64, here)                                   \
	C(R, "COALESCE(MIN(IF(device_name = ?, first_time, NULL)), MIN(last_time), 0)", I64, room_us)
DB_ROW(held_row, struct held, HELD_COLUMNS);

enum stmt { GUARD, LIVE, HELD, PUT, PICK, REMOVE, AGE, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[GUARD] =
		{"download_guard", "i", NULL,
		 "INSERT INTO download_guard (user_id) VALUES (?) ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)"},
	[LIVE] = {"download_live", "isii", &db_row_i64,
		  "SELECT expire_time FROM download"
		  " WHERE user_id = ? AND device_name = ? AND lesson_id = ? AND expire_time > ?"},
	[HELD] = {"download_held", "sssii", &held_row,
		  DB_SELECT(HELD_COLUMNS,
			    " FROM (SELECT device_name, COUNT(*) lessons, MIN(expire_time) first_time,"
			    "  MAX(expire_time) last_time FROM download"
			    "  WHERE user_id = ? AND expire_time > ? GROUP BY device_name) device")},
	[PUT] = {"download_put", DB_LETTERS(DOWNLOAD_COLUMNS), NULL,
		 DB_UPSERT("download", DOWNLOAD_COLUMNS,
			   " start_time = VALUES(start_time), expire_time = VALUES(expire_time)")},
	[PICK] = {"download_pick_old", "ii", &key_row,
		  RETENTION_PICK_SQL(KEY_COLUMNS, "download", "download_expire", "expire_time")},
	[REMOVE] = {"download_remove", DB_LETTERS(KEY_COLUMNS), NULL,
		    "DELETE FROM download WHERE user_id = ? AND device_name = ? AND lesson_id = ?"},
	[AGE] = {"download_age", "", &db_row_i64, RETENTION_AGE_SQL("download", "expire_time")},
};
const struct db_stmt_list download_stmts = {"download", stmts, N_STMTS};
const struct retention download_retention = {
	.pick = &stmts[PICK],
	.remove = &stmts[REMOVE],
	.age = &stmts[AGE],
};

struct taking {
	const struct app *app;
	struct arena *arena;
	struct download *download;
};

static int raise_limit(const struct held *held, int64_t now_us, const char *what, unsigned most,
		       struct error *err)
{
	error_raise(err, &REASON_DOWNLOAD_LIMIT_REACHED,
		    "As many downloads are kept as may be; wait until one ends.");
	err->violation_kind = ERROR_VIOLATION_QUOTA;
	error_add_violation(err, what, "at most %u", most);
	error_add_metadata(err, "most", "%u", most);
	return error_set_retry(err, (held->room_us - now_us) / 1000 + 1);
}

static int check_limits(struct db_conn *conn, const struct taking *t, struct error *err)
{
	const struct download *d = t->download;
	const struct content_config *config = &t->app->content;
	struct held held;
	int r = db_read_one(conn, &stmts[HELD],
			    DB_ARGS(db_str(d->device_name), db_str(d->device_name), db_str(d->device_name),
				    db_i64(d->user_id), db_i64(d->start_us)),
			    t->arena, &held, err);

	if (r < 0)
		return r;
	if (held.here == 0 && held.others >= config->download_devices)
		return raise_limit(&held, d->start_us, "devices", config->download_devices, err);
	if (held.here >= config->download_lessons)
		return raise_limit(&held, d->start_us, "lessons", config->download_lessons, err);
	return 0;
}

static int take(struct db_conn *conn, void *arg, struct error *err)
{
	const struct taking *t = arg;
	struct download *d = t->download;
	int64_t live_us;
	int r = db_exec(conn, &stmts[GUARD], DB_ARGS(db_i64(d->user_id)), NULL, err);

	if (r >= 0)
		r = db_read(conn, &stmts[LIVE],
			    DB_ARGS(db_i64(d->user_id), db_str(d->device_name), db_i64(d->lesson_id),
				    db_i64(d->start_us)),
			    NULL, &live_us, err);
	if (r != 0) {
		if (r > 0 && live_us < d->expire_us)
			d->expire_us = live_us;
		return r < 0 ? r : 0;
	}
	r = check_limits(conn, t, err);
	return r < 0 ? r : db_write(conn, &stmts[PUT], &download_row, d, DB_NO_ARGS, err);
}

int download_take(const struct app *app, struct db_conn *conn, struct arena *arena, struct download *d,
		  int64_t end_us, struct error *err)
{
	struct taking t = {app, arena, d};

	d->start_us = clock_now_us(app->clock);
	d->expire_us = d->start_us + app->content.download_us;
	if (d->expire_us > end_us)
		d->expire_us = end_us > d->start_us ? end_us : d->start_us + 1; /* it ended meanwhile */
	return db_transaction(conn, true, take, &t, err);
}
