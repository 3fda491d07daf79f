/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/enrollment.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/runtime/array.h"

bool enrollment_grant_next(const char **text, struct enrollment_grant *ret)
{
	int64_t values[6];

	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		char *end;

		values[i] = strtoll(*text, &end, 10);
		if (end == *text)
			return false;
		*text = *end ? end + 1 : end;
	}
	*ret = (struct enrollment_grant){values[0], (int)values[1], values[2],
					 values[3], values[4],      values[5]};
	return true;
}

static bool ends_by(const struct enrollment_grant *g, int64_t at_us)
{
	return (g->expire_us && g->expire_us <= at_us) || (g->revoke_us && g->revoke_us <= at_us);
}

EnrollmentState enrollment_state_at(const char *grants, int64_t at_us)
{
	static_assert(ENROLLMENT_STATE_SCHEDULED == EnrollmentState_MAX,
		      "each state follows from the grants");
	EnrollmentState state = ENROLLMENT_STATE_ENDED;

	for (struct enrollment_grant g; enrollment_grant_next(&grants, &g);) {
		if (ends_by(&g, at_us) ||
		    ends_by(&g, g.start_us)) /* what was taken away before it began gave nothing */
			continue;
		if (g.start_us <= at_us)
			return ENROLLMENT_STATE_ACTIVE;
		state = ENROLLMENT_STATE_SCHEDULED;
	}
	return state;
}
