/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_row.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "server/app/app.h"

enum listed_column {
	COURSE_ID,
	CREATOR_ID,
	EXTERNAL_ID,
	TITLE,
	SUMMARY,
	SUBJECT,
	LANGUAGE,
	LICENSE,
	LEVEL,
	PRICING,
	PLANNED,
	STATE,
	LESSON_COUNT,
	VERSION,
	REVISION,
	CREATE_US,
	UPDATE_US,
	PUBLISH_US,
	INSTRUCTORS,
	PRICES,
	DESCRIPTION,
	AUDIENCE,
	PREREQUISITES,
	OBJECTIVES,
};

static void read_instructors(const char *text, struct course *ret)
{
	char *end;
	for (; *text && ret->n_instructors < COURSE_INSTRUCTORS_MAX_ITEMS; text = *end ? end + 1 : end) {
		struct course_share *share = &ret->instructors[ret->n_instructors++];
		share->user_id = strtoll(text, &end, 10);
		share->share_basis_points = (int)strtol(end + 1, &end, 10);
	}
}

static void read_prices(const char *text, struct course *ret)
{
	char *end;
	for (; *text && ret->n_prices < PRICE_LIST_PRICES_MAX_ITEMS; text = *end ? end + 1 : end) {
		struct course_price *price = &ret->prices[ret->n_prices++];
		memcpy(price->currency_code, text, 3);
		price->minor_units = strtoll(text + 4, &end, 10);
	}
}

static int read_objectives(const char *text, struct arena *arena, struct course *ret, struct error *err)
{
	json_t *array = json_loads(text, 0, NULL);
	if (!json_is_array(array)) {
		json_decref(array);
		return error_internal(err, "the objectives of course %" PRId64 " are no array",
				      ret->course_id);
	}
	ret->objectives = arena_array(arena, json_array_size(array) + 1, sizeof(char *));
	for (size_t i = 0; ret->objectives && i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);
		ret->objectives[i] = arena_strndup(arena, json_string_value(item), json_string_length(item));
		ret->n_objectives = i + 1;
	}
	json_decref(array);
	return 0;
}

void course_row_read_listed(const struct db_rows *rows, struct arena *arena, struct course *ret)
{
	const char *instructors = db_col_str(rows, INSTRUCTORS, arena),
		   *prices = db_col_str(rows, PRICES, arena);
	*ret = (struct course){
		.course_id = db_col_i64(rows, COURSE_ID),
		.creator_id = db_col_i64(rows, CREATOR_ID),
		.external_id = db_is_null(rows, EXTERNAL_ID) ? NULL : db_col_str(rows, EXTERNAL_ID, arena),
		.title = db_col_str(rows, TITLE, arena),
		.summary = db_col_str(rows, SUMMARY, arena),
		.subject = db_col_str(rows, SUBJECT, arena),
		.language = db_col_str(rows, LANGUAGE, arena),
		.license = db_col_str(rows, LICENSE, arena),
		.level = (int)db_col_i64(rows, LEVEL),
		.pricing = (enum course_pricing)db_col_i64(rows, PRICING),
		.planned_learning_hours = (int)db_col_i64(rows, PLANNED),
		.state = (enum course_state)db_col_i64(rows, STATE),
		.lesson_count = (int)db_col_i64(rows, LESSON_COUNT),
		.version = db_col_i64(rows, VERSION),
		.revision = db_col_i64(rows, REVISION),
		.create_us = db_col_i64(rows, CREATE_US),
		.update_us = db_col_i64(rows, UPDATE_US),
		.publish_us = db_col_i64(rows, PUBLISH_US),
	};
	if (instructors)
		read_instructors(instructors, ret);
	if (prices)
		read_prices(prices, ret);
}

int course_row_read_whole(const struct db_rows *rows, struct arena *arena, struct course *ret,
			  struct error *err)
{
	const char *objectives = db_col_str(rows, OBJECTIVES, arena);
	course_row_read_listed(rows, arena, ret);
	ret->description = db_col_str(rows, DESCRIPTION, arena);
	ret->audience = db_col_str(rows, AUDIENCE, arena);
	ret->prerequisites = db_col_str(rows, PREREQUISITES, arena);
	int r = objectives ? read_objectives(objectives, arena, ret, err) : 0;
	return r < 0 ? r : app_built(arena, err);
}
