/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"
#include "proto/runtime/codec.h"
#include "proto/runtime/error_details.h"
#include "proto/runtime/rules.h"

/*
 * What a caller sends costs no more than in proportion to its length: a request four times as long takes
 * about four times as long to read and to refuse, and where the square of something hides, sixteen times.
 * Time is the thread's own, the least of several runs; what takes less than a few milliseconds at its largest
 * is cheap whatever its form.
 */
enum { RUNS = 7, LOOKS = 8, ARENA_CAP = 8 << 20, CHEAP_US = 3000, GROWTH = 9, BYTES_MAX = 4 << 20 };

struct bytes {
	uint8_t *data;
	size_t len;
};

static void put(struct bytes *b, const void *data, size_t len)
{
	if (b->len + len > BYTES_MAX)
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void put_varint(struct bytes *b, uint64_t value)
{
	uint8_t text[10];
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		text[n++] = (uint8_t)(value | 0x80);
	text[n++] = (uint8_t)value;
	put(b, text, n);
}

static void put_field(struct bytes *b, unsigned field, const void *data, size_t len)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, len);
	put(b, data, len);
}

static struct bytes bytes_new(void)
{
	return (struct bytes){.data = malloc(BYTES_MAX)};
}

/* The bytes as field `field` of `outer`. */
static void put_nested(struct bytes *outer, unsigned field, struct bytes *inner)
{
	put_field(outer, field, inner->data, inner->len);
	free(inner->data);
}

/* --- what grows --- */

enum { COURSE = 1, MASK = 2, TITLE = 4, DESCRIPTION = 6, OBJECTIVES = 7, INSTRUCTORS = 14, PRICE_LIST = 16 };

static void distinct_paths(struct bytes *b, unsigned n)
{
	struct bytes mask = bytes_new();
	char path[16];

	for (unsigned i = 0; i < n; i++)
		put_field(&mask, 1, path, (size_t)snprintf(path, sizeof(path), "p%u", i));
	put_nested(b, MASK, &mask);
	put_field(b, COURSE, "", 0);
}

static void one_path_again_and_again(struct bytes *b, unsigned n)
{
	struct bytes mask = bytes_new();

	for (unsigned i = 0; i < n; i++)
		put_field(&mask, 1, "title", 5);
	put_nested(b, MASK, &mask);
	put_field(b, COURSE, "", 0);
}

/* Each of the second half is looked for behind all of the first. */
static void a_path_behind_many(struct bytes *b, unsigned n)
{
	struct bytes mask = bytes_new();
	char path[16];

	for (unsigned i = 0; i < n; i++)
		if (i < n / 2)
			put_field(&mask, 1, path, (size_t)snprintf(path, sizeof(path), "p%u", i));
		else
			put_field(&mask, 1, "title", 5);
	put_nested(b, MASK, &mask);
	put_field(b, COURSE, "", 0);
}

static void strings(struct bytes *b, unsigned n)
{
	struct bytes course = bytes_new();

	for (unsigned i = 0; i < n; i++)
		put_field(&course, OBJECTIVES, " ", 1);
	put_nested(b, COURSE, &course);
}

static void messages(struct bytes *b, unsigned n)
{
	struct bytes course = bytes_new();

	for (unsigned i = 0; i < n; i++)
		put_field(&course, INSTRUCTORS, "\x10\x07", 2);
	put_nested(b, COURSE, &course);
}

/* Each is merged into those before. */
static void one_message_again_and_again(struct bytes *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put_field(b, COURSE, "\x72\x02\x10\x07", 4);
}

static void unknown_fields(struct bytes *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put(b, "\xf8\x07\x01", 3);
}

static void prices(struct bytes *b, unsigned n)
{
	struct bytes course = bytes_new(), list = bytes_new();

	for (unsigned i = 0; i < n; i++)
		put_field(&list, 1,
			  "\x0a\x03"
			  "EUR\x10\x01",
			  7);
	put_nested(&course, PRICE_LIST, &list);
	put_nested(b, COURSE, &course);
}

