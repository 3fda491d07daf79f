/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/auth/page_token.h"
#include "server/auth/token_text.h"
#include "tests/lib/temp_dir.h"
#include "tests/unit/page_sample.pb-c.h"

#define T0 INT64_C(1750000000000000)
#define METHOD "/edu.v1.EduService/ListCourses"

struct fixture {
	struct clock_fixed clock;
	struct page_tokens *pages;
	struct arena arena;
	struct error err;
	uint8_t args[PAGE_ARGS_LEN];
};

struct cursor {
	int64_t rank, id;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	clock_fixed_init(&f->clock, T0);
	arena_init(&f->arena, 1 << 20);
	assert_int_equal(page_tokens_new(NULL, &f->clock.clock, &f->pages, &f->err), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	page_tokens_free(f->pages);
	arena_done(&f->arena);
	free(f);
	return 0;
}

static char *make(struct fixture *f)
{
	struct cursor cursor = {7, 42};
	char *text;

	assert_int_equal(page_token_make(f->pages, &f->arena, METHOD, f->args,
					 span_of(&cursor, sizeof(cursor)), &text, &f->err),
			 0);
	return text;
}

static bool opens(struct fixture *f, const struct page_tokens *pages, const char *method, const char *text)
{
	struct span got;
	int r = page_token_open(pages, &f->arena, method, f->args, text, &got, &f->err);

	if (r < 0) {
		assert_ptr_equal(f->err.reason, &RPC_REASON_FIELD_INVALID);
		assert_string_equal(f->err.violations[0].field, "page_token");
		return false;
	}
	assert_int_equal(got.len, sizeof(struct cursor));
	assert_int_equal(((const struct cursor *)(const void *)got.data)->id, 42);
	return true;
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct span got;

	assert_true(opens(f, f->pages, METHOD, make(f)));
	assert_int_equal(page_token_open(f->pages, &f->arena, METHOD, f->args, "", &got, &f->err), 0);
	assert_int_equal(got.len, 0);
}

static void test_bound_to_method_and_arguments(void **state)
{
	struct fixture *f = *state;
	char *text = make(f);

	assert_false(opens(f, f->pages, METHOD "X", text));
	f->args[31] ^= 1;
	assert_false(opens(f, f->pages, METHOD, text));
	f->args[31] ^= 1;
	assert_true(opens(f, f->pages, METHOD, text));
}

static void test_three_days(void **state)
{
	struct fixture *f = *state;
	char *text = make(f);

	f->clock.us = T0 + PAGE_TOKEN_LIFETIME_US - 1;
	assert_true(opens(f, f->pages, METHOD, text));
	f->clock.us = T0 + PAGE_TOKEN_LIFETIME_US;
	assert_false(opens(f, f->pages, METHOD, text));
}

static void test_every_changed_character_is_seen(void **state)
{
	struct fixture *f = *state;
	char *text = make(f);

	for (size_t i = 0; text[i]; i++) {
		char kept = text[i];

		text[i] = kept == 'A' ? 'B' : 'A';
		assert_false(opens(f, f->pages, METHOD, text));
		text[i] = kept;
	}
	assert_false(opens(f, f->pages, METHOD, "x"));
	assert_false(opens(f, f->pages, METHOD, "AAAA"));
	assert_false(opens(f, f->pages, METHOD, arena_printf(&f->arena, "%s=", text)));
	text[strlen(text) - 4] = '\0';
	assert_false(opens(f, f->pages, METHOD, text));
}

/* The cursor's bytes do not show. */
static void test_opaque(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[512];
	char *text, *again;
	size_t len;

	assert_int_equal(page_token_make(f->pages, &f->arena, METHOD, f->args, span_str("last-title-shown"),
					 &text, &f->err),
			 0);
	assert_int_equal(page_token_make(f->pages, &f->arena, METHOD, f->args, span_str("last-title-shown"),
					 &again, &f->err),
			 0);
	assert_string_not_equal(text, again);
	assert_true(base64url_decode(bytes, sizeof(bytes), text, strlen(text), &len));
	assert_null(memmem(bytes, len, "title", 5));
}

static void test_cursor_sizes(void **state)
{
	static uint8_t large[PAGE_CURSOR_MAX + 1];
	struct fixture *f = *state;
	struct span got;
	char *text;

	large[PAGE_CURSOR_MAX - 1] = 9;
	assert_int_equal(page_token_make(f->pages, &f->arena, METHOD, f->args,
					 span_of(large, PAGE_CURSOR_MAX), &text, &f->err),
			 0);
	assert_int_equal(page_token_open(f->pages, &f->arena, METHOD, f->args, text, &got, &f->err), 0);
	assert_int_equal(got.len, PAGE_CURSOR_MAX);
	assert_memory_equal(got.data, large, PAGE_CURSOR_MAX);
	assert_int_equal(page_token_make(f->pages, &f->arena, METHOD, f->args, span_of(large, sizeof(large)),
					 &text, &f->err),
			 -STATUS_INTERNAL);
}

static void test_works_on_every_replica(void **state)
{
	struct fixture *f = *state;
	struct page_tokens *one, *two;
	struct cursor cursor = {7, 42};
	char dir[TEMP_DIR_MAX], *text;

	temp_dir_make(dir);
	assert_int_equal(page_tokens_new(dir, &f->clock.clock, &one, &f->err), 0);
	assert_int_equal(page_tokens_new(dir, &f->clock.clock, &two, &f->err), 0);
	assert_int_equal(page_token_make(one, &f->arena, METHOD, f->args, span_of(&cursor, sizeof(cursor)),
					 &text, &f->err),
			 0);
	assert_true(opens(f, two, METHOD, text));
	assert_false(opens(f, f->pages, METHOD, text)); /* another key */
	page_tokens_free(one);
	page_tokens_free(two);
	temp_dir_remove(dir);
}

static void hash_of(struct fixture *f, PageSample__ListThingsRequest *req, uint8_t ret[PAGE_ARGS_LEN])
{
	assert_int_equal(page_args_hash(&req->base, &f->arena, ret, &f->err), 0);
}

static void test_arguments_without_the_page(void **state)
{
	struct fixture *f = *state;
	PageSample__ListThingsRequest req = PAGE_SAMPLE__LIST_THINGS_REQUEST__INIT;
	PageSample__NoPagesRequest other = PAGE_SAMPLE__NO_PAGES_REQUEST__INIT;
	uint8_t plain[PAGE_ARGS_LEN], got[PAGE_ARGS_LEN];
	char filter[] = "a", token[] = "t", tag[] = "x", *tags[] = {tag};

	req.filter = filter;
	hash_of(f, &req, plain);
	req.page_size = 50;
	req.page_token = token;
	hash_of(f, &req, got);
	assert_memory_equal(got, plain, PAGE_ARGS_LEN);
	assert_int_equal(req.page_size, 50); /* the request itself is left alone */
	assert_ptr_equal(req.page_token, token);
	req.level = 1;
	hash_of(f, &req, got);
	assert_memory_not_equal(got, plain, PAGE_ARGS_LEN);
	req.level = 0;
	req.tags = tags;
	req.n_tags = 1;
	hash_of(f, &req, got);
	assert_memory_not_equal(got, plain, PAGE_ARGS_LEN);
	req.n_tags = 0;
	filter[0] = 'b';
	hash_of(f, &req, got);
	assert_memory_not_equal(got, plain, PAGE_ARGS_LEN);
	assert_int_equal(page_args_hash(&other.base, &f->arena, got, &f->err), 0);
}

#define with_fixture(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_fixture(test_round_trip),
		with_fixture(test_bound_to_method_and_arguments),
		with_fixture(test_three_days),
		with_fixture(test_every_changed_character_is_seen),
		with_fixture(test_opaque),
		with_fixture(test_cursor_sizes),
		with_fixture(test_works_on_every_replica),
		with_fixture(test_arguments_without_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
