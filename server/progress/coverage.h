/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_COVERAGE_H
#define PROGRESS_COVERAGE_H

#include <stdint.h>

/*
 * Which part of a lesson's media was watched: 64 equal slices, bit 0 the first. Merged by OR, so that
 * repeated, reordered and late reports agree. A VIDEO is complete at 58 of 64 slices: credits and pauses are
 * not owed.
 */
enum { COVERAGE_SLICES = 64, COVERAGE_COMPLETE = 58 };

/*
 * The slices that lie wholly inside [start_ms, end_ms] of media `duration_ms` long. A slice half watched does
 * not count: crediting any touched slice would complete a lesson by 64 blips. Because an interval is the
 * whole contiguous span since the last seek, it grows until it covers the slice. An interval that ends past
 * the media is cut there; nothing is covered when duration_ms is 0 or the interval is empty.
 */
uint64_t coverage_of_interval(int64_t start_ms, int64_t end_ms, int64_t duration_ms);

/* How many slices are covered, 0 to 64. */
int coverage_count(uint64_t coverage);

#endif
