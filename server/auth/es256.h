/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_ES256_H
#define AUTH_ES256_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/span.h"

/*
 * Whether `signature`, r and s of 32 bytes each (RFC 7518 section 3.4), is this P-256 key's over the text.
 * The key has been parsed before, which makes this several times cheaper than libjwt, which parses its PEM at
 * each call. Any thread.
 */
bool es256_verify(EVP_PKEY *key, struct span text, const uint8_t signature[64])
	__attribute__((warn_unused_result));

#endif
