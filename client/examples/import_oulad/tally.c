/* SPDX-License-Identifier: Apache-2.0 */
#include "client/examples/import_oulad/tally.h"

static const char *const names[THINGS] = {
	[THING_COURSE] = "courses", [THING_LESSON] = "lessons",     [THING_ACCOUNT] = "accounts",
	[THING_TOP_UP] = "top-ups", [THING_PURCHASE] = "purchases", [THING_SESSION] = "sessions",
};

void tally_print(const struct tally *t, double seconds, FILE *out)
{
	unsigned long calls = atomic_load(&t->calls);

	fprintf(out, "%-10s %10s %10s %10s %10s\n", "", "made", "found", "skipped", "failed");
	for (unsigned i = 0; i < THINGS; i++) {
		fprintf(out, "%-10s", names[i]);
		for (unsigned j = 0; j < FATES; j++)
			fprintf(out, " %10lu", atomic_load(&t->counts[i][j]));
		fputc('\n', out);
	}
	fprintf(out, "%lu calls in %.1f s: %.0f calls per second\n", calls, seconds,
		seconds > 0 ? (double)calls / seconds : 0);
}
