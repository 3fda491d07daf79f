/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "proto/runtime/codec.h"
#include "server/app/page.h"
#include "server/course/course_names.h"
#include "server/course/subject_store.h"
#include "server/db/audit.h"
#include "server/db/idem.h"

static Subject *subject_to_proto(struct arena *arena, const struct subject *s)
{
	Subject *ret = codec_new(SUBJECT_DESC, arena);
	if (!ret)
		return NULL;
	ret->subject_id = app_id(arena, ID_SUBJECT, s->subject_id);
	ret->name_en = s->name_en;
	ret->name_zh = s->name_zh;
	ret->create_time = app_timestamp(arena, s->create_us);
	return ret;
}

/* --- CreateSubject --- */

struct creation {
	struct arena *arena;
	struct subject subject;
	int64_t audit_id, actor_id;
	CreateSubjectResponse *ret;
};

static int create_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct creation *m = arg;
	const struct audit record = {
		.audit_id = m->audit_id,
		.actor_id = m->actor_id,
		.action = AUDIT_CREATE_SUBJECT,
		.subject_id = m->subject.subject_id,
		.create_us = m->subject.create_us,
	};
	int r = subject_store_insert(conn, &m->subject, err);
	if (r >= 0)
		r = audit_append(conn, &record, err);
	if (r < 0)
		return r;
	m->ret->subject = subject_to_proto(m->arena, &m->subject);
	return arena_check(m->arena, err);
}

static int create_subject(struct rpc_call *call, const CreateSubjectRequest *req, CreateSubjectResponse *ret,
			  struct error *err)
{
	struct creation m = {
		.arena = rpc_arena(call),
		.subject = {.name_en = req->name_en, .name_zh = req->name_zh, .create_us = app_now_us(call)},
		.actor_id = rpc_principal(call)->user_id,
		.ret = ret,
	};
	int r = app_new_ids(call, APP_IDS(&m.subject.subject_id, &m.audit_id), err);
	return r < 0 ? r : app_transaction(call, IDEM_CREATE_US, create_body, &m, &ret->base, err);
}

/* --- ListSubjects --- */

static int list_subjects(struct rpc_call *call, const ListSubjectsRequest *req, ListSubjectsResponse *ret,
			 struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct subject *subjects;
	struct page page;
	int64_t after_id = 0;
	unsigned n;

	int r = page_open(&page, call, PAGE_OF(req), &after_id, sizeof(after_id), err);
	if (r >= 0)
		r = subject_store_list(db_of(call), arena, after_id, page.limit, &subjects, &n, err);
	if (r < 0)
		return r;
	if (page_goes_on(&page, &n)) {
		after_id = subjects[n - 1].subject_id;
		ret->next_page_token = page_next(&page, &after_id);
	}
	ret->subjects = arena_array(arena, n + 1, sizeof(Subject *));
	for (unsigned i = 0; ret->subjects && i < n; i++)
		ret->subjects[ret->n_subjects++] = subject_to_proto(arena, &subjects[i]);
	return arena_check(arena, err);
}

EDU_SERVICE_CREATE_SUBJECT(create_subject, RPC_ON_DB);
EDU_SERVICE_LIST_SUBJECTS(list_subjects, RPC_ON_DB);
