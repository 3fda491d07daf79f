/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_row.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

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

int course_of_row(struct course *c, struct arena *arena, struct error *err)
{
	read_instructors(c->text.instructors, c);
	read_prices(c->text.prices, c);
	read_rating(c->text.rating, c);
	int r = c->text.objectives ? read_objectives(c->text.objectives, arena, c, err) : 0;
	return r < 0 ? r : arena_check(arena, err);
}

/* The objectives as a JSON array in the arena; NULL when memory is out. */
static char *write_objectives(struct arena *arena, const struct course *c)
{
	json_t *array = json_array();
	for (size_t i = 0; i < c->n_objectives; i++)
		json_array_append_new(array, json_string(c->objectives[i]));
	char *text = json_dumps(array, JSON_COMPACT);
	char *copy = text ? arena_strdup(arena, text) : NULL;
	free(text);
	json_decref(array);
	return copy;
}

int course_to_row(const struct course *c, struct arena *arena, struct course *ret, struct error *err)
{
	*ret = *c;
	ret->text.objectives = write_objectives(arena, c);
	return ret->text.objectives ? 0 : arena_full(err);
}
