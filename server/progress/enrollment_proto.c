/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/enrollment_proto.h"

#include "proto/runtime/codec.h"
#include "server/access/access_names.h"
#include "server/access/enrollment.h"
#include "server/app/app.h"
#include "server/course/course_names.h"
#include "server/purchase/purchase_names.h"
#include "server/user/user_names.h"

static Access *access_to_proto(struct arena *arena, const struct enrollment_access *a)
{
	Access *ret = codec_new(ACCESS_DESC, arena);

	if (!ret)
		return NULL;
	ret->grant_id = app_id(arena, ID_GRANT, a->grant_id);
	ret->source = (AccessSource)a->source;
	if (a->source == ACCESS_SOURCE_PURCHASE)
		ret->purchase_id = app_id(arena, ID_PURCHASE, a->source_id);
	ret->scope = (AccessScope)(a->catalogue_id ? ACCESS_SCOPE_CATALOGUE : ACCESS_SCOPE_COURSE);
	ret->catalogue_id = app_id(arena, ID_CATALOGUE, a->catalogue_id);
	ret->start_time = app_timestamp(arena, a->start_us);
	ret->expire_time = app_timestamp(arena, a->expire_us);
	ret->revoke_time = app_timestamp(arena, a->revoke_us);
	return ret;
}

static void put_accesses(struct arena *arena, const char *text, int64_t now_us, Enrollment *ret)
{
	unsigned n;
	const struct enrollment_access *accesses = enrollment_accesses(arena, text, &n);

	if (!accesses)
		return; /* arena_check() tells */
	ret->state = enrollment_state_at(accesses, n, now_us);
	ret->accesses = arena_array(arena, ENROLLMENT_ACCESSES_MAX_ITEMS, sizeof(*ret->accesses));
	for (unsigned i = 0; ret->accesses && i < n && i < ENROLLMENT_ACCESSES_MAX_ITEMS; i++)
		ret->accesses[ret->n_accesses++] = access_to_proto(arena, &accesses[i]);
}

Enrollment *enrollment_to_proto(struct arena *arena, const struct progress_enrollment *e, int64_t now_us)
{
	Enrollment *ret = codec_new(ENROLLMENT_DESC, arena);

	if (!ret)
		return NULL;
	ret->user_id = app_id(arena, ID_USER, e->user_id);
	ret->course_id = app_id(arena, ID_COURSE, e->course_id);
	put_accesses(arena, e->accesses, now_us, ret);
	ret->start_time = app_timestamp(arena, e->start_us);
	ret->epoch = e->epoch;
	ret->lessons_completed = (int32_t)e->lessons_completed;
	ret->lessons_total = (int32_t)e->lessons_total;
	ret->last_activity_time = app_timestamp(arena, e->last_us);
	return ret;
}
