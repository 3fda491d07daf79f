/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/examples/import_oulad/import.h"
#include "client/examples/import_oulad/patience.h"
#include "edu/v1/edu_service.client.h"

enum { PAGE_SIZE = 100 };

/* --- the course --- */

/* *ret is NULL when there is none. */
static int course_find(struct import *im, struct arena *arena, Course **ret, struct error *err)
{
	ListCoursesRequest request = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *response;
	struct patience p = PATIENCE;
	int r;

	request.instructor_id = im->user_id;
	request.external_id = im->course_key;
	do {
		tally_calls(&im->tally, 1);
		r = edu_service_list_courses_call(im->channel, &request, NULL, arena, &response, err);
	} while (patience_again(&p, r, err));
	if (r < 0)
		return r;
	*ret = response->n_courses ? response->courses[0] : NULL;
	return 0;
}

/* The subject of that name on a page of them; NULL when it is not there. */
static char *subject_named(const ListSubjectsResponse *page, const char *name)
{
	for (size_t i = 0; i < page->n_subjects; i++) {
		Subject *s = page->subjects[i];
		if (strcasecmp(s->name_en, name) == 0 || strcmp(s->name_zh, name) == 0)
			return s->subject_id;
	}
	return NULL;
}

/* A partner makes no subjects: the course is of one that is there. */
static int subject_find(struct import *im, struct arena *arena, char **ret, struct error *err)
{
	ListSubjectsRequest request = LIST_SUBJECTS_REQUEST_INIT;
	ListSubjectsResponse *response;
	int r;

	request.page_size = PAGE_SIZE;
	do {
		struct patience p = PATIENCE;
		do {
			tally_calls(&im->tally, 1);
			r = edu_service_list_subjects_call(im->channel, &request, NULL, arena, &response,
							   err);
		} while (patience_again(&p, r, err));
		if (r < 0)
			return r;
		*ret = subject_named(response, im->options->subject);
		request.page_token = response->next_page_token;
	} while (!*ret && *request.page_token);
	return *ret ? 0
		    : error_raise(err, &REASON_SUBJECT_NOT_FOUND, "the server has no subject \"%s\"",
				  im->options->subject);
}

static int course_make(struct import *im, struct arena *arena, Course **ret, struct error *err)
{
	CreateCourseRequest request = CREATE_COURSE_REQUEST_INIT;
	PriceList list = PRICE_LIST_INIT;
	Money price = MONEY_INIT, *prices[] = {&price};
	char title[64], summary[256], request_id[UUID_TEXT_MAX];
	const struct oulad *o = &im->data;
	bool replayed = false;
	const struct client_call_options options = {.replayed = &replayed};
	CreateCourseResponse *response;
	struct patience p = PATIENCE;

	int r = subject_find(im, arena, &request.subject_id, err);
	if (r < 0)
		return r;
	snprintf(title, sizeof(title), "%s %s", o->module, o->presentation);
	snprintf(summary, sizeof(summary),
		 "Module %s, presentation %s, of the Open University Learning Analytics Dataset: %d days, %u "
		 "materials.",
		 o->module, o->presentation, o->length_days, o->n_materials);
	price.currency_code = (char *)im->options->currency;
	price.minor_units = im->options->price;
	list.n_prices = 1;
	list.prices = prices;
	request.title = title;
	request.summary = summary;
	request.external_id = im->course_key;
	request.level = COURSE_LEVEL_ALL;
	request.language = (char *)"en";
	request.license = (char *)"CC-BY-4.0";
	request.pricing_case = EDU__V1__CREATE_COURSE_REQUEST__PRICING_PRICE_LIST;
	request.price_list = &list;
	request.request_id = key_uuid(request_id, "course/%s/%s/%s/%" PRId64, im->course_key,
				      request.subject_id, im->options->currency, im->options->price);
	do {
		tally_calls(&im->tally, 1);
		r = edu_service_create_course_call(im->channel, &request, &options, arena, &response, err);
	} while (patience_again(&p, r, err));
	tally_step(&im->tally, THING_COURSE, r, replayed);
	if (r == 0)
		*ret = response->course;
	return r;
}

/* Nobody is to pay another price than the one that was asked for. */
static int price_check(const struct import *im, const Course *course, struct error *err)
{
	const struct options *o = im->options;
	char asked[64], found[64] = "nothing in this currency";

	if (course->pricing_case == EDU__V1__COURSE__PRICING_PRICE_LIST) {
		for (size_t i = 0; i < course->price_list->n_prices; i++) {
			const Money *price = course->price_list->prices[i];
			if (strcmp(price->currency_code, o->currency) != 0)
				continue;
			if (price->minor_units == o->price)
				return 0;
			money_format(price->currency_code, price->minor_units, found, sizeof(found));
		}
	}
	return error_raise(err, &RPC_REASON_FIELD_INVALID, "course %s (%s) costs %s, not %s as --price says",
			   im->course_key, course->course_id, found,
			   money_format(o->currency, o->price, asked, sizeof(asked)));
}

