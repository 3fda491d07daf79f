/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_APP_H
#define APP_APP_H

#include "proto/runtime/ids.h"
#include "proto/runtime/rules.h"
#include "server/base/cache.h"
#include "server/base/clock.h"
#include "server/db/db.h"
#include "server/db/event.h"
#include "server/rpc/call.h"

/*
 * What every area's handlers share: made by server/service.c, constant while calls run, reached through the
 * call.
 */
struct auth;          /* server/auth/authenticator.h */
struct passwords;     /* server/auth/password.h */
struct combiner;      /* server/db/combiner.h */
struct catalogue;     /* server/search/catalogue.h */
struct id_queue;      /* server/base/id_queue.h */
struct object_bucket; /* server/auth/object_url.h */

/* How long what leads to content lives, and how much a learner may take along. */
struct content_config {
	const char *public_url; /* below which anybody reads what is public; NULL: in the bucket itself */
	int64_t upload_us, stream_us, download_us;
	unsigned download_devices, download_lessons; /* of a learner; of a device */
};

struct app {
	const struct clock *clock;
	struct node_lease *node; /* makes ids; see server/db/lease.h */
	struct auth *auth;
	const struct passwords *passwords;
	int platform_basis_points;        /* the platform's part of a sale, unless the course has another */
	int64_t refresh_token_us;         /* how long an unused refresh token lives */
	struct cache *courses;            /* GetCourse's answers by course id; see course/course_cache.h */
	struct cache *lesson_pages;       /* ListLessons' answers by page; see course/lesson_pages.h */
	struct cache *instructors;        /* GetInstructor's answers by user id; see course/course_feed.h */
	struct cache *lessons;            /* struct lesson_info by lesson id; see course/lesson.h */
	struct cache *access;             /* who has access to what; see access/access.h */
	struct combiner *progress;        /* see progress/progress_write.h */
	struct catalogue *catalogue;      /* the published courses; see search/catalogue.h */
	struct id_queue *courses_changed; /* here, and not looked at again by the catalogue; may be NULL */
	struct object_bucket *objects;    /* where files lie; NULL: there is none */
	struct content_config content;
};

static inline struct app *app_of(const struct rpc_call *call)
{
	return rpc_app(call);
}

/* The executor thread's connection, with the call's deadline set on it. Only on RPC_ON_DB. */
struct db_conn *db_of(struct rpc_call *call);

static inline int64_t app_now_us(const struct rpc_call *call)
{
	return clock_now_us(app_of(call)->clock);
}

/*
 * New ids, one for each pointer. Made before a transaction, so that a re-run meets its own. Fails with
 * DATABASE_UNAVAILABLE while the server holds no lease of a node id: an id is checked when it is made, not
 * when the call came.
 */
int app_new_ids(struct rpc_call *call, int64_t *const *ret, unsigned n, struct error *err)
	__attribute__((warn_unused_result));
#define APP_IDS(...)                                                                                         \
	(int64_t *const[]){__VA_ARGS__}, sizeof((int64_t *const[]){__VA_ARGS__}) / sizeof(int64_t *)

/*
 * Writes, and commits, that the caller reads data of this subject, which is not his own: rpc_server_config's
 * record_read. DATABASE_UNAVAILABLE when that cannot be, DEADLINE_PASSED or CALL_CANCELLED when it is too
 * late for it; and nothing is to be shown then.
 */
int app_record_read(struct rpc_call *call, int64_t subject_id, struct error *err)
	__attribute__((warn_unused_result));

/*
 * Runs `body` in a transaction, once per request id: claims the call's key, runs `body`, which writes,
 * appends its events and fills `ret`, then stores the packed `ret` and commits. A repeat fills `ret` from the
 * stored reply and adds the header edu-replayed. Without a request id it is a plain transaction.
 */
int app_transaction(struct rpc_call *call, int64_t keep_us, db_body body, void *arg, ProtobufCMessage *ret,
		    struct error *err) __attribute__((warn_unused_result));

/* Of what app_transaction() returned: it was done, or nobody knows because the commit's answer was lost. */
bool app_perhaps_done(int r, const struct error *err);

/* Fills `ret` from a stored reply and adds the header edu-replayed: for stores that claim keys themselves. */
int app_replay(struct rpc_call *call, struct span stored, ProtobufCMessage *ret, struct error *err)
	__attribute__((warn_unused_result));

/* Adds the header edu-replayed: what the answer tells had been done before. */
void app_say_replayed(struct rpc_call *call);

/*
 * Checks an Update's update_mask: rules_check_mask(), and that it names neither the object's id nor its etag,
 * which tell what is to be changed.
 */
int app_check_mask(const struct message_rules *resource, char *const *paths, size_t n_paths,
		   const char *id_path, struct error *err) __attribute__((warn_unused_result));

/* --- pieces of answers --- */

/* A Timestamp in the arena from stored microseconds; NULL for 0 or a full arena. And back; 0 for NULL. */
struct Google__Protobuf__Timestamp;
typedef struct Google__Protobuf__Timestamp Google__Protobuf__Timestamp;
Google__Protobuf__Timestamp *app_timestamp(struct arena *arena, int64_t us);
int64_t app_timestamp_us(const Google__Protobuf__Timestamp *t);

/* An id's text in the arena ("" for 0). */
char *app_id(struct arena *arena, const char *kind, int64_t id);

/* The etag of an object's version ("" for 0), in the arena; NULL when it is full. */
char *app_etag(struct arena *arena, int64_t version);

/* --- refusals --- */

/* A type of objects of the contract, as errors name one of them. */
struct app_resource {
	const char *type; /* "edu.v1.Course" */
	const char *id_kind;
	const struct error_reason *not_found;
	const char *text; /* of not_found, the same whether there is none or it may not be seen */
};

/* Raises not_found of one. */
int app_not_found(struct error *err, const struct app_resource *resource, int64_t id);

/* Adds a time to the error that was raised, in RFC 3339, so that a client can compare it with its own. */
int app_add_time(struct error *err, const char *key, int64_t us);

/* Puts one into the error that was raised; returns its code, negative. */
int app_name_resource(struct error *err, const struct app_resource *resource, int64_t id);

#endif
