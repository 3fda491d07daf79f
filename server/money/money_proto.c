/* SPDX-License-Identifier: Apache-2.0 */
#include "server/money/money_proto.h"

#include "proto/runtime/codec.h"

Money *money_to_proto(struct arena *arena, const char *currency_code, int64_t minor_units)
{
	Money *money = codec_new(MONEY_DESC, arena);
	char *code = arena_strdup(arena, currency_code);

	if (!money || !code)
		return NULL;
	money->currency_code = code;
	money->minor_units = minor_units;
	return money;
}
