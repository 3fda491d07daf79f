/* SPDX-License-Identifier: Apache-2.0 */
#include "server/lesson/content_rules.h"

#include <string.h>

#include "proto/runtime/array.h"

/* --- what a file may be --- */

static const char *const media_types[] = {"video/mp4",  "video/webm", "audio/mp4",
					  "audio/mpeg", "audio/ogg",  "audio/webm"};
static const char *const trailer_types[] = {"video/mp4", "video/webm"};
static const char *const caption_types[] = {"text/vtt", "application/x-subrip"};
static const char *const transcript_types[] = {"text/plain", "text/markdown", "application/pdf"};
static const char *const cover_types[] = {"image/jpeg", "image/png", "image/webp", "image/avif"};

/* What a role asks of what is uploaded for it. */
struct role_rule {
	const char *const *types; /* NULL: any */
	unsigned n_types;
	bool of_course; /* not of a lesson */
	bool needs_language, needs_name;
};
#define TYPES(list) list, ARRAY_SIZE(list)

static const struct role_rule rules[] = {
	[CONTENT_MEDIA] = {TYPES(media_types), false, false, false},
	[CONTENT_CAPTIONS] = {TYPES(caption_types), false, true, false},
	[CONTENT_TRANSCRIPT] = {TYPES(transcript_types), false, true, false},
	[CONTENT_ATTACHMENT] = {NULL, 0, false, false, true},
	[CONTENT_COVER] = {TYPES(cover_types), true, false, false},
	[CONTENT_TRAILER] = {TYPES(trailer_types), true, false, false},
	[CONTENT_TEXT] = {NULL, 0, false, false, false},
};
static_assert(ARRAY_SIZE(rules) == ContentRole_MAX + 1, "a rule for each role");

static bool is_among(const char *type, const struct role_rule *rule)
{
	for (unsigned i = 0; i < rule->n_types; i++)
		if (strcmp(type, rule->types[i]) == 0)
			return true;
	return !rule->types;
}

/* type/subtype of RFC 6838, in lower case, so that a header has one text. */
static bool is_media_type(const char *type)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+";
	const size_t n = strspn(type, name);
	const char *rest = type + n + 1;

	return n > 0 && type[n] == '/' && *rest && strspn(rest, name) == strlen(rest);
}

int content_check_place(const char *lesson_id, const char *course_id, struct error *err)
{
	if (!*lesson_id == !*course_id)
		return error_field(err, "lesson_id", "or course_id must be set, and not both");
	return 0;
}

static int check_role(const CreateContentUploadRequest *req, const struct role_rule *rule, struct error *err)
{
	if (req->role == (Edu__V1__ContentRole)CONTENT_TEXT)
		return error_field(err, "role", "must not be TEXT, which SetLessonText sets");
	if (rule->of_course && *req->lesson_id)
		return error_field(err, "lesson_id", "must be empty: this is the course's own");
	if (!rule->of_course && *req->course_id)
		return error_field(err, "course_id", "must be empty: this is a lesson's");
	return 0;
}

int content_check_upload(const CreateContentUploadRequest *req, struct error *err)
{
	const struct role_rule *rule = &rules[req->role];
	int r = content_check_place(req->lesson_id, req->course_id, err);

	if (r >= 0)
		r = check_role(req, rule, err);
	if (r < 0)
		return r;
	if (!is_media_type(req->content_type))
		return error_field(err, "content_type",
				   "must be a media type in lower case, without parameters");
	if (!is_among(req->content_type, rule))
		return error_field(err, "content_type", "is none that this role takes");
	if (rule->needs_language && !*req->language)
		return error_field(err, "language", "is required for this role");
	if (rule->needs_name && !*req->file_name)
		return error_field(err, "file_name", "is required for this role");
	if (strpbrk(req->file_name, "/\\"))
		return error_field(err, "file_name", "must not contain / or \\");
	if (strcmp(req->file_name, ".") == 0 || strcmp(req->file_name, "..") == 0)
		return error_field(err, "file_name", "must not be . or .., which are directories");
	return 0;
}

/* --- what a place holds --- */

bool content_replaces(const struct content *added, const struct content *other)
{
	if (added->role != other->role || added->content_id == other->content_id)
		return false;
	switch (added->role) {
	case CONTENT_MEDIA:
	case CONTENT_COVER:
	case CONTENT_TRAILER:
	case CONTENT_TEXT:
		return true;
	case CONTENT_CAPTIONS:
	case CONTENT_TRANSCRIPT:
		return strcmp(added->language, other->language) == 0;
	case CONTENT_ATTACHMENT:
		break;
	}
	return false;
}

int content_check_room(const struct content *added, const struct content *list, unsigned n, struct error *err)
{
	const unsigned most =
		added->role == CONTENT_ATTACHMENT ? CONTENT_ATTACHMENTS_MAX : CONTENT_LANGUAGES_MAX;
	unsigned held = 0;

	for (unsigned i = 0; i < n; i++)
		held += list[i].role == added->role && list[i].content_id != added->content_id &&
			!content_replaces(added, &list[i]);
	if (held < most)
		return 0;
	error_raise(err, &REASON_CONTENT_FULL, "The lesson holds as many of these as it may; remove one.");
	return error_add_metadata(err, "most", "%u", most);
}
