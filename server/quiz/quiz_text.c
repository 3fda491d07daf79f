/* SPDX-License-Identifier: Apache-2.0 */
#include "server/quiz/quiz_text.h"

#include <stdbool.h>
#include <string.h>

#include "proto/runtime/utf8.h"

char *quiz_text_fold(struct arena *arena, const char *text)
{
	const char *from = utf8_fold(arena, text);
	char *ret = from ? arena_strdup(arena, from) : NULL, *to = ret;
	bool apart = false;

	while (ret && *from) {
		const char *character = from;

		if (utf8_code_is_space(utf8_next(&from))) {
			apart = to > ret;
			continue;
		}
		if (apart)
			*to++ = ' ';
		apart = false;
		memcpy(to, character, (size_t)(from - character));
		to += from - character;
	}
	if (ret)
		*to = '\0';
	return ret;
}
