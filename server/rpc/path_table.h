/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_PATH_TABLE_H
#define RPC_PATH_TABLE_H

#include <stdbool.h>

#include "proto/runtime/span.h"
#include "server/rpc/method.h"

/* From "/package.Service/Method" to the method. Built at start, then only read. */
struct path_table {
	struct method **slots; /* open addressing, at most half full */
	unsigned mask;
};

/* Room for n methods; false when out of memory. */
bool path_table_init(struct path_table *t, unsigned n) __attribute__((warn_unused_result));
void path_table_done(struct path_table *t);

/* False when the path is there already. */
bool path_table_add(struct path_table *t, struct method *m) __attribute__((warn_unused_result));

/* NULL when there is no such method. */
struct method *path_table_find(const struct path_table *t, struct span path);

#endif
