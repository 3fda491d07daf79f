/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_KEYS_H
#define IMPORT_KEYS_H

#include <stdint.h>

#include "client/examples/import_oulad/tables.h"
#include "edu/v1/course.tables.h"
#include "proto/runtime/error.h"
#include "proto/runtime/uuid.h"

/*
 * Every name and key the import gives to what it makes follows from the data alone, so that a second run
 * finds what the first one made, and a repeated request is known as a repetition.
 */

enum {
	KEY_USER_NAME_MAX = 33, /* 32 characters, as the contract has it, and a NUL */
	KEY_EXTERNAL_ID_MAX = CREATE_COURSE_REQUEST_EXTERNAL_ID_MAX_LENGTH + 1,
	KEY_PASSWORD_MAX = 65, /* 64 hex digits */
};

/* "oulad-AAA-2013J" */
char *key_course(const struct oulad *o, char out[KEY_EXTERNAL_ID_MAX]);

/* "oulad-aaa-2013j-28400". An error when it is longer than a user name may be. */
int key_user_name(const struct oulad *o, int64_t learner_id, char out[KEY_USER_NAME_MAX], struct error *err)
	__attribute__((warn_unused_result));

/* A UUID (version 8 of RFC 9562) from the SHA-256 of the text; returns out. */
char *key_uuid(char out[UUID_TEXT_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* HMAC-SHA256 of the user name under the secret, in hex: what `openssl dgst -sha256 -hmac` prints. */
char *key_password(const char *secret, const char *user_name, char out[KEY_PASSWORD_MAX]);

#endif
