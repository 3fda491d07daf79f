/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LESSON_CONTENT_RULES_H
#define LESSON_CONTENT_RULES_H

#include <stdbool.h>

#include "server/lesson/content_store.h"

/* What content may be, and how much of it a place holds. No database here. */

/* Of a lesson's text. */
#define CONTENT_TYPE_PLAIN "text/plain"
#define CONTENT_TYPE_MARKDOWN "text/markdown"

enum {
	CONTENT_ATTACHMENTS_MAX = 20, /* of a lesson */
	CONTENT_LANGUAGES_MAX = 100,  /* of captions, and of transcripts */
};

/* FIELD_INVALID when what a request says of a file does not go together. */
int content_check_upload(const CreateContentUploadRequest *req, struct error *err)
	__attribute__((warn_unused_result));

/* FIELD_INVALID unless one of the two ids is given. */
int content_check_place(const char *lesson_id, const char *course_id, struct error *err)
	__attribute__((warn_unused_result));

/* Whether the new one takes the other's place: there is one of the role, or one for each language. */
bool content_replaces(const struct content *added, const struct content *other);

/* CONTENT_FULL when a place that holds `list` cannot take the new one too. */
int content_check_room(const struct content *added, const struct content *list, unsigned n, struct error *err)
	__attribute__((warn_unused_result));

#endif
