/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/key_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct error *err, const char *what, const char *path)
{
	return error_internal(err, "cannot %s %s: %s", what, path, strerror(errno));
}

int key_dir_ensure(const char *dir, struct error *err)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return fail(err, "make the key directory", dir);
	return 0;
}

static int path_join(char out[PATH_MAX], const char *dir, const char *name, struct error *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return error_internal(err, "the path of key file %s is too long", name);
	return 0;
}

static int check_mode(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(err, "look at key file", path);
	if (!S_ISREG(st.st_mode))
		return error_internal(err, "key file %s is no regular file", path);
	if (st.st_mode & (S_IWGRP | S_IRWXO))
		return error_internal(err, "key file %s is open to others (mode %03o): chmod 600 it", path,
				      (unsigned)(st.st_mode & 0777));
	return 0;
}

static int read_whole(int fd, const char *path, uint8_t *buffer, size_t *ret_len, struct error *err)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buffer + len, KEY_FILE_MAX - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(err, "read key file", path);
		len += (size_t)n;
		if (len == KEY_FILE_MAX)
			return error_internal(err, "key file %s is too large", path);
	}
	if (len == 0)
		return error_internal(err, "key file %s is empty", path);
	*ret_len = len;
	return 0;
}

int key_file_read(const char *dir, const char *name, void *buffer, size_t *ret_len, struct error *err)
{
	char path[PATH_MAX];
	int r = path_join(path, dir, name, err);
	if (r < 0)
		return r;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT) {
		*ret_len = 0;
		return 0;
	}
	if (fd < 0)
		return fail(err, "open key file", path);
	r = check_mode(fd, path, err);
	if (r == 0)
		r = read_whole(fd, path, buffer, ret_len, err);
	close(fd);
	return r;
}

static int write_whole(int fd, const char *path, struct span bytes, struct error *err)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.data, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(err, "write key file", path);
		bytes = span_of(bytes.data + n, bytes.len - (size_t)n);
	}
	if (fsync(fd) < 0)
		return fail(err, "write key file", path);
	return 0;
}

/* A link, unlike a rename, never replaces a file that another replica put there first. */
int key_file_create(const char *dir, const char *name, struct span bytes, struct error *err)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	int fd;

	int r = path_join(path, dir, name, err);
	if (r == 0)
		r = path_join(temporary, dir, ".new-XXXXXX", err);
	if (r < 0)
		return r;
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return fail(err, "make a key file in", dir);
	r = write_whole(fd, temporary, bytes, err);
	close(fd);
	if (r == 0 && link(temporary, path) < 0 && errno != EEXIST)
		r = fail(err, "make key file", path);
	unlink(temporary);
	return r;
}
