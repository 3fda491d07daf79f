/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_REQUEST_KEY_H
#define BASE_REQUEST_KEY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What makes two requests the same one (AIP-155): who asked, which method, which request_id; and a hash of
 * the rest of the request, by which a reuse with another body is told. rpc computes it, db/idem stores it.
 */
struct request_key {
	bool present;           /* the request carried a request_id */
	int64_t principal_id;   /* user or service account */
	uint32_t method;        /* stable number of the method: CRC-32 of its path */
	uint8_t request_id[16]; /* the UUID's bytes */
	uint8_t body_hash[32];  /* SHA-256 of the repacked request without request_id */
};

#endif
