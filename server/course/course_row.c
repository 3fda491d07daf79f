/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_row.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "edu/v1/content.tables.h"

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

static void read_rating(const char *text, struct course *ret)
{
	char *end;
	for (unsigned i = 0; *text && i < COURSE_STARS_MAX; text = *end ? end + 1 : end)
		ret->rating.stars[i++] = strtoll(text, &end, 10);
}

void course_content_of_row(struct course *c)
{
	const char *text = c->text.content;
	char *end;
	c->cover_id = c->trailer_id = 0;
	for (; *text; text = *end ? end + 1 : end) {
		const long role = strtol(text, &end, 10);
		const int64_t content_id = strtoll(end + 1, &end, 10);
		if (role == CONTENT_ROLE_COVER)
			c->cover_id = content_id;
		if (role == CONTENT_ROLE_TRAILER)
			c->trailer_id = content_id;
	}
}

int course_texts_of_json(struct arena *arena, const char *json, char ***ret, size_t *ret_n, struct error *err)
{
	json_t *array = json_loads(json, 0, NULL);
	if (!json_is_array(array)) {
		json_decref(array);
		return error_internal(err, "a course has texts that are no array");
	}
	*ret = arena_array(arena, json_array_size(array) + 1, sizeof(char *));
	for (size_t i = 0; *ret && i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);
		(*ret)[i] = arena_strndup(arena, json_string_value(item), json_string_length(item));
		*ret_n = i + 1;
	}
	json_decref(array);
	return 0;
}

void course_count_lessons(struct course *c, int n)
{
	c->draft_lesson_count = n;
	if (c->revision == 0)
		c->lesson_count = n;
}

int course_of_row(struct course *c, struct arena *arena, struct error *err)
{
	read_instructors(c->text.instructors, c);
	read_prices(c->text.prices, c);
	read_rating(c->text.rating, c);
	course_content_of_row(c);
	int r = c->text.objectives ? course_texts_of_json(arena, c->text.objectives, &c->objectives,
							  &c->n_objectives, err)
				   : 0;
	if (r >= 0 && c->text.rejection_reasons)
		r = course_texts_of_json(arena, c->text.rejection_reasons, &c->rejection_reasons,
					 &c->n_rejection_reasons, err);
	return r < 0 ? r : arena_check(arena, err);
}

char *course_texts_to_json(struct arena *arena, char *const *texts, size_t n)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_string(texts[i]));
	char *text = json_dumps(array, JSON_COMPACT);
	char *copy = text ? arena_strdup(arena, text) : NULL;
	free(text);
	json_decref(array);
	return copy;
}

int course_to_row(const struct course *c, struct arena *arena, struct course *ret, struct error *err)
{
	*ret = *c;
	ret->text.objectives = course_texts_to_json(arena, c->objectives, c->n_objectives);
	ret->text.rejection_reasons =
		course_texts_to_json(arena, c->rejection_reasons, c->n_rejection_reasons);
	return ret->text.objectives && ret->text.rejection_reasons ? 0 : arena_full(err);
}
