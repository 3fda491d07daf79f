/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/rate.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/hash.h"

/*
 * A token bucket is kept as one number, the moment its last token will have come back (the generic cell rate
 * algorithm, ITU-T I.371): empty buckets lie up to burst * interval ahead, full ones in the past, and a full
 * one is as good as none. Buckets live in sets of a few ways, found by a keyed hash of class and subject.
 */
enum {
	SHARDS = 64,
	SETS = 256, /* a shard */
	WAYS = 6,
	CLASSES_MAX = 8,
	RATE_MAX = 100 * 1000 * 1000, /* a second */
	FILL_SECONDS_MAX = 30 * 24 * 3600,
	SUBJECT_MAX = 256,
};

const struct rate_class rate_classes[] = {
	/* Far above what one person or phone does; for a backend that calls for many, raise it. */
	{RATE_DEFAULT, RATE_BY_ACCOUNT, 2000, 4000},
	/* What the catalogue costs is bounded besides; a web backend that reads for many needs more. */
	{RATE_STRANGER, RATE_BY_ADDRESS, 100, 200},
	/* Each may cost as much as 20 calls. */
	{RATE_TOKEN, RATE_BY_ADDRESS, 100, 200},
	/* Each costs a password hash: a school behind one address gets in, a guesser gets nowhere. */
	{RATE_LOGIN, RATE_BY_ADDRESS, 20, 60},
	/* Ten tries, then one in five seconds. */
	{RATE_LOGIN_SOURCE, RATE_BY_BYTES, 0.2, 10},
	/* From many sources together no faster, once there were a hundred. */
	{RATE_LOGIN_ACCOUNT, RATE_BY_BYTES, 0.2, 100},
	{NULL, RATE_BY_ACCOUNT, 0, 0},
};

struct bucket {
	uint64_t hash; /* of class and subject; 0: free */
	int64_t full_ns;
};

struct shard {
	alignas(64) pthread_mutex_t lock;
	struct bucket buckets[SETS][WAYS];
};

struct limit {
	int64_t interval_ns; /* between two tokens; 0: no limit */
	unsigned burst;
};

struct rate_limiter {
	const struct clock *clock;
	struct hash_key key;
	struct limit limits[CLASSES_MAX];
	struct shard shards[SHARDS];
};