static int course_ensure(struct import *im, struct arena *arena, Course **ret, struct error *err)
{
	int r = course_find(im, arena, ret, err);

	if (r < 0)
		return r;
	if (!*ret)
		r = course_make(im, arena, ret, err);
	else
		tally_add(&im->tally, THING_COURSE, FATE_FOUND, 1);
	if (r == 0)
		r = price_check(im, *ret, err);
	if (r == 0)
		snprintf(im->course_id, sizeof(im->course_id), "%s", (*ret)->course_id);
	return r;
}

/* --- publishing --- */

/* A lost answer shows as a state that the course has left already. */
static bool state_passed(int r, const struct error *err)
{
	return r < 0 && err->reason && strcmp(err->reason->name, REASON_COURSE_STATE_INVALID.name) == 0;
}

static int course_submit(struct import *im, struct arena *arena, struct error *err)
{
	SubmitCourseForReviewRequest request = SUBMIT_COURSE_FOR_REVIEW_REQUEST_INIT;
	SubmitCourseForReviewResponse *response;
	struct patience p = PATIENCE;
	int r;

	request.course_id = im->course_id;
	do {
		tally_calls(&im->tally, 1);
		r = edu_service_submit_course_for_review_call(im->channel, &request, NULL, arena, &response,
							      err);
	} while (patience_again(&p, r, err));
	return p.tries && state_passed(r, err) ? 0 : r;
}

static int course_approve(struct import *im, struct arena *arena, struct error *err)
{
	ApproveCourseRequest request = APPROVE_COURSE_REQUEST_INIT;
	ApproveCourseResponse *response;
	struct patience p = PATIENCE;
	struct client_call_options as_approver = {0};

	if (!im->options->approver)
		return error_raise(
			err, &REASON_SELF_APPROVAL,
			"course %s (%s) waits for an administrator: who made it may not approve it",
			im->course_key, im->course_id);
	int r = connection_approver(im, arena, &as_approver.token, err);
	if (r < 0)
		return r;
	request.course_id = im->course_id;
	request.comment = (char *)"Imported from OULAD.";
	do {
		tally_calls(&im->tally, 1);
		r = edu_service_approve_course_call(im->channel, &request, &as_approver, arena, &response,
						    err);
	} while (patience_again(&p, r, err));
	return p.tries && state_passed(r, err) ? 0 : r;
}

/* --- lessons --- */

static LessonKind lesson_kind(const char *activity)
{
	if (strcmp(activity, "quiz") == 0)
		return LESSON_KIND_EXERCISE; /* its questions are not told, and a QUIZ needs them */
	if (strcmp(activity, "ouelluminate") == 0 || strcmp(activity, "oucollaborate") == 0)
		return LESSON_KIND_LIVE;
	return LESSON_KIND_TEXT;
}

static int material_order(const void *key, const void *item)
{
	const struct oulad_material *m = item;
	int64_t id = *(const int64_t *)key;

	return id < m->id ? -1 : id > m->id;
}

/* A lesson that is no material's was added by somebody else, and is left alone. */
static void lesson_found(struct import *im, const Lesson *lesson)
{
	char *end;
	int64_t id = strtoll(lesson->external_id, &end, 10);
	const struct oulad_material *m =
		*lesson->external_id && !*end
			? bsearch(&id, im->data.materials, im->data.n_materials, sizeof(*m), material_order)
			: NULL;

	if (m)
		snprintf(im->lesson_ids[m - im->data.materials], ID_TEXT_MAX, "%s", lesson->lesson_id);
}

static int lessons_find(struct import *im, struct error *err)
{
	ListLessonsRequest request = LIST_LESSONS_REQUEST_INIT;
	ListLessonsResponse *response;
	char token[1025] = "";
	struct arena arena;
	int r;

	request.course_id = im->course_id;
	request.page_size = PAGE_SIZE;
	request.page_token = token;
	arena_init(&arena, IMPORT_ARENA_MAX);
	do {
		struct patience p = PATIENCE;
		arena_reset(&arena);
		do {
			tally_calls(&im->tally, 1);
			r = edu_service_list_lessons_call(im->channel, &request, NULL, &arena, &response,
							  err);
		} while (patience_again(&p, r, err));
		for (size_t i = 0; r == 0 && i < response->n_sections; i++)
			section_found(im, response->sections[i]);
		for (size_t i = 0; r == 0 && i < response->n_lessons; i++)
			lesson_found(im, response->lessons[i]);
		snprintf(token, sizeof(token), "%s", r == 0 ? response->next_page_token : "");
	} while (*token);
	if (r < 0)
		connection_keep_error(err);
	arena_done(&arena);
	return r;
}

