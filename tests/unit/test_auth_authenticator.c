/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/auth/authenticator.h"
#include "tests/lib/temp_dir.h"

#define T0 INT64_C(1750000000000000)

struct fixture {
	struct clock_fixed clock;
	struct auth *auth;
	struct arena arena;
	struct error err;
	struct principal who;
	const char *token;
};

/* What the database says of the caller, and how often it was asked. */
static bool holds = true;
static unsigned asked;
static const struct token_kinds kinds = {"usr", "ses", "org"};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	static const char *const unlimited[] = {"token=0/1", NULL};
	struct auth_config config;

	clock_fixed_init(&f->clock, T0);
	arena_init(&f->arena, 1 << 20);
	holds = true;
	asked = 0;
	auth_config_defaults(&config);
	config.kinds = kinds;
	config.clock = &f->clock.clock;
	config.rates = unlimited;
	assert_int_equal(auth_new(&config, &f->auth, &f->err), 0);
	f->who = (struct principal){
		.user_id = 1, .session_id = 10, .rights_epoch = 1, .roles = ROLE_MASK_LEARNER};
	assert_int_equal(token_issue(f->auth->tokens, &f->who, &f->arena, &f->token, &f->err), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	auth_free(f->auth);
	arena_done(&f->arena);
	free(f);
	return 0;
}

/* NULL when admitted, by the database if it has to be asked. */
static const struct error_reason *refused(struct fixture *f, const char *token)
{
	struct principal got = {.user_id = -7};
	int r = auth_authenticate(f->auth, span_str(token), "", &got, &f->err);

	if (r == AUTH_UNCONFIRMED) {
		asked++;
		r = auth_confirm(f->auth, span_str(token), &got, auth_ticket(f->auth, got.user_id), holds,
				 &f->err);
	} else if (r < 0) {
		assert_int_equal(got.user_id, -7);
	}
	if (r < 0)
		return f->err.reason;
	assert_memory_equal(&got, &f->who, sizeof(got));
	return NULL;
}

static bool remembered(struct fixture *f, const char *token)
{
	const size_t len = strlen(token), signature = len < 86 ? len : 86; /* 64 bytes as base64url */
	struct cache_value *v = cache_get(f->auth->verified, span_str(token + len - signature),
					  clock_now_us(&f->clock.clock));

	cache_value_release(v);
	return v;
}

static void test_remembers_what_it_verified(void **state)
{
	struct fixture *f = *state;

	assert_false(remembered(f, f->token));
	assert_null(refused(f, f->token));
	assert_true(remembered(f, f->token));
	assert_null(refused(f, f->token));
}

static void test_remembers_nothing_bad(void **state)
{
	struct fixture *f = *state;
	char *bad = arena_printf(&f->arena, "%s=", f->token);

	assert_null(refused(f, f->token));
	assert_ptr_equal(refused(f, bad), &RPC_REASON_TOKEN_INVALID);
	assert_ptr_equal(refused(f, ""), &RPC_REASON_TOKEN_INVALID);
	assert_false(remembered(f, bad));
	assert_false(remembered(f, ""));
}

/* Every byte of a token counts, though it is found by its signature. */
static void test_a_signature_opens_one_token(void **state)
{
	struct fixture *f = *state;
	char *bad = arena_strdup(&f->arena, f->token);
	const size_t body = (size_t)(strrchr(bad, '.') - bad);

	assert_null(refused(f, f->token));
	for (size_t i = 0; i < body; i++) {
		bad[i] ^= 1;
		assert_ptr_equal(refused(f, bad), &RPC_REASON_TOKEN_INVALID);
		bad[i] ^= 1;
	}
	assert_ptr_equal(refused(f, bad + 1), &RPC_REASON_TOKEN_INVALID);
	assert_ptr_equal(refused(f, bad + body + 1), &RPC_REASON_TOKEN_INVALID);
	assert_null(refused(f, bad));
}

static void test_a_remembered_token_expires(void **state)
{
	struct fixture *f = *state;

	assert_null(refused(f, f->token));
	f->clock.us = f->who.expire_us - 1;
	assert_null(refused(f, f->token));
	f->clock.us = f->who.expire_us;
	assert_ptr_equal(refused(f, f->token), &RPC_REASON_TOKEN_EXPIRED);
}

