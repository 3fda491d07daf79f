/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

/*
 * Latencies in microseconds, in buckets 1/64 of their value wide: a percentile is at most 1.6 % off. One
 * thread writes one of them; they are added up at the end.
 */
enum { HISTOGRAM_FINE = 64, HISTOGRAM_BUCKETS = HISTOGRAM_FINE * 32 };

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS], total, sum, max;
};

static inline unsigned histogram_bucket(uint64_t us)
{
	unsigned shift, bucket;

	if (us < HISTOGRAM_FINE)
		return (unsigned)us;
	shift = 63 - 6 - (unsigned)__builtin_clzll(us);
	bucket = HISTOGRAM_FINE * (shift + 1) + (unsigned)((us >> shift) - HISTOGRAM_FINE);
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The least value of the bucket after this one. */
static inline uint64_t histogram_bound(unsigned bucket)
{
	unsigned shift;

	bucket++;
	if (bucket < HISTOGRAM_FINE)
		return bucket;
	shift = bucket / HISTOGRAM_FINE - 1;
	return (uint64_t)(bucket % HISTOGRAM_FINE + HISTOGRAM_FINE) << shift;
}

static inline void histogram_record(struct histogram *h, uint64_t us)
{
	h->counts[histogram_bucket(us)]++;
	h->total++;
	h->sum += us;
	if (us > h->max)
		h->max = us;
}

static inline void histogram_add(struct histogram *h, const struct histogram *other)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->counts[i] += other->counts[i];
	h->total += other->total;
	h->sum += other->sum;
	if (other->max > h->max)
		h->max = other->max;
}

/* The value that `part` of all, 0 to 1, do not exceed. */
static inline uint64_t histogram_quantile(const struct histogram *h, double part)
{
	uint64_t rank = (uint64_t)((double)h->total * part), seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->counts[i];
		if (seen > rank)
			return histogram_bound(i) < h->max ? histogram_bound(i) : h->max;
	}
	return h->max;
}

#endif
