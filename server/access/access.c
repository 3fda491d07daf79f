/* SPDX-License-Identifier: Apache-2.0 */
#include "server/access/access.h"

#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "server/access/access_store.h"
#include "server/access/access_windows.h"

/* Ids of users and of courses are never the same, so that each is a key by itself. */
struct pair_key {
	int64_t user_id, course_id;
};

static struct pair_key pair_of(const struct access_query *q)
{
	return (struct pair_key){q->user_id, q->course_id};
}

/* What is remembered of a user and a course is this, then the windows. */
struct head {
	int64_t epoch, start_us, epoch_us;
	int64_t enrolled;
};

bool access_covers(const struct access *a, int64_t at_us)
{
	for (unsigned i = 0; i < a->n_windows; i++)
		if (at_us >= a->windows[i].start_us && at_us < a->windows[i].end_us)
			return true;
	return false;
}

int64_t access_end_us(const struct access *a, int64_t at_us)
{
	int64_t end_us = 0;

	for (unsigned i = 0; i < a->n_windows; i++)
		if (a->windows[i].start_us <= at_us && a->windows[i].end_us > at_us &&
		    a->windows[i].end_us > end_us)
			end_us = a->windows[i].end_us;
	return end_us ? end_us : INT64_MAX;
}

bool access_began(const struct access *a, const void *at_us)
{
	const int64_t *at = at_us;

	for (unsigned i = 0; i < a->n_windows; i++)
		if (a->windows[i].start_us <= *at)
			return true;
	return a->enrolled && a->start_us <= *at;
}

bool access_lasts(const struct access *a, int64_t at_us)
{
	for (unsigned i = 0; i < a->n_windows; i++)
		if (a->windows[i].end_us > at_us)
			return true;
	return false;
}

int64_t access_first_us(const struct access *a)
{
	int64_t first_us = INT64_MAX;

	for (unsigned i = 0; i < a->n_windows; i++)
		if (a->windows[i].start_us < first_us)
			first_us = a->windows[i].start_us;
	return first_us;
}

/* --- a user's catalogues and a course's, put together --- */

/* Adds what catalogues give; false when the arena is full. */
static bool add_catalogues(struct arena *arena, struct span of_user, struct span of_course, struct access *a)
{
	unsigned n = access_windows_meet(of_user, of_course, NULL);
	if (n == 0)
		return true;
	struct access_window *all = arena_array(arena, a->n_windows + n, sizeof(*all));
	if (!all)
		return false;
	if (a->n_windows)
		memcpy(all, a->windows, a->n_windows * sizeof(*all));
	(void)access_windows_meet(of_user, of_course, all + a->n_windows);
	a->windows = all;
	a->n_windows += n;
	return true;
}

/* --- from memory --- */

static struct span key_of(const int64_t *id)
{
	return span_of(id, sizeof(*id));
}

static bool pair_cached(struct cache *cache, struct arena *arena, const struct access_query *q,
			struct access *ret)
{
	const struct pair_key key = pair_of(q);
	struct cache_value *value = cache_get(cache, span_of(&key, sizeof(key)), 0);
	struct head head;

	if (!value)
		return false;
	struct span span = cache_value_span(value);
	memcpy(&head, span.data, sizeof(head));
	*ret = (struct access){
		.enrolled = head.enrolled,
		.epoch = head.epoch,
		.start_us = head.start_us,
		.epoch_us = head.epoch_us,
		.windows = arena_memdup(arena, span.data + sizeof(head), span.len - sizeof(head)),
		.n_windows = (unsigned)((span.len - sizeof(head)) / sizeof(struct access_window)),
	};
	cache_value_release(value);
	return ret->windows != NULL;
}

/* Adds what is remembered of catalogues; true when that is something. */
static bool add_cached(struct cache *cache, struct arena *arena, const struct access_query *q,
		       struct access *a)
{
	const unsigned before = a->n_windows;
	struct cache_value *of_user = cache_get(cache, key_of(&q->user_id), 0), *of_course = NULL;

	if (of_user && cache_value_span(of_user).len > 0)
		of_course = cache_get(cache, key_of(&q->course_id), 0);
	if (of_course)
		(void)add_catalogues(arena, cache_value_span(of_user), cache_value_span(of_course), a);
	cache_value_release(of_user);
	cache_value_release(of_course);
	return a->n_windows > before;
}

static bool says_yes(const struct access_query *q, const struct access *a)
{
	return q->asks(a, q->arg);
}

bool access_cached(struct cache *cache, struct arena *arena, const struct access_query *q, struct access *ret)
{
	if (!pair_cached(cache, arena, q, ret))
		return false;
	return says_yes(q, ret) || (add_cached(cache, arena, q, ret) && says_yes(q, ret));
}

