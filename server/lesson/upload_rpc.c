/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "proto/runtime/format.h"
#include "server/course/course.h"
#include "server/course/course_names.h"
#include "server/course/lesson.h"
#include "server/db/idem.h"
#include "server/lesson/content_proto.h"
#include "server/lesson/content_rules.h"
#include "server/lesson/content_url.h"

/* CreateContentUpload. */

struct upload {
	const struct app *app;
	struct arena *arena;
	struct content content;
	CreateContentUploadResponse *ret;
};

/* The course that the upload is for, once it is known that the caller acts for it. */
static int check_teacher(struct rpc_call *call, struct content *c, struct error *err)
{
	struct course_terms course;
	int r = c->lesson_id ? lesson_course_read(app_of(call)->lessons, db_of(call), c->lesson_id,
						  &c->course_id, err)
			     : 0;

	if (r >= 0)
		r = course_terms_read(db_of(call), rpc_arena(call), c->course_id, NULL, &course, err);
	if (r < 0)
		return r;
	if (rpc_subject(call, c->course_id, course_taught_by(&course, rpc_principal(call)), err) == 0)
		return c->lesson_id ? lesson_check_in(db_of(call), c->course_id, 0, c->lesson_id, err) : 0;
	r = course_refuse_caller(call, &course, err);
	return c->lesson_id && err->reason == &REASON_COURSE_NOT_FOUND ? lesson_not_found(err, c->lesson_id)
								       : r;
}

static int upload_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct upload *m = arg;
	int r = content_store_insert(conn, &m->content, NULL, err);

	if (r < 0)
		return r;
	m->ret->content = content_to_proto(m->app, m->arena, &m->content);
	return arena_check(m->arena, err);
}

static int create_content_upload(struct rpc_call *call, const CreateContentUploadRequest *req,
				 CreateContentUploadResponse *ret, struct error *err)
{
	const struct app *app = app_of(call);
	struct upload m = {
		.app = app,
		.arena = rpc_arena(call),
		.content = {.course_id = course_id_of(req->course_id),
			    .lesson_id = id_of(ID_LESSON, req->lesson_id),
			    .role = (enum content_role)req->role,
			    .language = req->language,
			    .file_name = req->file_name,
			    .content_type = req->content_type,
			    .size_bytes = req->size_bytes,
			    .creator_id = rpc_principal(call)->user_id,
			    .create_us = app_now_us(call)},
		.ret = ret,
	};
	int r = content_check_upload(req, err);

	if (r >= 0)
		r = content_check_objects(app, err);
	if (r < 0)
		return r;
	format_language(req->language);
	memcpy(m.content.sha256, req->sha256.data, sizeof(m.content.sha256));
	r = check_teacher(call, &m.content, err);
	if (r >= 0)
		r = app_new_ids(call, APP_IDS(&m.content.content_id), err);
	if (r >= 0)
		r = app_transaction(call, IDEM_CREATE_US, upload_body, &m, &ret->base, err);
	/* The URL is as good as a secret: it is not stored with the reply, and a repeat gets another. */
	return r < 0 ? r : content_url_upload(app, m.arena, ret->content, app_now_us(call), ret, err);
}

EDU_SERVICE_CREATE_CONTENT_UPLOAD(create_content_upload, RPC_ON_DB);
