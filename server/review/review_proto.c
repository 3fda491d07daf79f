/* SPDX-License-Identifier: Apache-2.0 */
#include "server/review/review_proto.h"

#include "proto/runtime/codec.h"
#include "server/course/course_names.h"
#include "server/review/review_names.h"
#include "server/user/user_names.h"

Review *review_to_proto(struct arena *arena, const struct review *r)
{
	Review *ret = codec_new(REVIEW_DESC, arena);
	if (!ret)
		return NULL;
	ret->review_id = app_id(arena, ID_REVIEW, r->review_id);
	ret->course_id = app_id(arena, ID_COURSE, r->course_id);
	ret->user_id = app_id(arena, ID_USER, r->user_id);
	ret->display_name = r->display_name;
	ret->stars = r->stars;
	ret->text = r->text;
	ret->state = (Edu__V1__ReviewState)r->state;
	ret->hide_reason = r->hide_reason;
	ret->counted = r->counted != 0;
	ret->version = r->version;
	ret->create_time = app_timestamp(arena, r->create_us);
	ret->update_time = app_timestamp(arena, r->update_us);
	ret->etag = app_etag(arena, r->version);
	return ret;
}