static void text_of(struct bytes *b, unsigned n, const char *unit)
{
	struct bytes course = bytes_new(), text = bytes_new();

	for (unsigned i = 0; i < n; i++)
		put(&text, unit, strlen(unit));
	put_nested(&course, DESCRIPTION, &text);
	put_nested(b, COURSE, &course);
}

static void plain_text(struct bytes *b, unsigned n)
{
	text_of(b, n, "a");
}

static void composed_text(struct bytes *b, unsigned n)
{
	text_of(b, n, "e\xCC\x81");
}

static void marks_alone(struct bytes *b, unsigned n)
{
	text_of(b, n, "\xCC\x81\xCC\xA3" /* U+0301 U+0323, which change places */);
}

/* U+0F73 is no mark by its class, and is taken apart into two. */
static void marks_in_disguise(struct bytes *b, unsigned n)
{
	text_of(b, n, "\xE0\xBD\xB3");
}

static void long_names(struct bytes *b, unsigned n)
{
	struct bytes mask = bytes_new(), name = bytes_new();

	for (unsigned i = 0; i < n; i++)
		put(&name, "a.", 2);
	put_nested(&mask, 1, &name);
	put_nested(b, MASK, &mask);
	put_field(b, COURSE, "", 0);
}

/* --- what it costs --- */

static void refuse_or_take(struct bytes b, struct arena *arena)
{
	UpdateCourseRequest *req;
	struct span details;
	struct error err;
	int r = codec_unpack(UPDATE_COURSE_REQUEST_DESC, span_of(b.data, b.len), &wire_limits_default, arena,
			     (ProtobufCMessage **)&req, &err);

	if (r == 0)
		r = rules_check(&edu_v1_update_course_request_rules, &req->base, arena, &err);
	if (r == 0)
		r = rules_check_mask(&edu_v1_course_rules, "update_mask", req->update_mask->paths,
				     req->update_mask->n_paths, &err);
	if (r < 0)
		r = error_encode(&err, "edu.v1", arena, &details);
}

static int64_t cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t cost_us(void (*grow)(struct bytes *b, unsigned n), unsigned n)
{
	struct bytes b = bytes_new();
	int64_t ret = INT64_MAX;

	grow(&b, n);
	for (int run = 0; run < RUNS; run++) {
		struct arena arena;
		int64_t begin = cpu_us(), took;

		arena_init(&arena, ARENA_CAP);
		refuse_or_take(b, &arena);
		arena_done(&arena);
		took = cpu_us() - begin;
		ret = least(ret, took);
	}
	free(b.data);
	return ret;
}

static bool too_much(int64_t once, int64_t four)
{
	return four > CHEAP_US && four > GROWTH * once;
}

static void test_cost_grows_as_the_request_does(void **state)
{
	static const struct {
		const char *name;
		void (*grow)(struct bytes *b, unsigned n);
		unsigned n; /* of the smaller request */
	} cases[] = {
		{"distinct paths of a mask", distinct_paths, 4900},
		{"one path again and again", one_path_again_and_again, 4900},
		{"a path behind many", a_path_behind_many, 4900},
		{"a long path", long_names, 500000},
		{"strings of a list", strings, 4900},
		{"messages of a list", messages, 4900},
		{"prices", prices, 1500},
		{"one message again and again", one_message_again_and_again, 2400},
		{"unknown fields", unknown_fields, 4900},
		{"plain text", plain_text, 1000000},
		{"text to be composed", composed_text, 300000},
		{"marks alone", marks_alone, 5000},
		{"marks in disguise", marks_in_disguise, 5000},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t once = INT64_MAX, four = INT64_MAX;

		/* What others do on the machine only adds; what grows too fast does so every time. */
		int looks = 0;
		do {
			once = least(once, cost_us(cases[i].grow, cases[i].n));
			four = least(four, cost_us(cases[i].grow, 4 * cases[i].n));
		} while (too_much(once, four) && ++looks < LOOKS);
		print_message("%-28s %7u: %6lld us   %7u: %6lld us\n", cases[i].name, cases[i].n,
			      (long long)once, 4 * cases[i].n, (long long)four);
		if (too_much(once, four))
			fail_msg("%s: four times as long costs %.1f times as much", cases[i].name,
				 (double)four / (double)once);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cost_grows_as_the_request_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
