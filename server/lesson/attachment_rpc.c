/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "server/course/course_life.h"
#include "server/course/course_names.h"
#include "server/course/lesson.h"
#include "server/lesson/content_proto.h"
#include "server/lesson/content_rules.h"
#include "server/lesson/entitlement.h"

/* AttachContent, SetLessonText, RemoveAttachment: what a draft holds. ListAttachments. */

/* --- a change of the course --- */

struct attaching {
	struct course_edit edit;
	struct content content; /* the id suffices where it is read */
	const char *text;       /* of a lesson, which is made now; NULL else */
	struct content_place place;
	Content **ret;
};

static int run(struct rpc_call *call, struct attaching *m, const char *etag, ProtobufCMessage *reply,
	       struct error *err)
{
	const struct content_place *place = &m->place;
	struct change change = course_change(call, STEP_COURSE_EDIT, place->course_id, etag);
	change.arg = m;
	return place->lesson_id ? course_part_run(&change, &lesson_resource, place->lesson_id, reply, err)
				: change_run(&change, reply, err);
}

/* Media stays once it was published: progress is measured by it. */
static int check_media(struct change *change, const struct attaching *m, struct error *err)
{
	if (m->content.role != CONTENT_MEDIA)
		return 0;
	int r = content_store_media_published(change->conn, m->place.course_id, m->place.lesson_id, err);
	if (r <= 0)
		return r;
	return error_raise(err, &REASON_MEDIA_FROZEN,
			   "The lesson was published with its media; make another lesson for other media.");
}

static int show(struct change *change, const struct attaching *m, struct error *err)
{
	*m->ret = content_to_proto(app_of(change->call), change->arena, &m->content);
	return arena_check(change->arena, err);
}

/* What the draft holds in the place, which must be in it, and which of it is this content; NULL: none. */
static int read_place(struct change *change, const struct attaching *m, struct content **ret, unsigned *ret_n,
		      struct content **ret_held, struct error *err)
{
	const struct content_place *place = &m->place;
	int r = place->lesson_id ? lesson_check_in(change->conn, place->course_id, 0, place->lesson_id, err)
				 : 0;

	*ret_held = NULL;
	if (r >= 0)
		r = content_store_list(change->conn, change->arena, place, ret, ret_n, err);
	for (unsigned i = 0; r >= 0 && i < *ret_n; i++)
		if ((*ret)[i].content_id == m->content.content_id)
			*ret_held = &(*ret)[i];
	return r;
}

/* Puts it into the draft, in the place of what it replaces. */
static int put(struct change *change, struct attaching *m, struct error *err)
{
	struct content *list, *held;
	unsigned n;
	int r = read_place(change, m, &list, &n, &held, err);

	if (r < 0 || held)
		return r < 0 ? r : show(change, m, err);
	r = check_media(change, m, err);
	if (r >= 0)
		r = content_check_room(&m->content, list, n, err);
	for (unsigned i = 0; r >= 0 && i < n; i++)
		if (content_replaces(&m->content, &list[i]))
			r = content_store_detach(change->conn, &m->place, &list[i], change->now_us, err);
	if (r >= 0)
		r = content_store_attach(change->conn, m->place.course_id, &m->content, err);
	return r < 0 ? r : show(change, m, err);
}

/* --- AttachContent --- */

static int apply_attach(struct change *change, void *course, struct error *err)
{
	struct attaching *m = change->arg;
	int r = content_store_lock(change->conn, change->arena, m->content.content_id, &m->content, err);

	return r < 0 ? r : put(change, m, err);
}

static int attach_content(struct rpc_call *call, const AttachContentRequest *req, AttachContentResponse *ret,
			  struct error *err)
{
	struct attaching m = {.edit = {apply_attach}, .ret = &ret->content};
	const int64_t content_id = id_of(ID_CONTENT, req->content_id);
	int r = content_store_read(db_of(call), rpc_arena(call), content_id, &m.content, err);

	if (r < 0)
		return r;
	m.place = (struct content_place){m.content.course_id, 0, m.content.lesson_id};
	r = run(call, &m, req->etag, &ret->base, err);
	if (r < 0 && (err->reason == &REASON_COURSE_NOT_FOUND || err->reason == &REASON_LESSON_NOT_FOUND))
		return content_not_found(err, content_id);
	return r;
}

/* --- SetLessonText --- */