static void test_the_database_is_asked_once_for_each_change(void **state)
{
	struct fixture *f = *state;

	assert_null(refused(f, f->token));
	assert_null(refused(f, f->token));
	assert_int_equal(asked, 1);
	auth_user_changed(f->auth, 2);
	assert_null(refused(f, f->token));
	assert_int_equal(asked, 1);
	auth_user_changed(f->auth, 1);
	assert_null(refused(f, f->token));
	assert_null(refused(f, f->token));
	assert_int_equal(asked, 2);
	auth_all_changed(f->auth);
	assert_null(refused(f, f->token));
	assert_null(refused(f, f->token));
	assert_int_equal(asked, 3);
}

/* Whatever any clock says, and without asking again. */
static void test_never_back_from_revocation(void **state)
{
	struct fixture *f = *state;

	assert_null(refused(f, f->token));
	auth_user_changed(f->auth, 1);
	assert_null(refused(f, f->token));
	auth_user_changed(f->auth, 1);
	holds = false;
	assert_ptr_equal(refused(f, f->token), &RPC_REASON_TOKEN_REVOKED);
	assert_int_equal(asked, 3);
	for (int64_t t = T0 - TOKEN_SKEW_US; t < T0 + 2 * TOKEN_LIFETIME_US; t += 30 * INT64_C(1000000)) {
		f->clock.us = t;
		assert_non_null(refused(f, f->token));
	}
	assert_int_equal(asked, 3);
}

/* What was read before a change and comes back after it, is not believed. */
static void test_a_slow_read_brings_nothing_back(void **state)
{
	struct fixture *f = *state;
	struct principal got;
	uint64_t ticket;

	assert_int_equal(auth_authenticate(f->auth, span_str(f->token), "", &got, &f->err), AUTH_UNCONFIRMED);
	ticket = auth_ticket(f->auth, 1);
	auth_user_changed(f->auth, 1);
	assert_int_equal(auth_confirm(f->auth, span_str(f->token), &got, ticket, true, &f->err), 0);
	holds = false;
	assert_ptr_equal(refused(f, f->token), &RPC_REASON_TOKEN_REVOKED);
	assert_int_equal(asked, 1);
}

struct reader {
	struct fixture *fixture;
	_Atomic bool *gone; /* in the "database" */
	unsigned believed;  /* after it was gone there, and told here */
	_Atomic bool *told;
};

static void *authenticate_often(void *arg)
{
	struct reader *reader = arg;
	struct auth *a = reader->fixture->auth;
	struct span token = span_str(reader->fixture->token);
	struct principal got;
	struct error err;

	for (int i = 0; i < 5000; i++) {
		bool told = *reader->told;
		int r = auth_authenticate(a, token, "", &got, &err);

		if (r == AUTH_UNCONFIRMED) {
			uint64_t ticket = auth_ticket(a, 1);
			bool still = !*reader->gone;

			sched_yield();
			r = auth_confirm(a, token, &got, ticket, still, &err);
		}
		reader->believed += told && r == 0;
	}
	return NULL;
}

/* However reads and the change interleave, once the change was told nobody is admitted from memory. */
static void test_readers_race_a_change(void **state)
{
	enum { READERS = 3, ROUNDS = 12 };
	struct fixture *f = *state;

	for (int round = 0; round < ROUNDS; round++) {
		_Atomic bool gone = false, told = false;
		struct reader readers[READERS];
		struct principal who = f->who;
		pthread_t threads[READERS];

		assert_int_equal(token_issue(f->auth->tokens, &who, &f->arena, &f->token, &f->err), 0);
		for (int i = 0; i < READERS; i++) {
			readers[i] = (struct reader){.fixture = f, .gone = &gone, .told = &told};
			pthread_create(&threads[i], NULL, authenticate_often, &readers[i]);
		}
		usleep(200);
		gone = true;
		auth_user_changed(f->auth, 1);
		told = true;
		for (int i = 0; i < READERS; i++) {
			pthread_join(threads[i], NULL);
			assert_int_equal(readers[i].believed, 0);
		}
	}
}

