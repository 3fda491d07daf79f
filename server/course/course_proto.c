/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_proto.h"

#include "proto/runtime/codec.h"
#include "server/app/app.h"
#include "server/course/course_names.h"
#include "server/user/user_names.h"

static void put_instructors(struct arena *arena, const struct course *c, Course *ret)
{
	ret->instructors = arena_array(arena, c->n_instructors + 1, sizeof(CourseInstructor *));
	for (unsigned i = 0; ret->instructors && i < c->n_instructors; i++) {
		CourseInstructor *m = codec_new(COURSE_INSTRUCTOR_DESC, arena);
		if (!m)
			return;
		m->user_id = app_id(arena, ID_USER, c->instructors[i].user_id);
		m->share_basis_points = c->instructors[i].share_basis_points;
		ret->instructors[ret->n_instructors++] = m;
	}
}

static PriceList *price_list(struct arena *arena, const struct course *c)
{
	PriceList *list = codec_new(PRICE_LIST_DESC, arena);
	if (!list)
		return NULL;
	list->prices = arena_array(arena, c->n_prices + 1, sizeof(Money *));
	for (unsigned i = 0; list->prices && i < c->n_prices; i++) {
		Money *m = codec_new(MONEY_DESC, arena);
		if (!m)
			return NULL;
		m->currency_code = arena_strdup(arena, c->prices[i].currency_code);
		m->minor_units = c->prices[i].minor_units;
		list->prices[list->n_prices++] = m;
	}
	return list;
}

static void put_pricing(struct arena *arena, const struct course *c, Course *ret)
{
	if (c->pricing == COURSE_FREE && (ret->free = codec_new(FREE_DESC, arena)))
		ret->pricing_case = EDU__V1__COURSE__PRICING_FREE;
	if (c->pricing == COURSE_PRICED && (ret->price_list = price_list(arena, c)))
		ret->pricing_case = EDU__V1__COURSE__PRICING_PRICE_LIST;
}

CourseRating *course_rating_to_proto(struct arena *arena, const struct course_rating *r)
{
	CourseRating *ret = course_rating_count(r) ? codec_new(COURSE_RATING_DESC, arena) : NULL;
	if (!ret)
		return NULL;
	ret->average_hundredths = course_rating_average(r);
	ret->review_count = course_rating_count(r);
	ret->one_star = r->stars[0];
	ret->two_stars = r->stars[1];
	ret->three_stars = r->stars[2];
	ret->four_stars = r->stars[3];
	ret->five_stars = r->stars[4];
	return ret;
}

/* What lists leave out is NULL in the course and stays empty in the message. */
static void put_text(char **field, char *text)
{
	if (text)
		*field = text;
}

Course *course_to_proto(struct arena *arena, const struct course *c)
{
	Course *ret = codec_new(COURSE_DESC, arena);
	if (!ret)
		return NULL;
	ret->course_id = app_id(arena, ID_COURSE, c->course_id);
	ret->creator_id = app_id(arena, ID_USER, c->creator_id);
	put_text(&ret->external_id, c->external_id);
	put_text(&ret->title, c->title);
	put_text(&ret->summary, c->summary);
	put_text(&ret->description, c->description);
	put_text(&ret->audience, c->audience);
	put_text(&ret->prerequisites, c->prerequisites);
	ret->subject_id = app_id(arena, ID_SUBJECT, c->subject_id);
	put_text(&ret->language, c->language);
	put_text(&ret->license, c->license);
	ret->objectives = c->objectives;
	ret->n_objectives = c->n_objectives;
	ret->level = (Edu__V1__CourseLevel)c->level;
	put_instructors(arena, c, ret);
	put_pricing(arena, c, ret);
	ret->planned_learning_hours = c->planned_learning_hours;
	ret->state = (Edu__V1__CourseState)course_state_of(c->stage);
	ret->lesson_count = c->lesson_count;
	ret->rating = course_rating_to_proto(arena, &c->rating);
	ret->version = c->version;
	ret->revision = c->revision;
	ret->create_time = app_timestamp(arena, c->create_us);
	ret->update_time = app_timestamp(arena, c->update_us);
	ret->publish_time = app_timestamp(arena, c->publish_us);
	ret->etag = app_etag(arena, c->version);
	ret->cover_id = app_id(arena, ID_CONTENT, c->cover_id);
	ret->trailer_id = app_id(arena, ID_CONTENT, c->trailer_id);
	return ret;
}

Course *course_draft_to_proto(struct arena *arena, const struct course *c)
{
	Course *ret = course_to_proto(arena, c->beside ? c->beside : c);
	if (!ret)
		return NULL;
	ret->state = (Edu__V1__CourseState)course_state_of(c->stage);
	ret->draft_state = (Edu__V1__CourseState)course_draft_state_of(c->stage);
	ret->lesson_count = c->draft_lesson_count;
	ret->version = c->version;
	ret->update_time = app_timestamp(arena, c->update_us);
	ret->etag = app_etag(arena, c->version);
	ret->rejection_reasons = c->rejection_reasons;
	ret->n_rejection_reasons = c->n_rejection_reasons;
	return ret;
}

Lesson *lesson_to_proto(struct arena *arena, const struct lesson *l)
{
	Lesson *ret = codec_new(LESSON_DESC, arena);
	if (!ret)
		return NULL;
	ret->lesson_id = app_id(arena, ID_LESSON, l->info.lesson_id);
	ret->course_id = app_id(arena, ID_COURSE, l->info.course_id);
	put_text(&ret->external_id, l->external_id);
	put_text(&ret->title, l->title);
	ret->kind = (Edu__V1__LessonKind)l->info.kind;
	ret->duration_seconds = l->info.duration_seconds;
	ret->weight = l->info.weight;
	ret->position = l->info.position;
	ret->free_preview = l->info.free_preview;
	ret->create_time = app_timestamp(arena, l->create_us);
	ret->update_time = app_timestamp(arena, l->update_us);
	ret->section_id = app_id(arena, ID_SECTION, l->info.section_id);
	ret->release_time = app_timestamp(arena, l->info.release_us);
	ret->release_after_days = l->info.release_after_days;
	return ret;
}

Section *section_to_proto(struct arena *arena, const struct section *s)
{
	Section *ret = codec_new(SECTION_DESC, arena);
	if (!ret)
		return NULL;
	ret->section_id = app_id(arena, ID_SECTION, s->section_id);
	ret->course_id = app_id(arena, ID_COURSE, s->course_id);
	put_text(&ret->title, s->title);
	ret->position = s->position;
	return ret;
}