static int apply_text(struct change *change, void *course, struct error *err)
{
	struct attaching *m = change->arg;

	m->content.create_us = change->now_us;
	int r = content_store_insert(change->conn, &m->content, m->text, err);
	return r < 0 ? r : put(change, m, err);
}

static int set_lesson_text(struct rpc_call *call, const SetLessonTextRequest *req, SetLessonTextResponse *ret,
			   struct error *err)
{
	const int64_t lesson_id = id_of(ID_LESSON, req->lesson_id);
	const struct span text = span_str(req->text);
	int64_t course_id;
	int r = lesson_course_read(app_of(call)->lessons, db_of(call), lesson_id, &course_id, err);
	if (r < 0)
		return r;
	struct attaching m = {
		.edit = {apply_text},
		.text = req->text,
		.content = {.course_id = course_id,
			    .lesson_id = lesson_id,
			    .role = CONTENT_TEXT,
			    .language = "",
			    .file_name = "",
			    .content_type = req->format == (Edu__V1__TextFormat)TEXT_FORMAT_MARKDOWN
						    ? CONTENT_TYPE_MARKDOWN
						    : CONTENT_TYPE_PLAIN,
			    .size_bytes = (int64_t)text.len,
			    .creator_id = rpc_principal(call)->user_id},
		.place = {course_id, 0, lesson_id},
		.ret = &ret->content,
	};
	object_hash(text, m.content.sha256);
	r = app_new_ids(call, APP_IDS(&m.content.content_id), err);
	return r < 0 ? r : run(call, &m, req->etag, &ret->base, err);
}

/* --- RemoveAttachment --- */

static int apply_removal(struct change *change, void *course, struct error *err)
{
	struct attaching *m = change->arg;
	struct content *list, *held;
	unsigned n;
	int r = read_place(change, m, &list, &n, &held, err);

	if (r >= 0 && !held)
		r = content_not_found(err, m->content.content_id);
	if (r < 0)
		return r;
	m->content = *held;
	r = check_media(change, m, err);
	if (r >= 0)
		r = content_store_detach(change->conn, &m->place, held, change->now_us, err);
	return r < 0 ? r : show(change, m, err);
}

static int find_place(struct rpc_call *call, const RemoveAttachmentRequest *req, struct content_place *ret,
		      struct error *err)
{
	int r = content_check_place(req->lesson_id, req->course_id, err);

	*ret = (struct content_place){.course_id = course_id_of(req->course_id),
				      .lesson_id = id_of(ID_LESSON, req->lesson_id)};
	if (r >= 0 && ret->lesson_id)
		r = lesson_course_read(app_of(call)->lessons, db_of(call), ret->lesson_id, &ret->course_id,
				       err);
	return r;
}

static int remove_attachment(struct rpc_call *call, const RemoveAttachmentRequest *req,
			     RemoveAttachmentResponse *ret, struct error *err)
{
	struct attaching m = {.edit = {apply_removal},
			      .content = {.content_id = id_of(ID_CONTENT, req->content_id)},
			      .ret = &ret->content};
	int r = find_place(call, req, &m.place, err);

	return r < 0 ? r : run(call, &m, req->etag, &ret->base, err);
}

/* --- ListAttachments --- */

static int list_attachments(struct rpc_call *call, const ListAttachmentsRequest *req,
			    ListAttachmentsResponse *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct content_place place = {.course_id = course_id_of(req->course_id),
				      .lesson_id = id_of(ID_LESSON, req->lesson_id)};
	struct content *list;
	unsigned n;
	int r = content_check_place(req->lesson_id, req->course_id, err);

	if (r >= 0)
		r = entitlement_see(call, req->view, &place, err);
	if (r >= 0)
		r = content_store_list(db_of(call), arena, &place, &list, &n, err);
	if (r < 0)
		return r;
	ret->attachments = arena_array(arena, n + 1, sizeof(Content *));
	for (unsigned i = 0; ret->attachments && i < n; i++)
		ret->attachments[ret->n_attachments++] = content_to_proto(app_of(call), arena, &list[i]);
	return arena_check(arena, err);
}

EDU_SERVICE_ATTACH_CONTENT(attach_content, RPC_ON_DB);
EDU_SERVICE_SET_LESSON_TEXT(set_lesson_text, RPC_ON_DB);
EDU_SERVICE_REMOVE_ATTACHMENT(remove_attachment, RPC_ON_DB);
EDU_SERVICE_LIST_ATTACHMENTS(list_attachments, RPC_ON_DB);
