/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_MISSES_H
#define SEARCH_MISSES_H

#include "server/db/retention.h"

/*
 * What people sought and nobody teaches, counted by text and day (the table search_miss), without who sought
 * it. Counts gather in memory and are written together. There are MISSES_MAX texts at a time, and a server
 * writes MISSES_A_DAY rows a day: a flood of nonsense costs no more, and what it keeps out is counted in
 * /metrics.
 */
enum { MISSES_MAX = 256, MISSES_A_DAY = 10000, MISS_TEXT_MAX = 200 /* characters */ };

struct misses;
struct misses *misses_new(void); /* NULL when memory is out */
void misses_free(struct misses *m);

/* A query that found nothing; the text as it was sent. Does not block. The arena holds what is thrown away.
 */
void misses_add(struct misses *m, struct arena *arena, const char *text, int64_t now_us);

/* Writes what has gathered; on failure it is lost. One thread at a time. */
int misses_write(struct misses *m, struct db_conn *conn, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list miss_stmts;
extern const struct retention miss_retention;

#endif
