/* SPDX-License-Identifier: Apache-2.0 */
#include "server/search/catalogue.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/metrics.h"
#include "server/course/course_names.h"
#include "server/search/index_store.h"
#include "server/user/user_names.h"

enum {
	ELSEWHERE_MAX = 1 << 16, /* courses that changed and wait; more are read with all others */
	TAUGHT_MAX = 1000,       /* of an instructor whose name changed; likewise */
	LOAD_PAGE = 500,
	REFRESH_ARENA = 32 << 20, /* a hundred courses */
	RETRY_MS = 1000,
};

struct catalogue {
	pthread_rwlock_t lock; /* of the index, held for microseconds */
	struct index *index;   /* NULL: not read yet, or lost */
	/* Whoever reads from the database what he writes into the index: so what was read later is written
	 * later. */
	pthread_mutex_t writing;
	struct id_queue *changed[2];   /* by enum catalogue_source */
	struct id_queue *renamed;      /* users whose name may have changed */
	_Atomic uint64_t losses, read; /* how often it was lost; and how often when what is there was read */
	struct cache *cards;
	struct misses *misses;
	struct metric *courses, *keys, *bytes, *from_memory, *from_database;
};

static void init_locks(struct catalogue *c)
{
	pthread_rwlockattr_t attr;
	pthread_rwlockattr_init(&attr);
	/* Readers never end where a page follows a page. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&c->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	pthread_mutex_init(&c->writing, NULL);
}

struct catalogue *catalogue_new(size_t card_bytes, struct id_queue *changed_here)
{
	static const char pages[] = "Pages of the catalogue, by where what they show was taken from.";
	struct catalogue *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	init_locks(c);
	c->changed[CHANGED_HERE] = changed_here;
	c->changed[CHANGED_ELSEWHERE] = id_queue_new(ELSEWHERE_MAX);
	c->renamed = id_queue_new(ELSEWHERE_MAX);
	atomic_init(&c->losses, 1);
	c->cards = cache_new(card_bytes, "cache=\"cards\"");
	c->misses = misses_new();
	c->courses =
		metric_gauge("edu_catalogue_courses", "Published courses in the catalogue's index.", NULL);
	c->keys = metric_gauge("edu_catalogue_keys", "Words and filters in the catalogue's index.", NULL);
	c->bytes = metric_gauge("edu_catalogue_bytes", "Memory of the catalogue's index, about.", NULL);
	c->from_memory = metric_counter("edu_catalogue_pages_total", pages, "from=\"memory\"");
	c->from_database = metric_counter("edu_catalogue_pages_total", pages, "from=\"database\"");
	if (changed_here && c->changed[CHANGED_ELSEWHERE] && c->renamed && c->cards && c->misses)
		return c;
	catalogue_free(c);
	return NULL;
}

void catalogue_free(struct catalogue *c)
{
	if (!c)
		return;
	pthread_rwlock_destroy(&c->lock);
	pthread_mutex_destroy(&c->writing);
	id_queue_free(c->changed[CHANGED_ELSEWHERE]);
	id_queue_free(c->renamed);
	index_free(c->index);
	cache_free(c->cards);
	misses_free(c->misses);
	free(c);
}

/* --- what changes --- */

void catalogue_lost(struct catalogue *c)
{
	atomic_fetch_add(&c->losses, 1);
	cache_clear(c->cards);
}

bool catalogue_ready(const struct catalogue *c)
{
	return atomic_load(&c->losses) == atomic_load(&c->read);
}

static void follow_name(struct catalogue *c, int64_t user_id)
{
	int64_t ids[TAUGHT_MAX];
	pthread_rwlock_rdlock(&c->lock);
	const uint64_t n = c->index ? index_taught(c->index, user_id, ids, TAUGHT_MAX) : 0;
	pthread_rwlock_unlock(&c->lock);
	for (uint64_t i = 0; i < n && i < TAUGHT_MAX; i++)
		id_queue_add(c->changed[CHANGED_ELSEWHERE], ids[i]);
	if (n > TAUGHT_MAX)
		catalogue_lost(c);
}

void catalogue_course_changed(struct catalogue *c, int64_t course_id)
{
	id_queue_add(c->changed[CHANGED_ELSEWHERE], course_id);
}

void catalogue_on_event(struct catalogue *c, const struct event *e)
{
	if (strcmp(e->kind, EVENT_USER_UPDATED) == 0)
		id_queue_add(c->renamed, e->subject_id);
	else if (e->course_id &&
		 (event_is_of(e, NOUN_COURSE) || event_is_of(e, NOUN_SECTION) || event_is_of(e, NOUN_LESSON)))
		catalogue_course_changed(c, e->course_id);
}

/* --- reading from the database --- */

static int out_of_memory(struct error *err)
{
	return error_internal(err, "out of memory for the catalogue");
}

/* And so all of it is to be read anew. */
static int lost_for_memory(struct catalogue *c, struct error *err)
{
	catalogue_lost(c);
	return out_of_memory(err);
}

static int fill(struct index *index, struct db_conn *conn, struct arena *arena, struct error *err)
{
	struct index_course *courses;
	int64_t after_id = 0;
	unsigned n;
	do {
		arena_reset(arena);
		int r = index_store_page(conn, arena, after_id, LOAD_PAGE, &courses, &n, err);
		if (r < 0)
			return r;
		for (unsigned i = 0; i < n; i++)
			if (!index_put(index, &courses[i]))
				return out_of_memory(err);
		if (n > 0)
			after_id = courses[n - 1].course_id;
	} while (n == LOAD_PAGE);
	return index_filled(index) ? 0 : out_of_memory(err);
}

static void replace(struct catalogue *c, struct index *index)
{
	pthread_rwlock_wrlock(&c->lock);
	struct index *old = c->index;
	c->index = index;
	pthread_rwlock_unlock(&c->lock);
	index_free(old);
}

/* What is lost while it is being read is not in it, perhaps. */
int catalogue_load(struct catalogue *c, struct db_conn *conn, struct arena *arena, struct error *err)
{
	const int64_t began_us = monotonic_us();
	const uint64_t losses = atomic_load(&c->losses);
	pthread_mutex_lock(&c->writing);
	replace(c, NULL);
	cache_clear(c->cards);
	struct index *index = index_new();
	int r = index ? fill(index, conn, arena, err) : out_of_memory(err);
	if (r < 0) {
		index_free(index);
	} else {
		log_info("the catalogue of %zu courses was read in %" PRId64 " ms", index_size(index).courses,
			 (monotonic_us() - began_us) / 1000);
		replace(c, index);
		atomic_store(&c->read, losses);
	}
	pthread_mutex_unlock(&c->writing);
	return r;
}

/* Each as it was read, or gone when it was not. */
static bool write_courses(struct catalogue *c, const int64_t *ids, unsigned n_ids,
			  const struct index_course *courses, unsigned n)
{
	bool ok = true;
	for (unsigned i = 0; i < n_ids; i++)
		cache_invalidate(c->cards, span_of(&ids[i], sizeof(ids[i])));
	for (unsigned i = 0; ok && i < n_ids; i++) {
		const struct index_course *found = NULL;
		for (unsigned j = 0; j < n && !found; j++)
			found = courses[j].course_id == ids[i] ? &courses[j] : NULL;
		/* One at a time, so that nobody waits for a hundred. */
		pthread_rwlock_wrlock(&c->lock);
		if (c->index && found)
			ok = index_put(c->index, found);
		else if (c->index)
			index_remove(c->index, ids[i]);
		pthread_rwlock_unlock(&c->lock);
	}
	return ok;
}

/* Some of what waits; returns how many, negative on trouble. Called by who holds `writing`. */
static int refresh_some(struct catalogue *c, enum catalogue_source source, struct db_conn *conn,
			struct arena *arena, struct error *err)
{
	int64_t ids[INDEX_READ_MAX];
	struct index_course *courses;
	uint64_t upto;
	unsigned n;
	const unsigned n_ids = id_queue_copy(c->changed[source], ids, INDEX_READ_MAX, &upto);
	int r = n_ids ? index_store_read(conn, arena, ids, n_ids, &courses, &n, err) : 0;
	if (r < 0 || n_ids == 0)
		return r;
	if (!write_courses(c, ids, n_ids, courses, n))
		return lost_for_memory(c, err);
	id_queue_drop(c->changed[source], upto);
	return (int)n_ids;
}

static int lock_writing(struct catalogue *c, int64_t deadline_us, struct error *err)
{
	const struct timespec until = timespec_of_us(deadline_us);
	if (pthread_mutex_clocklock(&c->writing, CLOCK_MONOTONIC, &until) == 0)
		return 0;
	return error_raise(err, &RPC_REASON_DEADLINE_PASSED,
			   "The deadline passed before the call could begin.");
}

int catalogue_refresh(struct catalogue *c, enum catalogue_source source, struct db_conn *conn,
		      int64_t deadline_us, struct error *err)
{
	struct arena arena;
	int n = INDEX_READ_MAX, r = 0;
	if (id_queue_lost(c->changed[source]))
		catalogue_lost(c);
	arena_init(&arena, REFRESH_ARENA);
	while (r == 0 && n == INDEX_READ_MAX) {
		r = lock_writing(c, deadline_us, err);
		if (r < 0)
			break;
		n = refresh_some(c, source, conn, &arena, err);
		pthread_mutex_unlock(&c->writing);
		arena_reset(&arena);
		r = n < 0 ? n : 0;
	}
	arena_done(&arena);
	return r;
}

void catalogue_follow_names(struct catalogue *c)
{
	int64_t users[INDEX_READ_MAX];
	uint64_t upto;
	unsigned n = INDEX_READ_MAX;
	if (id_queue_lost(c->renamed))
		catalogue_lost(c);
	while (n == INDEX_READ_MAX) {
		n = id_queue_copy(c->renamed, users, INDEX_READ_MAX, &upto);
		for (unsigned i = 0; i < n; i++)
			follow_name(c, users[i]);
		id_queue_drop(c->renamed, upto);
	}
}

bool catalogue_rank(struct catalogue *c, const struct index_rank *ranks, unsigned n)
{
	bool ok = true;
	pthread_mutex_lock(&c->writing);
	for (unsigned i = 0; ok && i < n; i++) {
		pthread_rwlock_wrlock(&c->lock);
		ok = !c->index || index_rank(c->index, &ranks[i]);
		pthread_rwlock_unlock(&c->lock);
	}
	if (!ok)
		catalogue_lost(c);
	pthread_mutex_unlock(&c->writing);
	return ok;
}

void catalogue_tidy(struct catalogue *c)
{
	bool more = true;
	pthread_mutex_lock(&c->writing);
	while (more) {
		pthread_rwlock_wrlock(&c->lock);
		more = c->index && index_sweep(c->index);
		pthread_rwlock_unlock(&c->lock);
	}
	pthread_mutex_unlock(&c->writing);
}

void catalogue_measure(struct catalogue *c)
{
	pthread_mutex_lock(&c->writing);
	const struct index_size size = c->index ? index_size(c->index) : (struct index_size){0};
	pthread_mutex_unlock(&c->writing);
	metric_set(c->courses, (int64_t)size.courses);
	metric_set(c->keys, (int64_t)size.keys);
	metric_set(c->bytes, (int64_t)size.bytes);
}

/* --- asking --- */

bool catalogue_current(const struct catalogue *c)
{
	return id_queue_empty(c->changed[CHANGED_HERE]);
}

int catalogue_find(struct catalogue *c, struct arena *arena, const struct index_query *q,
		   struct index_page *ret, struct error *err)
{
	pthread_rwlock_rdlock(&c->lock);
	const bool ready = c->index && catalogue_ready(c);
	const bool ok = ready && index_find(c->index, arena, q, ret);
	pthread_rwlock_unlock(&c->lock);
	if (ok)
		return 0;
	if (ready)
		return arena->exhausted ? arena_full(err) : error_internal(err, "out of memory for a page");
	(void)!error_raise(
		err, &RPC_REASON_DATABASE_UNAVAILABLE,
		"The catalogue is being read from the database; nothing was done. Wait and repeat.");
	return error_set_retry(err, RETRY_MS);
}

void catalogue_count_page(struct catalogue *c, bool from_memory)
{
	metric_add(from_memory ? c->from_memory : c->from_database, 1);
}

struct cache *catalogue_cards(struct catalogue *c)
{
	return c->cards;
}

struct misses *catalogue_misses(struct catalogue *c)
{
	return c->misses;
}
