/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/array.h"
#include "proto/runtime/ids.h"
#include "server/course/course_life.h"
#include "server/course/course_names.h"
#include "server/course/lesson_store.h"
#include "server/course/section_store.h"

/* ReorderLessons: where all of a draft's sections and lessons are to lie, which has to name each of them
 * once. */

struct order {
	struct lesson_place *lessons;
	struct section *sections;
	unsigned n_lessons, n_sections;
};

struct reordering {
	const ReorderLessonsRequest *req;
	ReorderLessonsResponse *ret;
};

static void place_lessons(struct order *o, int64_t course_id, int64_t section_id, char *const *ids, size_t n)
{
	for (size_t i = 0; i < n; i++, o->n_lessons++)
		o->lessons[o->n_lessons] = (struct lesson_place){
			.course_id = course_id,
			.lesson_id = id_of(ID_LESSON, ids[i]),
			.section_id = section_id,
			.position = (int)o->n_lessons + 1,
		};
}

static int read_order(const ReorderLessonsRequest *req, int64_t course_id, struct arena *arena,
		      struct order *ret, struct error *err)
{
	size_t n = req->n_lesson_ids;
	for (size_t i = 0; i < req->n_sections; i++)
		n += req->sections[i]->n_lesson_ids;
	*ret = (struct order){
		.lessons = arena_array(arena, n, sizeof(*ret->lessons)),
		.sections = arena_array(arena, req->n_sections, sizeof(*ret->sections)),
	};
	int r = arena_check(arena, err);
	if (r < 0)
		return r;
	place_lessons(ret, course_id, 0, req->lesson_ids, req->n_lesson_ids);
	for (size_t i = 0; i < req->n_sections; i++) {
		const SectionOrder *from = req->sections[i];
		struct section *s = &ret->sections[ret->n_sections++];
		*s = (struct section){.course_id = course_id,
				      .section_id = id_of(ID_SECTION, from->section_id),
				      .position = (int)i + 1};
		place_lessons(ret, course_id, s->section_id, from->lesson_ids, from->n_lesson_ids);
	}
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return ORDER(*(const int64_t *)a, *(const int64_t *)b);
}

struct ids {
	int64_t *ids;
	unsigned n;
};

/* The ids at this offset of an array of structs, in order. */
static struct ids ids_of(struct arena *arena, const void *array, unsigned n, size_t size, size_t offset)
{
	struct ids ret = {arena_array(arena, n, sizeof(int64_t)), n};
	for (unsigned i = 0; ret.ids && i < n; i++)
		memcpy(&ret.ids[i], (const char *)array + i * size + offset, sizeof(int64_t));
	if (ret.ids && n)
		qsort(ret.ids, n, sizeof(int64_t), by_id);
	return ret;
}

static int complain(struct error *err, int so_far, const char *field, const char *kind, int64_t id,
		    const char *what)
{
	char text[ID_TEXT_MAX];
	id_format(kind, id, text);
	return error_precondition(err, so_far, &REASON_ORDER_INCOMPLETE,
				  "The order does not name each lesson and section of the draft once.", field,
				  "%s %s", text, what);
}

/* Both are sorted; what is named twice is not in the draft the second time. */
static int compare(struct ids named, struct ids there, const char *field, const char *kind, int so_far,
		   struct error *err)
{
	unsigned i = 0, j = 0;
	while (i < named.n || j < there.n) {
		if (i < named.n && j < there.n && named.ids[i] == there.ids[j]) {
			i++;
			j++;
		} else if (j == there.n || (i < named.n && named.ids[i] < there.ids[j])) {
			const bool twice = i > 0 && named.ids[i - 1] == named.ids[i];
			so_far = complain(err, so_far, field, kind, named.ids[i++],
					  twice ? "is named twice" : "is not in the draft");
		} else {
			so_far = complain(err, so_far, field, kind, there.ids[j++], "is not named");
		}
	}
	return so_far;
}

static int check_names_all(struct change *change, const struct order *named, const struct order *there,
			   struct error *err)
{
	struct arena *arena = change->arena;
	const size_t size = sizeof(struct lesson_place), at = offsetof(struct lesson_place, lesson_id);
	const size_t section_size = sizeof(struct section), section_at = offsetof(struct section, section_id);
	const struct ids lessons = ids_of(arena, named->lessons, named->n_lessons, size, at);
	const struct ids all_lessons = ids_of(arena, there->lessons, there->n_lessons, size, at);
	const struct ids sections =
		ids_of(arena, named->sections, named->n_sections, section_size, section_at);
	const struct ids all_sections =
		ids_of(arena, there->sections, there->n_sections, section_size, section_at);
	int r = arena_check(arena, err);
	if (r < 0)
		return r;
	r = compare(lessons, all_lessons, "lesson_ids", ID_LESSON, 0, err);
	return compare(sections, all_sections, "sections", ID_SECTION, r, err);
}

int course_apply_order(struct change *change, void *course, struct error *err)
{
	struct reordering *m = change->arg;
	const struct course *c = course;
	struct order named, there;
	int r = read_order(m->req, c->course_id, change->arena, &named, err);
	if (r >= 0)
		r = lesson_store_places(change->conn, change->arena, c->course_id, &there.lessons,
					&there.n_lessons, err);
	if (r >= 0)
		r = section_store_list(change->conn, change->arena, c->course_id, 0, &there.sections,
				       &there.n_sections, err);
	if (r >= 0)
		r = check_names_all(change, &named, &there, err);
	if (r >= 0)
		r = section_store_reorder(change->conn, c->course_id, named.sections, named.n_sections, err);
	m->ret->etag = course_next_etag(change, c);
	return r < 0 ? r
		     : lesson_store_reorder(change->conn, c->course_id, named.lessons, named.n_lessons, err);
}

static int reorder_lessons(struct rpc_call *call, const ReorderLessonsRequest *req,
			   ReorderLessonsResponse *ret, struct error *err)
{
	struct change change =
		course_change(call, STEP_COURSE_REORDER, course_id_of(req->course_id), req->etag);
	change.arg = &(struct reordering){req, ret};
	return change_run(&change, &ret->base, err);
}

EDU_SERVICE_REORDER_LESSONS(reorder_lessons, RPC_ON_DB);
