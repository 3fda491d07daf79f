/* SPDX-License-Identifier: Apache-2.0 */
#include "server/access/access_windows.h"

#include <stdlib.h>

#include "proto/runtime/array.h"

struct access_window access_window_of(const struct access_bounds *b, int64_t now_us)
{
	struct access_window w = {b->scope_id, b->start_us, b->end_us ? b->end_us : INT64_MAX};

	if (b->revoke_us && b->revoke_us < w.end_us)
		w.end_us = b->revoke_us;
	if (b->revoke_us && now_us < w.end_us)
		w.end_us = now_us;
	return w;
}

static int by_scope_and_start(const void *left, const void *right)
{
	const struct access_window *a = left, *b = right;
	int r = ORDER(a->scope_id, b->scope_id);

	return r ? r : ORDER(a->start_us, b->start_us);
}

unsigned access_windows_join(struct access_window *windows, unsigned n)
{
	unsigned joined = 0;

	qsort(windows, n, sizeof(*windows), by_scope_and_start);
	for (unsigned i = 0; i < n; i++) {
		const struct access_window w = windows[i];
		struct access_window *last = joined ? &windows[joined - 1] : NULL;

		if (w.start_us >= w.end_us)
			continue;
		if (!last || last->scope_id != w.scope_id || last->end_us < w.start_us)
			windows[joined++] = w;
		else if (last->end_us < w.end_us)
			last->end_us = w.end_us;
	}
	return joined;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The first of the windows whose scope is not below this one. */
static const struct access_window *first_of(struct span windows, int64_t scope_id)
{
	const struct access_window *all = (const struct access_window *)windows.data;
	size_t low = 0, high = windows.len / sizeof(*all);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all[middle].scope_id < scope_id)
			low = middle + 1;
		else
			high = middle;
	}
	return all + low;
}

unsigned access_windows_meet(struct span of_user, struct span of_course, struct access_window *ret)
{
	const struct access_window *u = (const struct access_window *)of_user.data;
	const struct access_window *end = (const struct access_window *)(of_course.data + of_course.len);
	unsigned n = 0;

	for (size_t i = 0; i < of_user.len / sizeof(*u); i++)
		for (const struct access_window *c = first_of(of_course, u[i].scope_id);
		     c < end && c->scope_id == u[i].scope_id; c++) {
			struct access_window w = {u[i].scope_id, later(u[i].start_us, c->start_us),
						  earlier(u[i].end_us, c->end_us)};
			if (w.start_us >= w.end_us)
				continue;
			if (ret)
				ret[n] = w;
			n++;
		}
	return n;
}
