/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TEMP_DIR_H
#define TESTS_TEMP_DIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A directory for one test, under TMPDIR. */
enum { TEMP_DIR_MAX = 256 };

static inline void temp_dir_make(char dir[TEMP_DIR_MAX])
{
	const char *base = getenv("TMPDIR");

	if (snprintf(dir, TEMP_DIR_MAX, "%s/edu-test-XXXXXX", base ? base : P_tmpdir) >= TEMP_DIR_MAX ||
	    !mkdtemp(dir))
		abort();
}

static inline int temp_dir_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void temp_dir_remove(const char *dir)
{
	if (nftw(dir, temp_dir_remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
		abort();
}

#endif
