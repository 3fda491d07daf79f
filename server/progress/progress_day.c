/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/progress_day.h"

#include <stdlib.h>

#include "proto/runtime/array.h"

int64_t progress_day_of(int64_t us)
{
	return us / DAY_US;
}

static int compare(const void *left, const void *right)
{
	const struct progress_day *a = left, *b = right;
	int r = ORDER(a->user_id, b->user_id);

	if (!r)
		r = ORDER(a->day, b->day);
	return r ? r : ORDER(a->course_id, b->course_id);
}

static struct progress_day change(const struct report *r, int64_t start_us, int64_t sign,
				  const struct progress_amounts *amounts)
{
	return (struct progress_day){
		.user_id = r->user_id,
		.day = progress_day_of(start_us),
		.course_id = r->course_id,
		.amounts = {.learning_seconds = sign * amounts->learning_seconds,
			    .interactions = sign * amounts->interactions,
			    .questions = sign * amounts->questions},
	};
}

static void add(struct progress_amounts *sum, const struct progress_amounts *more)
{
	sum->learning_seconds += more->learning_seconds;
	sum->interactions += more->interactions;
	sum->questions += more->questions;
}

static bool is_zero(const struct progress_amounts *a)
{
	return !a->learning_seconds && !a->interactions && !a->questions;
}

/* Sums neighbours of one key, leaves out what sums to nothing. */
static unsigned collapse(struct progress_day *days, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n;) {
		struct progress_day sum = days[i];

		while (++i < n && compare(&sum, &days[i]) == 0)
			add(&sum.amounts, &days[i].amounts);
		if (!is_zero(&sum.amounts))
			days[kept++] = sum;
	}
	return kept;
}

unsigned progress_day_changes(const struct report *const *reports, const struct progress_delta *deltas,
			      unsigned n, struct progress_day *ret)
{
	unsigned n_changes = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct progress_delta *d = &deltas[i];
		struct progress_amounts after = d->added;

		if (progress_day_of(d->start_before_us) != progress_day_of(d->start_us)) {
			ret[n_changes++] = change(reports[i], d->start_before_us, -1, &d->before);
			add(&after, &d->before);
		}
		ret[n_changes++] = change(reports[i], d->start_us, 1, &after);
	}
	qsort(ret, n_changes, sizeof(*ret), compare);
	return collapse(ret, n_changes);
}