static const struct error_reason *refused_from(struct auth *auth, const char *token, const char *address)
{
	struct principal got;
	struct error err;

	return auth_authenticate(auth, span_str(token), address, &got, &err) < 0 ? err.reason : NULL;
}

/* Forging costs us work: what comes from one address is bounded, and who is known there goes on. */
static void test_forgers_are_refused_unseen(void **state)
{
	static const char *const specs[] = {"token=0.001/5", NULL};
	struct fixture *f = *state;
	struct principal who = f->who;
	const char *known, *fresh, *good;
	struct auth_config config;
	struct auth *auth;

	auth_config_defaults(&config);
	config.kinds = kinds;
	config.clock = &f->clock.clock;
	config.rates = specs;
	assert_int_equal(auth_new(&config, &auth, &f->err), 0);
	assert_int_equal(token_issue(auth->tokens, &who, &f->arena, &known, &f->err), 0);
	assert_int_equal(token_issue(auth->tokens, &who, &f->arena, &fresh, &f->err), 0);
	/* What holds costs nothing. */
	for (int i = 0; i < 10; i++) {
		assert_int_equal(token_issue(auth->tokens, &who, &f->arena, &good, &f->err), 0);
		assert_null(refused_from(auth, good, "192.0.2.1"));
	}
	assert_null(refused_from(auth, known, "192.0.2.1"));
	for (int i = 0; i < 5; i++)
		assert_ptr_equal(refused_from(auth, f->token, "192.0.2.1"), &RPC_REASON_TOKEN_INVALID);
	assert_ptr_equal(refused_from(auth, f->token, "192.0.2.1"), &RPC_REASON_RATE_LIMITED);
	assert_ptr_equal(refused_from(auth, fresh, "192.0.2.1"), &RPC_REASON_RATE_LIMITED);
	assert_null(refused_from(auth, known, "192.0.2.1"));
	assert_null(refused_from(auth, fresh, "192.0.2.2"));
	auth_free(auth);
}

static void test_bad_limits(void **state)
{
	static const char *const bad[] = {"login=x", NULL};
	struct auth_config config;
	struct auth *auth;
	struct error err;

	auth_config_defaults(&config);
	config.kinds = kinds;
	config.rates = bad;
	assert_true(auth_new(&config, &auth, &err) < 0);
}

static void test_replicas_share_a_key_directory(void **state)
{
	struct fixture *f = *state;
	struct auth *one, *two;
	struct auth_config config;
	char dir[TEMP_DIR_MAX];
	struct principal got;
	const char *token;

	temp_dir_make(dir);
	auth_config_defaults(&config);
	config.kinds = kinds;
	config.key_dir = dir;
	config.clock = &f->clock.clock;
	assert_int_equal(auth_new(&config, &one, &f->err), 0);
	assert_int_equal(auth_new(&config, &two, &f->err), 0);
	assert_int_equal(token_issue(one->tokens, &f->who, &f->arena, &token, &f->err), 0);
	assert_int_equal(auth_authenticate(two, span_str(token), "", &got, &f->err), AUTH_UNCONFIRMED);
	assert_string_equal(auth_jwks(one), auth_jwks(two));
	assert_ptr_equal(refused(f, token), &RPC_REASON_TOKEN_INVALID); /* another house */
	auth_free(one);
	auth_free(two);
	temp_dir_remove(dir);
}

#define with_fixture(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_fixture(test_remembers_what_it_verified),
		with_fixture(test_remembers_nothing_bad),
		with_fixture(test_a_signature_opens_one_token),
		with_fixture(test_a_remembered_token_expires),
		with_fixture(test_the_database_is_asked_once_for_each_change),
		with_fixture(test_never_back_from_revocation),
		with_fixture(test_a_slow_read_brings_nothing_back),
		with_fixture(test_readers_race_a_change),
		with_fixture(test_forgers_are_refused_unseen),
		cmocka_unit_test(test_bad_limits),
		with_fixture(test_replicas_share_a_key_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
