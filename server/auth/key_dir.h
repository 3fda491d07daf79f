/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_KEY_DIR_H
#define AUTH_KEY_DIR_H

#include "proto/runtime/error.h"
#include "proto/runtime/span.h"

/*
 * The directory that holds this service's secrets, one file each, shared by all replicas. Files are made with
 * mode 0600 and appear whole or not at all; when two replicas make the same one at once, both end up with the
 * winner's. Used at start only; blocks on the file system. Failures are internal errors whose message names
 * the file.
 */
enum { KEY_FILE_MAX = 8192 };

/* Makes the directory (mode 0700) unless it is there. Its parent must exist. */
int key_dir_ensure(const char *dir, struct error *err) __attribute__((warn_unused_result));

/*
 * Reads dir/name into `buffer` of KEY_FILE_MAX bytes, which the caller wipes. Refuses a file that the group
 * may write or others may touch. An absent file is 0 with *ret_len 0.
 */
int key_file_read(const char *dir, const char *name, void *buffer, size_t *ret_len, struct error *err)
	__attribute__((warn_unused_result));

/* Writes dir/name unless it exists, in which case the one that exists stays; 0 both ways. */
int key_file_create(const char *dir, const char *name, struct span bytes, struct error *err)
	__attribute__((warn_unused_result));

#endif
