/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "proto/runtime/codec.h"
#include "server/access/access.h"
#include "server/course/course_names.h"
#include "server/lesson/content_proto.h"
#include "server/lesson/content_rules.h"
#include "server/lesson/content_url.h"
#include "server/lesson/download.h"
#include "server/lesson/entitlement.h"

/* GetLessonContent. */

/* Until when URLs work, and what is kept may be kept. */
struct lease_of_content {
	int64_t now_us, until_us;
	bool download;
};

static int check_use(struct rpc_call *call, const GetLessonContentRequest *req, struct error *err)
{
	const bool download = req->use == (Edu__V1__ContentUse)CONTENT_USE_DOWNLOAD;

	if (download != (*req->device_name != '\0'))
		return error_field(err, "device_name", "must be set for a DOWNLOAD, and only then");
	if (download && rpc_principal(call)->user_id == 0)
		return access_missing(err);
	return 0;
}

static int take(struct rpc_call *call, const GetLessonContentRequest *req, const struct entitlement *e,
		struct lease_of_content *ret, struct error *err)
{
	const struct app *app = app_of(call);
	struct download d = {.user_id = rpc_principal(call)->user_id,
			     .device_name = req->device_name,
			     .lesson_id = e->place.lesson_id};
	int r = 0;

	*ret = (struct lease_of_content){.now_us = app_now_us(call), .download = *req->device_name != '\0'};
	ret->until_us = ret->now_us + app->content.stream_us;
	if (ret->download)
		r = download_take(app, db_of(call), rpc_arena(call), &d, e->end_us, err);
	if (ret->download)
		ret->until_us = d.expire_us;
	return r;
}

static int put_text(struct rpc_call *call, const struct content *c, LessonContent *ret, struct error *err)
{
	ret->text_format = (Edu__V1__TextFormat)(strcmp(c->content_type, CONTENT_TYPE_MARKDOWN) == 0
							 ? TEXT_FORMAT_MARKDOWN
							 : TEXT_FORMAT_PLAIN);
	return content_store_body(db_of(call), rpc_arena(call), c->content_id, &ret->text, err);
}

static int put_file(struct rpc_call *call, const struct content *c, const struct lease_of_content *lease,
		    LessonContent *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	ContentFile *file = codec_new(CONTENT_FILE_DESC, arena);
	int64_t expire_us = 0;
	int r = content_check_objects(app_of(call), err);

	if (r < 0 || !file)
		return r < 0 ? r : arena_full(err);
	file->content = content_to_proto(app_of(call), arena, c);
	file->url = content_url_read(app_of(call), arena, c, lease->now_us, lease->until_us, &expire_us);
	file->expire_time = app_timestamp(arena, expire_us);
	ret->files[ret->n_files++] = file;
	return arena_check(arena, err);
}

static int put_content(struct rpc_call *call, const struct entitlement *e,
		       const struct lease_of_content *lease, LessonContent *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct content *list;
	unsigned n;
	int r = content_store_list(db_of(call), arena, &e->place, &list, &n, err);

	if (r < 0)
		return r;
	ret->lesson_id = app_id(arena, ID_LESSON, e->place.lesson_id);
	ret->course_id = app_id(arena, ID_COURSE, e->place.course_id);
	ret->revision = e->place.revision;
	if (lease->download)
		ret->download_expire_time = app_timestamp(arena, lease->until_us);
	ret->files = arena_array(arena, n + 1, sizeof(ContentFile *));
	r = arena_check(arena, err);
	for (unsigned i = 0; r >= 0 && i < n; i++)
		r = list[i].role == CONTENT_TEXT ? put_text(call, &list[i], ret, err)
						 : put_file(call, &list[i], lease, ret, err);
	return r < 0 ? r : arena_check(arena, err);
}

static int get_lesson_content(struct rpc_call *call, const GetLessonContentRequest *req,
			      GetLessonContentResponse *ret, struct error *err)
{
	struct entitlement e;
	struct lease_of_content lease;
	int r = check_use(call, req, err);

	if (r >= 0)
		r = entitlement_read(call, id_of(ID_LESSON, req->lesson_id), (CourseView)req->view, &e, err);
	if (r >= 0)
		r = take(call, req, &e, &lease, err);
	if (r < 0)
		return r;
	ret->content = codec_new(LESSON_CONTENT_DESC, rpc_arena(call));
	return ret->content ? put_content(call, &e, &lease, ret->content, err) : arena_full(err);
}

EDU_SERVICE_GET_LESSON_CONTENT(get_lesson_content, RPC_ON_DB);
