/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/session_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/exit_code.h"

enum { TEMPORARY_SIZE = sizeof(((struct session_file *)0)->path) + 8 };

/* Source: the XDG Base Directory Specification; a relative path in the variable is to be ignored. */
static bool state_directory(char *out, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	if (state && state[0] == '/')
		n = snprintf(out, size, "%s/edu", state);
	else if (home && home[0] == '/')
		n = snprintf(out, size, "%s/.local/state/edu", home);
	else
		return false;
	return n > 0 && (size_t)n < size;
}

/* Bytes that a file name should not hold are written as %XX, so that two targets never share a file. */
static bool name_escape(const char *target, char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	for (; *target; target++) {
		unsigned char c = (unsigned char)*target;
		if (n + 4 > size)
			return false;
		bool plain = isalnum(c) || strchr("._-:[]", c);
		n += (size_t)snprintf(out + n, size - n, plain ? "%c" : "%%%02X", c);
	}
	return true;
}

int session_file_init(struct session_file *f, const char *profile, const char *target, struct error *err)
{
	char directory[256], name[192];

	*f = (struct session_file){.lock = -1};
	if (!state_directory(directory, sizeof(directory)))
		return error_raise(
			err, &RPC_REASON_FIELD_INVALID,
			"there is no place for the session: set HOME or XDG_STATE_HOME to a short path");
	if (!name_escape(target, name, sizeof(name)))
		return error_field(err, "target", "is too long");
	snprintf(f->path, sizeof(f->path), "%s/%s@%s.json", directory, profile, name);
	return 0;
}

static int file_failed(const struct session_file *f, const char *what, struct error *err)
{
	return error_raise(err, &CLI_REASON_SESSION, "the session file %s cannot be %s: %s", f->path, what,
			   strerror(errno));
}

/* --- reading --- */

static char *member_string(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? strdup(text) : NULL;
}

int session_file_load(const struct session_file *f, struct session_tokens *ret, struct error *err)
{
	*ret = (struct session_tokens){.access = NULL};
	FILE *in = fopen(f->path, "re");
	if (!in)
		return errno == ENOENT ? 0 : file_failed(f, "read", err);
	json_t *json = json_loadf(in, JSON_REJECT_DUPLICATES, NULL);
	fclose(in);
	ret->access = member_string(json, "accessToken");
	ret->refresh = member_string(json, "refreshToken");
	ret->access_expire_ms = json_integer_value(json_object_get(json, "accessExpireMs"));
	json_decref(json);
	if (ret->access && ret->refresh)
		return 0;
	session_tokens_done(ret);
	return error_raise(err, &CLI_REASON_SESSION,
			   "the session file %s is damaged: sign in again, or run edu forget", f->path);
}

/* --- writing --- */

/* Makes the directories above the file; those that are there keep their mode. */
static bool directories_make(const char *path)
{
	char part[sizeof(((struct session_file *)0)->path)];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		memcpy(part, path, (size_t)(slash - path));
		part[slash - path] = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return false;
	}
	return true;
}

static json_t *tokens_json(const struct session_tokens *tokens)
{
	return json_pack("{s:s, s:s, s:I}", "accessToken", tokens->access, "refreshToken", tokens->refresh,
			 "accessExpireMs", (json_int_t)tokens->access_expire_ms);
}

/* mkostemp makes the file 0600, whatever the umask. */
static int temporary_make(const struct session_file *f, char path[TEMPORARY_SIZE])
{
	snprintf(path, TEMPORARY_SIZE, "%s.XXXXXX", f->path);
	return mkostemp(path, O_CLOEXEC);
}

int session_file_prepare(const struct session_file *f, struct error *err)
{
	char temporary[TEMPORARY_SIZE];
	int fd = directories_make(f->path) ? temporary_make(f, temporary) : -1;

	if (fd < 0)
		return file_failed(f, "written", err);
	close(fd);
	unlink(temporary);
	return 0;
}

static bool file_replace(const struct session_file *f, const char *text)
{
	char temporary[TEMPORARY_SIZE];
	int fd = temporary_make(f, temporary);

	if (fd < 0)
		return false;
	size_t n = strlen(text);
	bool written = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
	written = close(fd) == 0 && written && rename(temporary, f->path) == 0;
	if (!written) {
		int saved = errno;
		unlink(temporary);
		errno = saved;
	}
	return written;
}

int session_file_save(const struct session_file *f, const struct session_tokens *tokens, struct error *err)
{
	json_t *json = tokens_json(tokens);
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	bool written = text && directories_make(f->path) && file_replace(f, text);
	int saved = errno;

	free(text);
	json_decref(json);
	errno = saved;
	return written ? 0 : file_failed(f, "written", err);
}

int session_file_remove(const struct session_file *f, struct error *err)
{
	if (unlink(f->path) == 0)
		return 1;
	return errno == ENOENT ? 0 : file_failed(f, "removed", err);
}

/* --- as a store --- */

static int store_lock(void *arg, struct session_tokens *ret, struct error *err)
{
	struct session_file *f = arg;
	char path[sizeof(f->path) + 8];

	snprintf(path, sizeof(path), "%s.lock", f->path);
	f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int r = f->lock >= 0 && flock(f->lock, LOCK_EX) == 0 ? 0 : file_failed(f, "locked", err);
	if (r == 0)
		r = session_file_prepare(f, err); /* a token that is exchanged is used up */
	if (r == 0)
		r = session_file_load(f, ret, err);
	if (r < 0 && f->lock >= 0) {
		close(f->lock);
		f->lock = -1;
	}
	return r;
}

static void store_save(void *arg, const struct session_tokens *tokens)
{
	struct error err;

	error_clear(&err);
	if (session_file_save(arg, tokens, &err) < 0)
		fprintf(stderr, "edu: %s\n  The next command will have to sign in again.\n", err.message);
}

static void store_unlock(void *arg)
{
	struct session_file *f = arg;

	flock(f->lock, LOCK_UN); /* closing alone does not, while a child has the descriptor too */
	close(f->lock);
	f->lock = -1;
}

struct session_store session_file_store(struct session_file *f)
{
	return (struct session_store){
		.lock = store_lock, .save = store_save, .unlock = store_unlock, .arg = f};
}