/* --- from the database --- */

static int read_pair(struct cache *cache, struct db_conn *conn, struct arena *arena,
		     const struct access_query *q, int64_t now_us, struct access *ret, struct error *err)
{
	const struct pair_key key = pair_of(q);
	struct span bytes = span_of(&key, sizeof(key));
	uint64_t generation = cache_generation(cache, bytes);
	int r = access_store_pair(conn, arena, q->user_id, q->course_id, now_us, ret, err);
	if (r < 0)
		return r;
	const struct head head = {ret->epoch, ret->start_us, ret->epoch_us, ret->enrolled};
	const size_t windows = ret->n_windows * sizeof(*ret->windows);
	uint8_t *value = arena_alloc(arena, sizeof(head) + windows);
	if (!value)
		return arena_full(err);
	memcpy(value, &head, sizeof(head));
	memcpy(value + sizeof(head), ret->windows, windows);
	(void)cache_put(cache, bytes, span_of(value, sizeof(head) + windows), 0, generation);
	return 0;
}

static int read_of_user(struct cache *cache, struct db_conn *conn, struct arena *arena, int64_t user_id,
			int64_t now_us, struct span *ret, struct error *err)
{
	uint64_t generation = cache_generation(cache, key_of(&user_id));
	struct access_window *windows;
	unsigned n;
	int r = access_store_catalogues_of_user(conn, arena, user_id, now_us, &windows, &n, err);
	if (r < 0)
		return r;
	*ret = span_of(windows, n * sizeof(*windows));
	(void)cache_put(cache, key_of(&user_id), *ret, 0, generation);
	return 0;
}

static int read_of_course(struct cache *cache, struct db_conn *conn, struct arena *arena, int64_t course_id,
			  struct span *ret, struct error *err)
{
	uint64_t generation = cache_generation(cache, key_of(&course_id));
	struct access_window *windows;
	unsigned n;
	int r = access_store_catalogues_of_course(conn, arena, course_id, &windows, &n, err);
	if (r < 0)
		return r;
	*ret = span_of(windows, n * sizeof(*windows));
	(void)cache_put(cache, key_of(&course_id), *ret, 0, generation);
	return 0;
}

static int read_catalogues(struct cache *cache, struct db_conn *conn, struct arena *arena,
			   const struct access_query *q, int64_t now_us, struct access *a, struct error *err)
{
	struct span of_user, of_course;
	int r = read_of_user(cache, conn, arena, q->user_id, now_us, &of_user, err);
	if (r < 0 || of_user.len == 0)
		return r;
	r = read_of_course(cache, conn, arena, q->course_id, &of_course, err);
	if (r < 0)
		return r;
	return add_catalogues(arena, of_user, of_course, a) ? 0 : arena_full(err);
}

int access_read(struct cache *cache, struct db_conn *conn, struct arena *arena, const struct access_query *q,
		int64_t now_us, struct access *ret, struct error *err)
{
	struct access direct;
	int r = read_pair(cache, conn, arena, q, now_us, &direct, err);
	if (r < 0)
		return r;
	*ret = direct;
	if (says_yes(q, ret) || (add_cached(cache, arena, q, ret) && says_yes(q, ret)))
		return 1;
	*ret = direct;
	r = read_catalogues(cache, conn, arena, q, now_us, ret, err);
	return r < 0 ? r : says_yes(q, ret);
}

int access_read_all(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
		    int64_t now_us, struct access *ret, struct error *err)
{
	struct access_window *of_user, *of_course;
	unsigned n_of_user, n_of_course;
	int r = access_store_pair(conn, arena, user_id, course_id, now_us, ret, err);
	if (r >= 0)
		r = access_store_catalogues_of_user(conn, arena, user_id, now_us, &of_user, &n_of_user, err);
	if (r < 0 || n_of_user == 0)
		return r;
	r = access_store_catalogues_of_course(conn, arena, course_id, &of_course, &n_of_course, err);
	if (r < 0)
		return r;
	return add_catalogues(arena, span_of(of_user, n_of_user * sizeof(*of_user)),
			      span_of(of_course, n_of_course * sizeof(*of_course)), ret)
		       ? 0
		       : arena_full(err);
}

int access_missing(struct error *err)
{
	return error_raise(err, &REASON_ACCESS_MISSING,
			   "You have no access to the course. Buy it, or enroll if it is free.");
}

void access_forget(struct cache *cache, int64_t user_id, int64_t course_id)
{
	const struct pair_key key = {user_id, course_id};

	cache_invalidate(cache, span_of(&key, sizeof(key)));
}

void access_forget_catalogues(struct cache *cache, int64_t user_or_course_id)
{
	cache_invalidate(cache, key_of(&user_or_course_id));
}
