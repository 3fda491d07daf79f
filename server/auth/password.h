/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include <stdbool.h>

#include "proto/runtime/error.h"

struct metric;

/*
 * Passwords, kept as Argon2id (RFC 9106) in its self-describing text, so that parameters can be raised and
 * old hashes still verify. They are taken in Unicode's form C, so that it does not matter how their
 * characters were typed. A hash costs what the parameters say, here 19 MiB and some 25 ms: call from a
 * password worker only.
 */
enum {
	PASSWORD_HASH_SIZE = 128,        /* with the NUL */
	PASSWORD_MEMORY_KIB = 19 * 1024, /* OWASP's floor: 19 MiB, two passes, one lane */
	PASSWORD_PASSES = 2,
};

/* Immutable once made; any thread. */
struct passwords {
	unsigned long long passes;
	size_t memory;                   /* bytes */
	struct metric *hashes;           /* how many were made */
	char nobody[PASSWORD_HASH_SIZE]; /* of a random password: what an unknown user's is verified against
					  */
};

/* Hashes once. Internal error when the parameters are out of libsodium's range or memory is short. */
int passwords_init(struct passwords *p, unsigned memory_kib, unsigned passes, struct error *err)
	__attribute__((warn_unused_result));

/* The hash to store. FIELD_INVALID for a text that has no form C (runtime/utf8.h); internal error when memory
 * is short. */
int password_hash(const struct passwords *p, const char *password, char ret[PASSWORD_HASH_SIZE],
		  struct error *err) __attribute__((warn_unused_result));

/* Whether the password is the one. `hash` NULL, for an unknown user: false, after as long a time. */
bool password_verify(const struct passwords *p, const char *hash, const char *password)
	__attribute__((warn_unused_result));

/* Whether the stored hash has other parameters than are asked for now: hash again after a successful Login.
 */
bool password_needs_rehash(const struct passwords *p, const char *hash);

/* Overwrites a secret that was copied; the compiler does not leave it out. */
void secret_wipe(void *data, size_t len);

#endif