static int lesson_make(struct import *im, unsigned material, struct arena *arena, struct error *err)
{
	const struct oulad_material *m = &im->data.materials[material];
	CreateLessonRequest request = CREATE_LESSON_REQUEST_INIT;
	char external_id[24], title[64], request_id[UUID_TEXT_MAX];
	bool replayed = false;
	const struct client_call_options options = {.replayed = &replayed};
	CreateLessonResponse *response;
	const char *section_id;
	struct patience p = PATIENCE;
	int r = section_ensure(im, m->activity, arena, &section_id, err);

	if (r < 0)
		return r;
	snprintf(external_id, sizeof(external_id), "%" PRId64, m->id);
	snprintf(title, sizeof(title), "%s %" PRId64, m->activity, m->id);
	request.course_id = im->course_id;
	request.external_id = external_id;
	request.section_id = (char *)section_id;
	request.title = title;
	request.kind = lesson_kind(m->activity);
	request.request_id = key_uuid(request_id, "lesson/%s/%s/%s", im->course_id, external_id, m->activity);
	do {
		tally_calls(&im->tally, 1);
		r = edu_service_create_lesson_call(im->channel, &request, &options, arena, &response, err);
	} while (patience_again(&p, r, err));
	tally_step(&im->tally, THING_LESSON, r, replayed);
	if (r < 0)
		return error_add_metadata(err, "id_site", "%s", external_id);
	snprintf(im->lesson_ids[material], ID_TEXT_MAX, "%s", response->lesson->lesson_id);
	return 0;
}

/* One after the other, because each is appended to those before in its section. */
static int lessons_import(struct import *im, struct arena *arena, struct error *err)
{
	unsigned n = im->data.n_materials;

	im->lesson_ids = calloc(n, sizeof(*im->lesson_ids));
	if (!im->lesson_ids)
		return error_internal(err, "memory is short");
	progress_bar_begin(&im->bar, "lessons", n);
	int r = lessons_find(im, err);
	for (unsigned i = 0; r == 0 && i < n; i++) {
		if (*im->lesson_ids[i])
			tally_add(&im->tally, THING_LESSON, FATE_FOUND, 1);
		else
			r = lesson_make(im, i, arena, err);
		progress_bar_move(&im->bar, i);
	}
	if (r == 0)
		progress_bar_end(&im->bar, n);
	return r;
}

/* The dataset has no texts: each says which of the university's materials its lesson stands for. */
static int text_write(struct import *im, unsigned material, struct arena *arena, struct error *err)
{
	const struct oulad_material *m = &im->data.materials[material];
	SetLessonTextRequest request = SET_LESSON_TEXT_REQUEST_INIT;
	SetLessonTextResponse *response;
	char text[128];
	struct patience p = PATIENCE;
	int r;

	snprintf(text, sizeof(text), "Material %" PRId64 " of the Open University (%s).", m->id, m->activity);
	request.lesson_id = im->lesson_ids[material];
	request.text = text;
	request.format = TEXT_FORMAT_PLAIN;
	do {
		tally_calls(&im->tally, 1);
		r = edu_service_set_lesson_text_call(im->channel, &request, NULL, arena, &response, err);
	} while (patience_again(&p, r, err));
	return r;
}

/* Whatever an earlier run came to: a text that is set again is the same. */
static int texts_import(struct import *im, struct error *err)
{
	struct arena arena;
	int r = 0;

	arena_init(&arena, IMPORT_ARENA_MAX);
	for (unsigned i = 0; r == 0 && i < im->data.n_materials; i++) {
		arena_reset(&arena);
		if (lesson_kind(im->data.materials[i].activity) == LESSON_KIND_TEXT)
			r = text_write(im, i, &arena, err);
	}
	if (r < 0)
		connection_keep_error(err);
	arena_done(&arena);
	return r;
}

/* --- all --- */

/* Only a draft takes lessons, so what is past that was complete. */
static int course_bring_forward(struct import *im, CourseState state, struct arena *arena, struct error *err)
{
	if (state == COURSE_STATE_ARCHIVED)
		return error_raise(err, &REASON_COURSE_STATE_INVALID, "course %s (%s) is ARCHIVED",
				   im->course_key, im->course_id);
	int r = lessons_import(im, arena, err);
	if (r == 0 && state == COURSE_STATE_DRAFT)
		r = texts_import(im, err);
	if (r == 0 && state == COURSE_STATE_DRAFT)
		r = course_submit(im, arena, err);
	if (r == 0 && state != COURSE_STATE_PUBLISHED)
		r = course_approve(im, arena, err);
	return r;
}

int course_import(struct import *im, struct error *err)
{
	Course *course = NULL;
	struct arena arena;

	arena_init(&arena, IMPORT_ARENA_MAX);
	key_course(&im->data, im->course_key);
	int r = course_ensure(im, &arena, &course, err);
	if (r == 0)
		r = course_bring_forward(im, course->state, &arena, err);
	if (r < 0) {
		connection_keep_error(err);
		error_add_metadata(err, "course", "%s", im->course_key);
	}
	arena_done(&arena);
	return r;
}
