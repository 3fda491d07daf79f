/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/coverage.h"

uint64_t coverage_of_interval(int64_t start_ms, int64_t end_ms, int64_t duration_ms)
{
	if (end_ms > duration_ms)
		end_ms = duration_ms;
	if (start_ms < 0 || start_ms >= end_ms)
		return 0;

	/* Slice i is [i * d / 64, (i + 1) * d / 64]; compared multiplied out, in 128 bits, so that nothing is
	 * rounded. */
	__int128 start = (__int128)start_ms * COVERAGE_SLICES, end = (__int128)end_ms * COVERAGE_SLICES;
	int first = (int)((start + duration_ms - 1) /
			  duration_ms);       /* the first slice that starts at or after `start` */
	int after = (int)(end / duration_ms); /* one past the last that ends at or before `end` */
	if (first >= after)
		return 0;
	int n = after - first;
	return n == COVERAGE_SLICES ? UINT64_MAX : ((UINT64_C(1) << n) - 1) << first;
}

int coverage_count(uint64_t coverage)
{
	return __builtin_popcountll(coverage);
}
