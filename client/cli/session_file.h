/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SESSION_FILE_H
#define CLI_SESSION_FILE_H

#include "client/session/session.h"

/*
 * The session kept on disk between commands: $XDG_STATE_HOME/edu/<profile>@<target>.json (by default under
 * ~/.local/state), mode 0600 in a directory of mode 0700. Written whole and renamed into place. Exchanges of
 * the refresh token by several commands at once are serialized by a lock on a file beside it.
 */
struct session_file {
	char path[512];
	int lock; /* descriptor while locked, else -1 */
};

/* Names the file; touches nothing. */
int session_file_init(struct session_file *f, const char *profile, const char *target, struct error *err)
	__attribute__((warn_unused_result));

/* The tokens kept; none (both NULL) when there is no file. The caller owns them. */
int session_file_load(const struct session_file *f, struct session_tokens *ret, struct error *err)
	__attribute__((warn_unused_result));
int session_file_save(const struct session_file *f, const struct session_tokens *tokens, struct error *err)
	__attribute__((warn_unused_result));

/* Fails when a session could not be saved. To be asked before a call that begins or exchanges one. */
int session_file_prepare(const struct session_file *f, struct error *err) __attribute__((warn_unused_result));

/* 1 when there was one, 0 when there was none. */
int session_file_remove(const struct session_file *f, struct error *err) __attribute__((warn_unused_result));

/* The file as the store of a session. Failures to save go to stderr. */
struct session_store session_file_store(struct session_file *f);

#endif
