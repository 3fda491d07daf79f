/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACCESS_ACCESS_WINDOWS_H
#define ACCESS_ACCESS_WINDOWS_H

#include "server/access/access.h"

/* How times in the database become windows, and how windows are put together. */

/* A grant's times, or those of a course in a catalogue. 0: no such end. */
struct access_bounds {
	int64_t scope_id, start_us, end_us, revoke_us;
};

/* Whatever was taken away is over now: whoever did it may have a clock that is ahead of ours. */
struct access_window access_window_of(const struct access_bounds *b, int64_t now_us);

/* Sorts windows by scope and start, joins those of a scope that overlap or touch, leaves out the empty ones;
 * returns how many are left. Here, since the database would make a table of its own to sort a few rows. */
unsigned access_windows_join(struct access_window *windows, unsigned n);

/* How many windows two arrays so sorted, the bytes of these, have together, scope by scope; puts them into
 * `ret` unless it is NULL. A course may be in many catalogues, a user has few. */
unsigned access_windows_meet(struct span of_user, struct span of_course, struct access_window *ret);

#endif
