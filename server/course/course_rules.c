/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_rules.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "proto/runtime/format.h"
#include "proto/runtime/ids.h"
#include "proto/runtime/rules.h"
#include "server/course/course_names.h"
#include "server/user/user_names.h"

bool course_has_instructor(const struct course *c, int64_t user_id)
{
	return course_has_share(c->instructors, c->n_instructors, user_id);
}

bool course_seen_by(const struct course *c, const struct principal *who)
{
	return course_open_to(course_state_of(c->stage), c->instructors, c->n_instructors, who);
}

bool course_only_pricing(char *const *paths, size_t n_paths)
{
	for (size_t i = 0; i < n_paths; i++)
		if (strcmp(paths[i], "free") != 0 && strcmp(paths[i], "price_list") != 0)
			return false;
	return true;
}

int course_check_reviewer(const struct course *c, const struct principal *who, struct error *err)
{
	const bool to_teach = c->beside && course_has_instructor(c->beside, who->user_id);
	if (c->creator_id != who->user_id && !course_has_instructor(c, who->user_id) && !to_teach)
		return 0;
	return error_raise(err, &REASON_SELF_APPROVAL,
			   "You teach or made this course; another administrator has to approve it.");
}

int course_full(struct error *err)
{
	return error_raise(err, &REASON_COURSE_FULL,
			   "The course holds as much as a course may; make another course.");
}

static int add_gap(struct error *err, int so_far, const char *field, const char *needs)
{
	return error_precondition(err, so_far, &REASON_COURSE_INCOMPLETE,
				  "The course is not complete; fill in what is listed.", field, "%s", needs);
}

int course_add_lesson_gap(struct error *err, int so_far, int64_t lesson_id, int position, const char *needs)
{
	char field[64], id[ID_TEXT_MAX], text[ID_TEXT_MAX + 64];

	id_format(ID_LESSON, lesson_id, id);
	snprintf(field, sizeof(field), "lessons[%d]", position - 1);
	snprintf(text, sizeof(text), "%s %s", id, needs);
	return add_gap(err, so_far, field, text);
}

int course_check_complete(const struct course *c, struct error *err)
{
	const struct {
		const char *field, *needs;
		bool missing;
	} needed[] = {
		{"summary", "must not be empty", !*c->summary},
		{"subject_id", "must be set", c->subject_id == 0},
		{"level", "must be set", c->level == 0},
		{"language", "must not be empty", !*c->language},
		{"pricing", "must be free or a price list", c->pricing == COURSE_UNPRICED},
		{"instructors", "must name at least one", c->n_instructors == 0},
		{"lessons", "must be at least one", c->draft_lesson_count == 0},
	};
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (needed[i].missing)
			r = add_gap(err, r, needed[i].field, needed[i].needs);
	return r;
}

int course_take_instructors(struct course *c, CourseInstructor *const *list, size_t n, struct error *err)
{
	static_assert(CREATE_COURSE_REQUEST_INSTRUCTORS_MAX_ITEMS <= COURSE_INSTRUCTORS_MAX_ITEMS,
		      "a new course has no more of them than any");
	int sum = 0;
	c->n_instructors = 0;
	for (size_t i = 0; i < n; i++) {
		const int64_t user_id = id_of(ID_USER, list[i]->user_id);
		char field[64];
		snprintf(field, sizeof(field), "instructors[%zu].user_id", i);
		if (course_has_instructor(c, user_id))
			return error_field(err, field, "is named twice");
		sum += list[i]->share_basis_points;
		c->instructors[c->n_instructors++] =
			(struct course_share){user_id, list[i]->share_basis_points};
	}
	if (sum > BASIS_POINTS)
		return error_field(err, "instructors", "shares must add up to at most %d, is %d",
				   BASIS_POINTS, sum);
	return 0;
}

static bool has_price_in(const struct course *c, const char *currency)
{
	for (unsigned i = 0; i < c->n_prices; i++)
		if (strcmp(c->prices[i].currency_code, currency) == 0)
			return true;
	return false;
}

int course_take_prices(struct course *c, const PriceList *list, struct error *err)
{
	c->pricing = COURSE_PRICED;
	c->n_prices = 0;
	for (size_t i = 0; i < list->n_prices; i++) {
		const Money *price = list->prices[i];
		struct course_price *p = &c->prices[c->n_prices];
		char field[64];
		snprintf(field, sizeof(field), "price_list.prices[%zu]", i);
		if (price->minor_units <= 0)
			return error_field(err, field,
					   "must be above zero; a course that costs nothing is free");
		if (has_price_in(c, price->currency_code))
			return error_field(err, field, "is a second price in its currency");
		snprintf(p->currency_code, sizeof(p->currency_code), "%s", price->currency_code);
		p->minor_units = price->minor_units;
		c->n_prices++;
	}
	return 0;
}

static int take_pricing(struct course *c, const Course *from, struct error *err)
{
	switch (from->pricing_case) {
	case EDU__V1__COURSE__PRICING_PRICE_LIST:
		return course_take_prices(c, from->price_list, err);
	case EDU__V1__COURSE__PRICING_FREE:
		c->pricing = COURSE_FREE;
		break;
	default:
		if (course_state_published(course_state_of(c->stage)))
			return error_field(err, "course.pricing", "must be set: the course is published");
		c->pricing = COURSE_UNPRICED;
	}
	c->n_prices = 0;
	return 0;
}

/* By its instructors, who must stay in it themselves, and by administrators. */
static int change_instructors(struct course *c, const Course *from, const struct principal *who,
			      struct error *err)
{
	if (from->n_instructors == 0)
		return error_field(err, "course.instructors", "must name at least one");
	int r = course_take_instructors(c, from->instructors, from->n_instructors, err);
	if (r < 0)
		return r;
	if (!principal_has_role(who, ROLE_MASK_ADMIN) && !course_has_instructor(c, who->user_id))
		return error_field(err, "course.instructors",
				   "must name yourself; an administrator may take you out");
	return 0;
}

int course_take_fields(struct course *c, const Course *from, char *const *paths, size_t n_paths,
		       const struct principal *who, struct error *err)
{
	const struct {
		const char *path;
		char **to, *value;
	} texts[] = {
		{"title", &c->title, from->title},
		{"summary", &c->summary, from->summary},
		{"description", &c->description, from->description},
		{"audience", &c->audience, from->audience},
		{"prerequisites", &c->prerequisites, from->prerequisites},
		{"language", &c->language, from->language},
		{"license", &c->license, from->license},
	};
	int r = 0;

	format_language(from->language);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (mask_has(paths, n_paths, texts[i].path))
			*texts[i].to = texts[i].value;
	if (!*c->title)
		return error_field(err, "course.title", "must not be empty");
	if (mask_has(paths, n_paths, "objectives")) {
		c->objectives = from->objectives;
		c->n_objectives = from->n_objectives;
	}
	if (mask_has(paths, n_paths, "subject_id"))
		c->subject_id = id_of(ID_SUBJECT, from->subject_id);
	if (mask_has(paths, n_paths, "level"))
		c->level = (int)from->level;
	if (mask_has(paths, n_paths, "planned_learning_hours"))
		c->planned_learning_hours = from->planned_learning_hours;
	if (mask_has(paths, n_paths, "free") || mask_has(paths, n_paths, "price_list"))
		r = take_pricing(c, from, err);
	if (r >= 0 && mask_has(paths, n_paths, "instructors"))
		r = change_instructors(c, from, who, err);
	return r;
}
