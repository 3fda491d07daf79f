/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/progress_access.h"

#include "server/progress/progress_store.h"

struct access_key {
	int64_t user_id, course_id;
};

void progress_access_set_windows(struct progress_access *a, const struct grant_window *windows, unsigned n)
{
	struct grant_window *last = NULL;

	a->n_windows = 0;
	for (unsigned i = 0; i < n; i++) {
		if (last && windows[i].start_us <= last->end_us) {
			if (last->end_us < windows[i].end_us)
				last->end_us = windows[i].end_us;
			continue;
		}
		if (a->n_windows == PROGRESS_WINDOWS_MAX)
			memmove(a->windows, a->windows + 1, --a->n_windows * sizeof(*windows));
		last = &a->windows[a->n_windows++];
		*last = windows[i];
	}
}

bool progress_access_covers(const struct progress_access *a, int64_t at_us)
{
	for (unsigned i = 0; i < a->n_windows; i++)
		if (at_us >= a->windows[i].start_us && at_us < a->windows[i].end_us)
			return true;
	return false;
}

bool progress_access_cached(struct cache *cache, int64_t user_id, int64_t course_id,
			    struct progress_access *ret)
{
	struct access_key key = {user_id, course_id};
	struct cache_value *value = cache_get(cache, span_of(&key, sizeof(key)), 0);

	if (!value)
		return false;
	memcpy(ret, cache_value_span(value).data, sizeof(*ret));
	cache_value_release(value);
	return true;
}

static int read_rows(struct db_conn *conn, struct arena *arena, const struct access_key *key,
		     struct progress_access *ret, struct error *err)
{
	struct grant_window *windows = NULL;
	unsigned n = 0;

	memset(ret, 0, sizeof(*ret));
	int r = progress_store_epoch(conn, key->user_id, key->course_id, &ret->epoch, &ret->start_us, err);
	if (r <= 0)
		return r;
	ret->enrolled = true;
	r = grant_windows_read(conn, arena, key->user_id, key->course_id, &windows, &n, err);
	if (r < 0)
		return r;
	progress_access_set_windows(ret, windows, n);
	return 0;
}

int progress_access_read(struct cache *cache, struct db_conn *conn, struct arena *arena, int64_t user_id,
			 int64_t course_id, struct progress_access *ret, struct error *err)
{
	struct access_key key = {user_id, course_id};
	struct span bytes = span_of(&key, sizeof(key));
	uint64_t generation = cache_generation(cache, bytes);
	int r = read_rows(conn, arena, &key, ret, err);

	if (r == 0 && ret->enrolled)
		(void)cache_put(cache, bytes, span_of(ret, sizeof(*ret)), 0, generation);
	return r;
}

void progress_access_invalidate(struct cache *cache, int64_t user_id, int64_t course_id)
{
	struct access_key key = {user_id, course_id};

	cache_invalidate(cache, span_of(&key, sizeof(key)));
}
