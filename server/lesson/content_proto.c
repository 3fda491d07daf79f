/* SPDX-License-Identifier: Apache-2.0 */
#include "server/lesson/content_proto.h"

#include "proto/runtime/codec.h"
#include "server/course/course_names.h"
#include "server/lesson/content_url.h"

Content *content_to_proto(const struct app *app, struct arena *arena, const struct content *c)
{
	Content *ret = codec_new(CONTENT_DESC, arena);

	if (!ret)
		return NULL;
	ret->content_id = app_id(arena, ID_CONTENT, c->content_id);
	ret->course_id = app_id(arena, ID_COURSE, c->course_id);
	ret->lesson_id = app_id(arena, ID_LESSON, c->lesson_id);
	ret->role = (Edu__V1__ContentRole)c->role;
	ret->language = (char *)c->language;
	ret->file_name = (char *)c->file_name;
	ret->content_type = (char *)c->content_type;
	ret->size_bytes = c->size_bytes;
	ret->sha256.data = arena_memdup(arena, c->sha256, sizeof(c->sha256));
	ret->sha256.len = ret->sha256.data ? sizeof(c->sha256) : 0;
	ret->create_time = app_timestamp(arena, c->create_us);
	if (app->objects && !c->lesson_id)
		ret->public_url = content_url_public(app, arena, ret->content_id);
	return ret;
}
