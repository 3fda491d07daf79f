/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LESSON_CONTENT_STORE_H
#define LESSON_CONTENT_STORE_H

#include <assert.h>

#include "edu/v1/edu_service.tables.h"
#include "server/app/app.h"
#include "server/auth/object_url.h"
#include "server/db/retention.h"

/* edu.v1.ContentRole; stored as these numbers. */
enum content_role {
	CONTENT_MEDIA = CONTENT_ROLE_MEDIA,
	CONTENT_CAPTIONS = CONTENT_ROLE_CAPTIONS,
	CONTENT_TRANSCRIPT = CONTENT_ROLE_TRANSCRIPT,
	CONTENT_ATTACHMENT = CONTENT_ROLE_ATTACHMENT,
	CONTENT_COVER = CONTENT_ROLE_COVER,
	CONTENT_TRAILER = CONTENT_ROLE_TRAILER,
	CONTENT_TEXT = CONTENT_ROLE_TEXT,
};
static_assert(CONTENT_TEXT == ContentRole_MAX, "a new role of the contract's");

/* A piece of content, which never changes. Text lies in the arena given to whoever filled it. */
struct content {
	int64_t content_id;
	int64_t course_id, lesson_id; /* listed of these, else made for them; lesson_id 0: the course's own */
	enum content_role role;
	const char *language, *file_name, *content_type; /* the first two may be "" */
	int64_t size_bytes;
	uint8_t sha256[OBJECT_HASH_LEN];
	int64_t creator_id, create_us;
};

/* Where content is held: a lesson's, or the course's own with lesson_id 0; revision 0 is the draft. */
struct content_place {
	int64_t course_id, revision, lesson_id;
};

extern const struct app_resource content_resource;
int content_not_found(struct error *err, int64_t content_id);

/* Writes what is new, held nowhere; body NULL unless it is text. */
int content_store_insert(struct db_conn *conn, const struct content *c, const char *body, struct error *err)
	__attribute__((warn_unused_result));

/* CONTENT_NOT_FOUND. */
int content_store_read(struct db_conn *conn, struct arena *arena, int64_t content_id, struct content *ret,
		       struct error *err) __attribute__((warn_unused_result));

/* The same, locked against its removal until the transaction ends. */
int content_store_lock(struct db_conn *conn, struct arena *arena, int64_t content_id, struct content *ret,
		       struct error *err) __attribute__((warn_unused_result));

/* Everything a place holds, by role and age; an array in the arena. */
int content_store_list(struct db_conn *conn, struct arena *arena, const struct content_place *place,
		       struct content **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

/* The text of a piece of content, in the arena. */
int content_store_body(struct db_conn *conn, struct arena *arena, int64_t content_id, char **ret,
		       struct error *err) __attribute__((warn_unused_result));

/* Whether some published revision holds media of the lesson: 1, 0 or negative. */
int content_store_media_published(struct db_conn *conn, int64_t course_id, int64_t lesson_id,
				  struct error *err) __attribute__((warn_unused_result));

/* Into the draft, or out of it, with the course locked. What is out, and in no other revision, is unused from
 * now on. */
int content_store_attach(struct db_conn *conn, int64_t course_id, const struct content *c, struct error *err)
	__attribute__((warn_unused_result));
int content_store_detach(struct db_conn *conn, const struct content_place *place, const struct content *c,
			 int64_t now_us, struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list content_stmts;

/* Content that no revision holds. What lies in the object store under its id stays there. */
extern const struct retention content_retention;

#endif
