/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_TALLY_H
#define IMPORT_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

/* What became of everything the import is about. Counted by any thread. */

enum thing {
	THING_COURSE,
	THING_LESSON,
	THING_ACCOUNT,
	THING_TOP_UP,
	THING_PURCHASE,
	THING_SESSION,
	THINGS,
};

enum fate {
	FATE_MADE,    /* by this run */
	FATE_FOUND,   /* was there already */
	FATE_SKIPPED, /* belongs to nothing */
	FATE_FAILED,
	FATES,
};

struct tally {
	atomic_ulong counts[THINGS][FATES];
	atomic_ulong calls; /* sent, repetitions included */
};

static inline void tally_add(struct tally *t, enum thing thing, enum fate fate, unsigned long n)
{
	atomic_fetch_add_explicit(&t->counts[thing][fate], n, memory_order_relaxed);
}

/* How one step ended: found when its answer was stored by an earlier run. */
static inline void tally_step(struct tally *t, enum thing thing, int r, bool replayed)
{
	tally_add(t, thing, r < 0 ? FATE_FAILED : replayed ? FATE_FOUND : FATE_MADE, 1);
}

static inline void tally_calls(struct tally *t, unsigned long n)
{
	atomic_fetch_add_explicit(&t->calls, n, memory_order_relaxed);
}

/* The table at the end. */
void tally_print(const struct tally *t, double seconds, FILE *out);

#endif
