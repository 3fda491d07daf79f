/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_PATH_H
#define RUNTIME_PATH_H

#include <stddef.h>

#include "proto/runtime/error.h"

/*
 * Where in a message we are, as violations name it: "prices[1].currency_code". Starts zeroed. What is pushed
 * is taken back by cutting at the length from before; a path too long for a violation is truncated.
 */
struct path {
	size_t len;
	char text[sizeof(((struct error_violation *)0)->field)];
};

void path_push(struct path *path, const char *name);
void path_push_index(struct path *path, size_t index);
void path_push_key(struct path *path, const char *key);
void path_cut(struct path *path, size_t len);

#endif
