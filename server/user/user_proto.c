/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/user_proto.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/runtime/codec.h"
#include "server/app/app.h"
#include "server/user/user_names.h"

enum { ROLES = Role_MAX /* role n is bit n - 1 of enum role */ };
static_assert(ROLE_MASK_ADMIN == 1u << (ROLES - 1), "each role has its bit in principal.h");

static void put_roles(struct arena *arena, uint32_t roles, User *ret)
{
	ret->roles = arena_array(arena, ROLES, sizeof(*ret->roles));
	for (unsigned n = 1; ret->roles && n <= ROLES; n++)
		if (roles & (1u << (n - 1)))
			ret->roles[ret->n_roles++] = (Role)n;
}

User *user_to_proto(struct arena *arena, const struct user *u)
{
	User *ret = codec_new(USER_DESC, arena);
	if (!ret)
		return NULL;
	ret->user_id = app_id(arena, ID_USER, u->user_id);
	ret->user_name = u->user_name;
	if (u->email)
		ret->email = u->email;
	ret->display_name = u->display_name;
	ret->bio = u->bio;
	ret->language = u->language;
	ret->time_zone = u->time_zone;
	put_roles(arena, u->roles, ret);
	ret->state = (Edu__V1__UserState)u->state;
	ret->create_time = app_timestamp(arena, u->create_us);
	ret->update_time = app_timestamp(arena, u->update_us);
	ret->etag = app_etag(arena, u->version);
	return ret;
}

int roles_from_proto(const Role *roles, size_t n, uint32_t *ret, struct error *err)
{
	*ret = ROLE_MASK_LEARNER;
	for (size_t i = 0; i < n; i++) {
		char field[32];
		unsigned number = roles[i];
		if (number >= 1 && number <= ROLES) {
			*ret |= 1u << (number - 1);
			continue;
		}
		snprintf(field, sizeof(field), "roles[%zu]", i);
		return error_field(err, field, "must be a role");
	}
	return 0;
}

char *user_text_fold(struct arena *arena, const char *text)
{
	char *folded = arena_strdup(arena, text);
	for (char *p = folded; p && *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return folded;
}

/* The length of the white space, of those that keyboards make, that the text begins with: ASCII's, the
 * no-break and the ideographic space. */
static size_t space_at(const char *text)
{
	if (*text == ' ' || (*text >= '\t' && *text <= '\r'))
		return 1;
	if (strncmp(text, "\u00a0", 2) == 0)
		return 2;
	return strncmp(text, "\u3000", 3) == 0 ? 3 : 0;
}

char *user_login_fold(struct arena *arena, const char *text)
{
	char *folded, *end;

	for (size_t n; (n = space_at(text)) > 0;)
		text += n;
	folded = end = user_text_fold(arena, text);
	/* Ends behind the last character that is no space. */
	for (char *p = folded; p && *p;) {
		size_t n = space_at(p);

		p += n ? n : 1;
		if (n == 0)
			end = p;
	}
	if (end)
		*end = '\0';
	return folded;
}

int64_t user_or_caller(const struct principal *caller, const char *user_id)
{
	const int64_t id = id_of(ID_USER, user_id);
	return id ? id : caller->user_id;
}
