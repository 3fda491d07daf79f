/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "proto/runtime/ids.h"
#include "server/course/course_life.h"
#include "server/course/course_names.h"
#include "server/course/course_proto.h"
#include "server/course/course_rules.h"
#include "server/course/lesson_store.h"
#include "server/course/section_store.h"
#include "server/db/idem.h"

/* Sections of a course's draft: each change is a step of the course. */

static_assert(REORDER_LESSONS_REQUEST_SECTIONS_MAX_ITEMS == COURSE_SECTIONS_MAX, "an order names them all");

/* --- CreateSection --- */

struct section_creation {
	const CreateSectionRequest *req;
	CreateSectionResponse *ret;
};

int course_apply_section(struct change *change, void *course, struct error *err)
{
	struct section_creation *m = change->arg;
	const struct course *c = course;
	int64_t n;
	int r = section_store_count(change->conn, c->course_id, &n, err);
	if (r < 0)
		return r;
	if (n >= COURSE_SECTIONS_MAX)
		return course_full(err);
	const struct section s = {
		.course_id = c->course_id,
		.section_id = change->subject_id,
		.title = m->req->title,
		.position = (int)n + 1,
	};
	m->ret->section = section_to_proto(change->arena, &s);
	m->ret->etag = course_next_etag(change, c);
	return section_store_insert(change->conn, &s, err);
}

static int create_section(struct rpc_call *call, const CreateSectionRequest *req, CreateSectionResponse *ret,
			  struct error *err)
{
	struct change change = course_change(call, STEP_COURSE_ADD_SECTION, course_id_of(req->course_id), "");
	change.arg = &(struct section_creation){req, ret};
	change.keep_us = IDEM_CREATE_US;
	int r = app_new_ids(call, APP_IDS(&change.subject_id), err);
	return r < 0 ? r : change_run(&change, &ret->base, err);
}

/* --- UpdateSection, DeleteSection --- */

static int run(struct rpc_call *call, enum course_step step, const char *section_id, const char *etag,
	       void *arg, ProtobufCMessage *reply, struct error *err)
{
	const int64_t id = id_of(ID_SECTION, section_id);
	int64_t course_id;
	int r = section_store_course(db_of(call), id, &course_id, err);
	if (r < 0)
		return r;
	struct change change = course_change(call, step, course_id, etag);
	change.subject_id = id;
	change.arg = arg;
	return course_part_run(&change, &section_resource, id, reply, err);
}

struct section_update {
	const UpdateSectionRequest *req;
	UpdateSectionResponse *ret;
};

int course_apply_section_update(struct change *change, void *course, struct error *err)
{
	struct section_update *m = change->arg;
	const struct course *c = course;
	struct section s;
	int r = section_store_read(change->conn, change->arena, c->course_id, change->subject_id, &s, err);
	if (r < 0)
		return r;
	s.title = m->req->section->title;
	m->ret->section = section_to_proto(change->arena, &s);
	m->ret->etag = course_next_etag(change, c);
	return section_store_update(change->conn, &s, err);
}

static int update_section(struct rpc_call *call, const UpdateSectionRequest *req, UpdateSectionResponse *ret,
			  struct error *err)
{
	struct section_update m = {req, ret};
	const Section *section = req->section;
	int r = app_check_mask(&edu_v1_section_rules, req->update_mask->paths, req->update_mask->n_paths,
			       "section_id", err);
	if (r >= 0 && !*section->section_id)
		r = error_field(err, "section.section_id", "is required");
	if (r >= 0 && !*section->title)
		r = error_field(err, "section.title", "must not be empty");
	return r < 0 ? r
		     : run(call, STEP_COURSE_UPDATE_SECTION, section->section_id, req->etag, &m, &ret->base,
			   err);
}

int course_apply_section_deletion(struct change *change, void *course, struct error *err)
{
	DeleteSectionResponse *ret = change->arg;
	const struct course *c = course;
	struct section s;
	int r = section_store_read(change->conn, change->arena, c->course_id, change->subject_id, &s, err);
	if (r >= 0)
		r = lesson_store_in_section(change->conn, c->course_id, s.section_id, err);
	if (r > 0)
		return error_raise(err, &REASON_SECTION_NOT_EMPTY,
				   "The section holds lessons; move or delete them first.");
	ret->etag = course_next_etag(change, c);
	return r < 0 ? r : section_store_remove(change->conn, &s, err);
}

static int delete_section(struct rpc_call *call, const DeleteSectionRequest *req, DeleteSectionResponse *ret,
			  struct error *err)
{
	return run(call, STEP_COURSE_DELETE_SECTION, req->section_id, req->etag, ret, &ret->base, err);
}

EDU_SERVICE_CREATE_SECTION(create_section, RPC_ON_DB);
EDU_SERVICE_UPDATE_SECTION(update_section, RPC_ON_DB);
EDU_SERVICE_DELETE_SECTION(delete_section, RPC_ON_DB);
