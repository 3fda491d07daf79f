/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/ids.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "proto/runtime/error.h"

enum {
	KIND_LENGTH = 3,
	DIGITS = 13, /* 65 bits; the first digit has three of its five */
	DIGIT_BITS = 5,
	FIRST_DIGIT_MAX = 7,
};

#define NODE_MASK ((1u << ID_NODE_BITS) - 1)
#define SEQUENCE_MASK ((INT64_C(1) << ID_SEQUENCE_BITS) - 1)
#define TIME_MAX ((INT64_C(1) << 41) - 1)

/* Crockford's base32 in lower case: no i, l, o, u. */
static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* The value of a digit, or more than 31. Not by searching: ids are parsed several times a call. */
static unsigned digit_of(char c)
{
	/* clang-format off */
	static const uint8_t letters[26] = {
		10, 11, 12, 13, 14, 15, 16, 17, 99, 18, 19, 99, 20, 21, 99, 22, 23, 24, 25, 26, 99, 27, 28, 29, 30, 31,
	};
	/* clang-format on */
	unsigned digit = (unsigned)(unsigned char)c - '0', letter = (unsigned)(unsigned char)c - 'a';

	if (digit < 10)
		return digit;
	return letter < 26 ? letters[letter] : 99;
}

char *id_format(const char *kind, int64_t id, char out[ID_TEXT_MAX])
{
	char *p = out + KIND_LENGTH + 1;

	memcpy(out, kind, KIND_LENGTH);
	out[KIND_LENGTH] = '_';
	for (int i = 0; i < DIGITS; i++)
		p[i] = digits[(uint64_t)id >> (DIGIT_BITS * (DIGITS - 1 - i)) & 31];
	p[DIGITS] = '\0';
	return out;
}

bool id_parse(const char *kind, const char *text, int64_t *ret)
{
	uint64_t id = 0;

	if (strlen(text) != KIND_LENGTH + 1 + DIGITS || memcmp(text, kind, KIND_LENGTH) != 0 ||
	    text[KIND_LENGTH] != '_')
		return false;
	text += KIND_LENGTH + 1;
	if (text[0] > '0' + FIRST_DIGIT_MAX)
		return false;
	for (int i = 0; i < DIGITS; i++) {
		unsigned digit = digit_of(text[i]);

		if (digit > 31)
			return false;
		id = id << DIGIT_BITS | digit;
	}
	if (id == 0)
		return false;
	*ret = (int64_t)id;
	return true;
}

int64_t id_of(const char *kind, const char *text)
{
	int64_t id;

	return id_parse(kind, text, &id) ? id : 0;
}

int64_t id_time_ms(int64_t id)
{
	return (id >> (ID_NODE_BITS + ID_SEQUENCE_BITS)) + ID_EPOCH_MS;
}

unsigned id_node(int64_t id)
{
	return (unsigned)(id >> ID_SEQUENCE_BITS) & NODE_MASK;
}

/* Milliseconds since our epoch; what lies outside of the 41 bits counts as their nearest end. */
static int64_t time_at(int64_t ms)
{
	int64_t time = ms < ID_EPOCH_MS ? 0 : ms - ID_EPOCH_MS;

	return time < TIME_MAX ? time : TIME_MAX;
}

/* The last id's time was not before `time`. */
static void begin_at(struct id_maker *m, int64_t time)
{
	int64_t ticks = time << ID_SEQUENCE_BITS, last = m->last;

	while (last < ticks && !atomic_compare_exchange_weak(&m->last, &last, ticks))
		;
}

void id_maker_lease(struct id_maker *m, unsigned node, int64_t begin_ms, int64_t end_ms)
{
	begin_at(m, time_at(begin_ms));
	m->lease = (uint64_t)time_at(end_ms) << ID_NODE_BITS | (node & NODE_MASK);
}

int64_t id_make(struct id_maker *m, int64_t now_ms)
{
	uint64_t lease = m->lease;
	int64_t end = (int64_t)(lease >> ID_NODE_BITS), node = (int64_t)(lease & NODE_MASK);
	int64_t now = time_at(now_ms) << ID_SEQUENCE_BITS, last = m->last, next;

	/* The lease may be another by the time it is the turn of this thread: what counts is the id's time.
	 */
	do {
		next = now > last ? now : last + 1;
		if (next >> ID_SEQUENCE_BITS >= end)
			return 0;
	} while (!atomic_compare_exchange_weak(&m->last, &last, next));
	return (next >> ID_SEQUENCE_BITS) << (ID_NODE_BITS + ID_SEQUENCE_BITS) | node << ID_SEQUENCE_BITS |
	       (next & SEQUENCE_MASK);
}