static int class_index(const char *name)
{
	for (int i = 0; rate_classes[i].name; i++) {
		if (strcmp(rate_classes[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* An unknown class is the default one, never without limit. */
static int class_of(const char *name)
{
	int class = class_index(name);

	return class < 0 ? 0 : class;
}

bool rate_class_known(const char *name)
{
	return class_index(name) >= 0;
}

static struct limit limit_of(double per_second, unsigned burst)
{
	return (struct limit){
		.interval_ns = per_second > 0 ? (int64_t)(1e9 / per_second) : 0,
		.burst = burst,
	};
}

struct rate_limiter *rate_limiter_new(const struct clock *clock)
{
	struct rate_limiter *l = aligned_alloc(alignof(struct rate_limiter), sizeof(*l));

	if (!l)
		return NULL;
	memset(l, 0, sizeof(*l));
	l->clock = clock;
	l->key = hash_key_random();
	for (int i = 0; rate_classes[i].name; i++)
		l->limits[i] = limit_of(rate_classes[i].per_second, rate_classes[i].burst);
	for (int i = 0; i < SHARDS; i++)
		pthread_mutex_init(&l->shards[i].lock, NULL);
	return l;
}

void rate_limiter_free(struct rate_limiter *l)
{
	if (!l)
		return;
	for (int i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&l->shards[i].lock);
	free(l);
}

bool rate_limiter_configure(struct rate_limiter *l, const char *spec)
{
	const char *equals = strchr(spec, '=');
	double per_second;
	char name[32];
	unsigned burst;
	int used;

	if (!equals || (size_t)(equals - spec) >= sizeof(name))
		return false;
	memcpy(name, spec, (size_t)(equals - spec));
	name[equals - spec] = '\0';
	int i = class_index(name);
	if (i < 0 || sscanf(equals + 1, "%lf/%u%n", &per_second, &burst, &used) != 2 ||
	    equals[1 + used] != '\0')
		return false;
	/* Anything else is a slip of the pen, or would not fit: a bucket must fill within 30 days. */
	if (burst < 1 || !(per_second == 0 || (per_second > 0 && per_second <= RATE_MAX &&
					       burst / per_second <= FILL_SECONDS_MAX)))
		return false;
	l->limits[i] = limit_of(per_second, burst);
	return true;
}

/* The subject's bucket, or the one to give up for it: the fullest of the set. */
static struct bucket *bucket_find(struct bucket *set, uint64_t hash)
{
	struct bucket *fullest = &set[0];

	for (int i = 0; i < WAYS; i++) {
		if (set[i].hash == hash)
			return &set[i];
		if (set[i].full_ns < fullest->full_ns)
			fullest = &set[i];
	}
	*fullest = (struct bucket){.hash = hash};
	return fullest;
}

/* What is done to a bucket. */
enum step { TAKE, ASK, GIVE_BACK };

/* 0, or how long until there is a token, in nanoseconds. */
static int64_t bucket_step(struct bucket *b, const struct limit *limit, int64_t now_ns, enum step step)
{
	int64_t depth_ns = (int64_t)limit->burst * limit->interval_ns, full_ns = b->full_ns;

	/* Further ahead than an empty bucket: the clock was set back, or the figures were. Kept, so that it
	 * fills again. */
	if (full_ns > now_ns + depth_ns)
		b->full_ns = full_ns = now_ns + depth_ns;
	if (step == GIVE_BACK) {
		b->full_ns -= limit->interval_ns;
		return 0;
	}
	if (full_ns < now_ns)
		full_ns = now_ns;
	if (full_ns + limit->interval_ns > now_ns + depth_ns)
		return full_ns + limit->interval_ns - (now_ns + depth_ns);
	if (step == TAKE)
		b->full_ns = full_ns + limit->interval_ns;
	return 0;
}

/* A subject of a class, with so many times the class's budget. */
static int64_t count(struct rate_limiter *l, int class, unsigned times, struct span subject, enum step step)
{
	const struct limit limit = {
		.interval_ns = l->limits[class].interval_ns / times,
		.burst = l->limits[class].burst * times,
	};
	uint8_t key[2 + SUBJECT_MAX] = {(uint8_t) class, (uint8_t)times};

	if (limit.interval_ns == 0)
		return 0;
	/* A longer subject is counted by its beginning, which errs towards refusing. */
	if (subject.len > SUBJECT_MAX)
		subject.len = SUBJECT_MAX;
	if (subject.len > 0)
		memcpy(key + 2, subject.data, subject.len);
	uint64_t hash = hash_bytes(&l->key, span_of(key, 2 + subject.len)) | 1;
	struct shard *s = &l->shards[hash >> 58];
	pthread_mutex_lock(&s->lock);
	int64_t wait_ns = bucket_step(bucket_find(s->buckets[(hash >> 32) % SETS], hash), &limit,
				      clock_now_us(l->clock) * 1000, step);
	pthread_mutex_unlock(&s->lock);
	return wait_ns;
}

static int limited(struct error *err, int class, const char *subject, int64_t wait_ns)
{
	int64_t wait_ms = (wait_ns + 999999) / 1000000;

	error_raise(err, &RPC_REASON_RATE_LIMITED,
		    "Too many calls of this kind; wait as long as the RetryInfo says, then repeat the call.");
	err->violation_kind = ERROR_VIOLATION_QUOTA;
	error_add_violation(err, subject, "more than the rate class \"%s\" allows", rate_classes[class].name);
	return error_set_retry(err, wait_ms);
}

/* --- addresses --- */

struct span rate_network(const char *address, unsigned char buffer[RATE_NETWORK_MAX])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (inet_pton(AF_INET, address, buffer) == 1)
		return span_of(buffer, 4);
	if (inet_pton(AF_INET6, address, buffer) != 1)
		return (struct span){0};
	/* An IPv4 address written as IPv6 stands for itself. */
	if (memcmp(buffer, mapped, sizeof(mapped)) == 0)
		return span_of(buffer + sizeof(mapped), 4);
	return span_of(buffer, 8);
}

/* The narrowest first: what it refuses does not use up its neighbours' budget. */
static int64_t count_address(struct rate_limiter *l, int class, const char *address, enum step step)
{
	unsigned char buffer[RATE_NETWORK_MAX];
	struct span network = rate_network(address, buffer);

	if (network.len != 8)
		return count(l, class, 1, network.len ? network : span_str(address), step);
	int64_t wait_ns = count(l, class, 1, network, step);
	for (unsigned wider = 1; wait_ns == 0 && wider <= 2; wider++)
		wait_ns = count(l, class, 1 + wider, span_of(buffer, 8 - wider), step);
	return wait_ns;
}

int rate_take_address(struct rate_limiter *l, const char *rate_class, const char *address, struct error *err)
{
	int class = class_of(rate_class);
	int64_t wait_ns = count_address(l, class, address, TAKE);

	return wait_ns == 0 ? 0 : limited(err, class, "address", wait_ns);
}

void rate_give_back_address(struct rate_limiter *l, const char *rate_class, const char *address)
{
	count_address(l, class_of(rate_class), address, GIVE_BACK);
}

/* --- accounts and whatever else --- */

static int count_bytes(struct rate_limiter *l, const char *rate_class, struct span subject, enum step step,
		       struct error *err)
{
	int class = class_of(rate_class);
	int64_t wait_ns = count(l, class, 1, subject, step);

	return wait_ns == 0 ? 0 : limited(err, class, "account", wait_ns);
}

int rate_take(struct rate_limiter *l, const char *rate_class, struct span subject, struct error *err)
{
	return count_bytes(l, rate_class, subject, TAKE, err);
}

int rate_ask(struct rate_limiter *l, const char *rate_class, struct span subject, struct error *err)
{
	return count_bytes(l, rate_class, subject, ASK, err);
}

void rate_give_back(struct rate_limiter *l, const char *rate_class, struct span subject)
{
	count(l, class_of(rate_class), 1, subject, GIVE_BACK);
}

int rate_admit(struct rate_limiter *l, const char *rate_class, const struct principal *who,
	       const char *address, struct error *err)
{
	const struct rate_class *class = &rate_classes[class_of(rate_class)];

	if (class->subject != RATE_BY_ACCOUNT)
		return rate_take_address(l, class->name, address, err);
	if (!principal_signed_in(who))
		return rate_take_address(l, RATE_STRANGER, address, err);
	return rate_take(l, class->name, span_of(&who->user_id, sizeof(who->user_id)), err);
}
