/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/revocation.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Ids are made by us, so a fixed mix of their bits will do: the golden ratio's multiplier, whose high bits
 * are good. */
static unsigned id_hash(const int64_t *id)
{
	return (unsigned)((uint64_t)*id * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

#define HASH_FUNCTION(key, len, ret) ((ret) = id_hash(key))
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include <uthash.h>

enum { SHARDS = 16, SWEEP_US = 60 * 1000000 };

struct revocation {
	int64_t id;        /* of the session or user */
	int64_t before_us; /* tokens issued before this are void */
	int64_t until_us;  /* no token from before lives beyond this */
	bool lost;         /* out of memory: not in the table */
	UT_hash_handle hh;
};

struct shard {
	pthread_rwlock_t lock;
	struct revocation *entries;
	int64_t next_sweep_us;
};

/* Sessions and users are two tables alike; a session's tokens are void whenever issued. */
struct table {
	_Atomic unsigned count;
	struct shard shards[SHARDS];
};

struct revocations {
	const struct clock *clock;
	int64_t retention_us;
	_Atomic int64_t everybody_before_us;
	struct table sessions, users;
};

static void table_init(struct table *t)
{
	for (int i = 0; i < SHARDS; i++)
		pthread_rwlock_init(&t->shards[i].lock, NULL);
}

static void table_done(struct table *t)
{
	for (int i = 0; i < SHARDS; i++) {
		struct revocation *e, *next;

		HASH_ITER (hh, t->shards[i].entries, e, next) {
			HASH_DEL(t->shards[i].entries, e);
			free(e);
		}
		pthread_rwlock_destroy(&t->shards[i].lock);
	}
}

/* Ids differ in their sequence, the low 12 bits, and in time, the high ones; node bits between. */
static struct shard *shard_of(struct table *t, int64_t id)
{
	return &t->shards[((uint64_t)id ^ (uint64_t)id >> 22) % SHARDS];
}

static void shard_sweep(struct table *t, struct shard *s, int64_t now_us)
{
	struct revocation *e, *next;

	if (now_us < s->next_sweep_us)
		return;
	s->next_sweep_us = now_us + SWEEP_US;
	HASH_ITER (hh, s->entries, e, next) {
		if (e->until_us <= now_us) {
			HASH_DEL(s->entries, e);
			free(e);
			atomic_fetch_sub(&t->count, 1);
		}
	}
}

static struct revocation *entry_add(struct table *t, struct shard *s, int64_t id)
{
	struct revocation *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->id = id;
	e->before_us = INT64_MIN;
	HASH_ADD(hh, s->entries, id, sizeof(e->id), e);
	if (e->lost) {
		free(e);
		return NULL;
	}
	atomic_fetch_add(&t->count, 1);
	return e;
}

/* False when out of memory. Entries only ever grow, so order and repetition do not matter. */
static bool table_add(struct table *t, int64_t id, int64_t before_us, int64_t until_us, int64_t now_us)
{
	struct shard *s = shard_of(t, id);
	struct revocation *e;

	pthread_rwlock_wrlock(&s->lock);
	shard_sweep(t, s, now_us);
	HASH_FIND(hh, s->entries, &id, sizeof(id), e);
	if (!e)
		e = entry_add(t, s, id);
	if (e) {
		e->before_us = e->before_us > before_us ? e->before_us : before_us;
		e->until_us = e->until_us > until_us ? e->until_us : until_us;
	}
	pthread_rwlock_unlock(&s->lock);
	return e != NULL;
}

static bool table_covers(struct table *t, int64_t id, int64_t issued_us)
{
	struct shard *s = shard_of(t, id);
	struct revocation *e;
	bool covers;

	if (atomic_load(&t->count) == 0)
		return false;
	pthread_rwlock_rdlock(&s->lock);
	HASH_FIND(hh, s->entries, &id, sizeof(id), e);
	covers = e && issued_us < e->before_us;
	pthread_rwlock_unlock(&s->lock);
	return covers;
}

struct revocations *revocations_new(const struct clock *clock, int64_t retention_us)
{
	struct revocations *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->clock = clock;
	r->retention_us = retention_us;
	atomic_init(&r->everybody_before_us, INT64_MIN);
	table_init(&r->sessions);
	table_init(&r->users);
	return r;
}

void revocations_free(struct revocations *r)
{
	if (!r)
		return;
	table_done(&r->sessions);
	table_done(&r->users);
	free(r);
}

void revocations_add_everybody(struct revocations *r, int64_t before_us)
{
	int64_t current = atomic_load(&r->everybody_before_us);

	while (current < before_us &&
	       !atomic_compare_exchange_weak(&r->everybody_before_us, &current, before_us))
		;
}

static void add(struct revocations *r, struct table *t, int64_t id, int64_t before_us, int64_t at_us)
{
	int64_t now_us = clock_now_us(r->clock);

	if (!table_add(t, id, before_us, at_us + r->retention_us, now_us))
		revocations_add_everybody(r, now_us > at_us ? now_us : at_us);
}

void revocations_add_session(struct revocations *r, int64_t session_id, int64_t at_us)
{
	add(r, &r->sessions, session_id, INT64_MAX, at_us);
}

void revocations_add_user(struct revocations *r, int64_t user_id, int64_t before_us)
{
	add(r, &r->users, user_id, before_us, before_us);
}

bool revocations_cover(struct revocations *r, const struct principal *who)
{
	return who->issued_us < atomic_load(&r->everybody_before_us) ||
	       table_covers(&r->sessions, who->session_id, who->issued_us) ||
	       table_covers(&r->users, who->user_id, who->issued_us);
}

unsigned revocations_count(struct revocations *r)
{
	return atomic_load(&r->sessions.count) + atomic_load(&r->users.count);
}
