/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TLS_FILES_H
#define TESTS_TLS_FILES_H

#include <stdbool.h>

#include "tests/lib/temp_dir.h"

/* A certificate that signs itself, and its key, as PEM files in a directory of their own. */
struct tls_files {
	char dir[TEMP_DIR_MAX];
	char certificate[TEMP_DIR_MAX + 16], key[TEMP_DIR_MAX + 16];
};

/* Good for a day. */
void tls_files_make(struct tls_files *f, const char *dns_name);
/* Good until so many seconds from now. */
void tls_files_make_until(struct tls_files *f, const char *dns_name, long seconds);
void tls_files_remove(struct tls_files *f);

#endif
