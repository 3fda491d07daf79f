/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/principal.h"

#include <stddef.h>
#include <string.h>

struct name {
	const char *text;
	uint32_t bit;
};

static const struct name roles[] = {
	{"LEARNER", ROLE_MASK_LEARNER}, {"INSTRUCTOR", ROLE_MASK_INSTRUCTOR},
	{"SUPPORT", ROLE_MASK_SUPPORT}, {"PAYMENTS", ROLE_MASK_PAYMENTS},
	{"ADMIN", ROLE_MASK_ADMIN},     {NULL, 0},
};

static const struct name scopes[] = {
	{"members.write", SCOPE_MEMBERS_WRITE},
	{"records.read", SCOPE_RECORDS_READ},
	{"records.write", SCOPE_RECORDS_WRITE},
	{"records.import", SCOPE_RECORDS_IMPORT},
	{"enroll", SCOPE_ENROLL},
	{"payments", SCOPE_PAYMENTS},
	{"notifications.send", SCOPE_NOTIFICATIONS_SEND},
	{"client.forward", SCOPE_CLIENT_FORWARD},
	{NULL, 0},
};

static uint32_t bit_of(const struct name *names, const char *text)
{
	for (; names->text; names++) {
		if (strcmp(names->text, text) == 0)
			return names->bit;
	}
	return 0;
}

static const char *text_of(const struct name *names, uint32_t bit)
{
	for (; names->text; names++) {
		if (names->bit == bit)
			return names->text;
	}
	return NULL;
}

uint32_t role_from_name(const char *name)
{
	return bit_of(roles, name);
}

uint32_t scope_from_name(const char *name)
{
	return bit_of(scopes, name);
}

const char *role_name(enum role role)
{
	return text_of(roles, role);
}

const char *scope_name(enum scope scope)
{
	return text_of(scopes, scope);
}
