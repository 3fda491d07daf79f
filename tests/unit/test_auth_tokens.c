/* SPDX-License-Identifier: Apache-2.0 */
#include <jwt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "proto/runtime/ids.h"
#include "server/auth/token_text.h"
#include "server/auth/tokens.h"

#define NOW_US INT64_C(1750000000654321)

struct fixture {
	struct clock_fixed clock;
	struct token_keys *keys;
	struct tokens *tokens;
	struct arena arena;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct token_config config = {"edu",         "edu-api",      {"usr", "ses", "org"}, TOKEN_LIFETIME_US,
				      TOKEN_SKEW_US, &f->clock.clock};

	clock_fixed_init(&f->clock, NOW_US);
	arena_init(&f->arena, 1 << 20);
	assert_int_equal(token_keys_new(NULL, &f->keys, &f->err), 0);
	assert_int_equal(tokens_new(&config, f->keys, &f->tokens, &f->err), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tokens_free(f->tokens);
	token_keys_free(f->keys);
	arena_done(&f->arena);
	free(f);
	return 0;
}

static struct principal learner(void)
{
	return (struct principal){
		.user_id = 1001,
		.session_id = 2002,
		.rights_epoch = 3,
		.roles = ROLE_MASK_LEARNER | ROLE_MASK_ADMIN,
	};
}

static char *issue(struct fixture *f, struct principal *who)
{
	const char *text;

	assert_int_equal(token_issue(f->tokens, who, &f->arena, &text, &f->err), 0);
	return arena_strdup(&f->arena, text);
}

/* The reason a token is refused for; NULL when it is taken. */
static const struct error_reason *verify_span(struct fixture *f, struct span token)
{
	struct principal who = {.user_id = -7};
	int r = token_verify(f->tokens, token, &who, &f->err);

	if (r == 0) {
		assert_true(who.user_id > 0);
		return NULL;
	}
	assert_int_equal(r, -STATUS_UNAUTHENTICATED);
	assert_int_equal(who.user_id, -7); /* untouched */
	return f->err.reason;
}

static const struct error_reason *verify(struct fixture *f, const char *token)
{
	return verify_span(f, span_str(token));
}

#define assert_invalid(f, token) assert_ptr_equal(verify(f, token), &RPC_REASON_TOKEN_INVALID)
#define assert_valid(f, token) assert_null(verify(f, token))

/* A token with this header and these claims, properly signed by our key unless the algorithm says otherwise.
 */
static char *forge(struct fixture *f, jwt_alg_t alg, const char *key, const char *headers, const char *claims)
{
	jwt_t *jwt;
	char *text, *copy;

	assert_int_equal(jwt_new(&jwt), 0);
	assert_int_equal(jwt_add_headers_json(jwt, headers), 0);
	assert_int_equal(jwt_add_grants_json(jwt, claims), 0);
	assert_int_equal(jwt_set_alg(jwt, alg, (const unsigned char *)key, key ? (int)strlen(key) : 0), 0);
	text = jwt_encode_str(jwt);
	assert_non_null(text);
	if (alg == JWT_ALG_ES256)
		assert_true(token_text_canonicalize(text));
	copy = arena_strdup(&f->arena, text);
	free(text);
	jwt_free(jwt);
	return copy;
}

static char *forge_claims(struct fixture *f, const char *claims)
{
	const struct token_key *key = token_keys_signing(f->keys);
	char headers[128];

	snprintf(headers, sizeof(headers), "{\"kid\":\"%s\"}", key->kid);
	return forge(f, JWT_ALG_ES256, key->private_pem, headers, claims);
}

/* Claims that are fine, so that each test spoils exactly one thing. */
struct claims {
	const char *iss, *aud, *extra, *roles;
	const char *sub_kind, *sid_kind;
	int64_t iat, nbf, exp, epoch;
};

static struct claims good_claims(void)
{
	int64_t now = NOW_US / SECOND_US;

	return (struct claims){"\"edu\"", "\"edu-api\"", "",  "[\"LEARNER\"]", "usr",
			       "ses",     now,           now, now + 900,       3};
}

static char *forge_from(struct fixture *f, const struct claims *c)
{
	char sub[ID_TEXT_MAX], sid[ID_TEXT_MAX], json[1024];

	snprintf(
		json, sizeof(json),
		"{\"iss\":%s,\"aud\":%s,\"sub\":\"%s\",\"sid\":\"%s\",\"roles\":%s,\"iat\":%lld,\"nbf\":%lld,"
		"\"exp\":%lld,\"epoch\":%lld%s}",
		c->iss, c->aud, id_format(c->sub_kind, 1001, sub), id_format(c->sid_kind, 2002, sid),
		c->roles, (long long)c->iat, (long long)c->nbf, (long long)c->exp, (long long)c->epoch,
		c->extra);
	return forge_claims(f, json);
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct principal who = learner(), got;
	const char *text = issue(f, &who);

	assert_int_equal(who.expire_us, NOW_US / SECOND_US * SECOND_US + TOKEN_LIFETIME_US);
	assert_int_equal(token_verify(f->tokens, span_str(text), &got, &f->err), 0);
	assert_int_equal(got.user_id, 1001);
	assert_int_equal(got.session_id, 2002);
	assert_int_equal(got.organization_id, 0);
	assert_int_equal(got.roles, ROLE_MASK_LEARNER | ROLE_MASK_ADMIN);
	assert_int_equal(got.scopes, 0);
	assert_int_equal(got.rights_epoch, 3);
	assert_int_equal(got.expire_us, who.expire_us);
}

static void test_service_account(void **state)
{
	struct fixture *f = *state;
	struct principal got, who = {.user_id = 5,
				     .session_id = 6,
				     .rights_epoch = 1,
				     .organization_id = 7,
				     .scopes = SCOPE_RECORDS_READ | SCOPE_CLIENT_FORWARD};

	assert_int_equal(token_verify(f->tokens, span_str(issue(f, &who)), &got, &f->err), 0);
	assert_int_equal(got.organization_id, 7);
	assert_int_equal(got.scopes, SCOPE_RECORDS_READ | SCOPE_CLIENT_FORWARD);
	assert_int_equal(got.roles, 0);
}

static void test_tokens_differ(void **state)
{
	struct fixture *f = *state;
	struct principal who = learner();
	const char *a = issue(f, &who), *b = issue(f, &who);

	assert_string_not_equal(a, b);
}

/* About half of the signatures have their s replaced: all must verify. */
static void test_every_signature_verifies(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 40; i++) {
		struct principal who = learner();

		assert_valid(f, issue(f, &who));
	}
}

static void test_nobody_gets_no_token(void **state)
{
	struct fixture *f = *state;
	struct principal nobody = {0};
	const char *text;

	assert_int_equal(token_issue(f->tokens, &nobody, &f->arena, &text, &f->err), -STATUS_INTERNAL);
}

static void test_expiry_and_start(void **state)
{
	struct fixture *f = *state;
	struct principal who = learner();
	const char *text = issue(f, &who);

	f->clock.us = who.expire_us - 1;
	assert_valid(f, text);
	f->clock.us = who.expire_us;
	assert_ptr_equal(verify(f, text), &RPC_REASON_TOKEN_EXPIRED);
	/* Issued by a replica whose clock is ahead, within and beyond what is forgiven. */
	f->clock.us = NOW_US / SECOND_US * SECOND_US - TOKEN_SKEW_US;
	assert_valid(f, text);
	f->clock.us--;
	assert_invalid(f, text);
}

/* An expired token that was also tampered with says nothing but that it is invalid. */
static void test_expired_is_said_of_ours_only(void **state)
{
	struct fixture *f = *state;
	struct principal who = learner();
	char *text = issue(f, &who);
	char *at = strchr(text, '.') + 5;

	f->clock.us = who.expire_us + SECOND_US;
	*at = *at == 'A' ? 'B' : 'A';
	assert_invalid(f, text);
}

static void test_each_claim_is_checked(void **state)
{
	struct fixture *f = *state;
	struct claims c = good_claims();

	assert_valid(f, forge_from(f, &c));
#define SPOILED(member, value)                                                                               \
	c = good_claims();                                                                                   \
	c.member = value;                                                                                    \
	assert_invalid(f, forge_from(f, &c))
	SPOILED(iss, "\"evil\"");
	SPOILED(iss, "\"edu2\"");
	SPOILED(iss, "null");
	SPOILED(iss, "[\"edu\"]");
	SPOILED(aud, "\"other\"");
	SPOILED(aud, "[\"edu-api\"]");
	SPOILED(aud, "7");
	SPOILED(sub_kind, "crs");
	SPOILED(sid_kind, "usr");
	SPOILED(roles, "\"ADMIN\"");
	SPOILED(roles, "[1]");
	SPOILED(roles, "null");
	SPOILED(nbf, NOW_US / SECOND_US + 32);
	SPOILED(iat, NOW_US / SECOND_US + 32);
	SPOILED(epoch, 0);
	SPOILED(epoch, -1);
	SPOILED(exp, 0);
	SPOILED(exp, -5);
	SPOILED(exp, INT64_MAX);
	SPOILED(nbf, INT64_MAX);
	SPOILED(nbf, INT64_MIN);
	SPOILED(extra, ",\"scopes\":[\"payments\"]");
	SPOILED(extra, ",\"org\":\"org_\",\"scopes\":[]");
	SPOILED(extra, ",\"org\":7,\"scopes\":[]");
#undef SPOILED
	c = good_claims();
	c.exp = NOW_US / SECOND_US;
	assert_ptr_equal(verify(f, forge_from(f, &c)), &RPC_REASON_TOKEN_EXPIRED);
	/* A role of a later release gives nothing. */
	c = good_claims();
	c.roles = "[\"OWNER_OF_ALL\"]";
	assert_valid(f, forge_from(f, &c));
}

static void test_missing_claims(void **state)
{
	struct fixture *f = *state;

	assert_invalid(f, forge_claims(f, "{}"));
	assert_invalid(f, forge_claims(f, "{\"iss\":\"edu\",\"aud\":\"edu-api\"}"));
}

#define CLAIMS_TAIL                                                                                          \
	"\"iss\":\"edu\",\"aud\":\"edu-api\",\"sub\":\"usr_00000000000z9\",\"sid\":\"ses_00000000001yj\","   \
	"\"roles\":[\"ADMIN\"],\"iat\":1750000000,\"nbf\":1750000000,\"exp\":1750000900,\"epoch\":3"

/* The classic confusions of algorithms. */
static void test_other_algorithms(void **state)
{
	struct fixture *f = *state;
	const struct token_key *key = token_keys_signing(f->keys);
	char headers[128];

	snprintf(headers, sizeof(headers), "{\"kid\":\"%s\"}", key->kid);
	assert_valid(f, forge(f, JWT_ALG_ES256, key->private_pem, headers, "{" CLAIMS_TAIL "}"));
	assert_invalid(f, forge(f, JWT_ALG_NONE, NULL, headers, "{" CLAIMS_TAIL "}"));
	assert_invalid(f, forge(f, JWT_ALG_HS256, key->public_pem, headers, "{" CLAIMS_TAIL "}"));
	assert_invalid(f, forge(f, JWT_ALG_HS256, "secret", headers, "{" CLAIMS_TAIL "}"));
}

static void test_other_headers(void **state)
{
	struct fixture *f = *state;
	const struct token_key *key = token_keys_signing(f->keys);
	char headers[256];

	assert_invalid(f, forge(f, JWT_ALG_ES256, key->private_pem, "{}", "{" CLAIMS_TAIL "}"));
	assert_invalid(f,
		       forge(f, JWT_ALG_ES256, key->private_pem, "{\"kid\":\"nope\"}", "{" CLAIMS_TAIL "}"));
	assert_invalid(f, forge(f, JWT_ALG_ES256, key->private_pem, "{\"kid\":\"../../etc/passwd\"}",
				"{" CLAIMS_TAIL "}"));
	assert_invalid(f, forge(f, JWT_ALG_ES256, key->private_pem, "{\"kid\":7}", "{" CLAIMS_TAIL "}"));
	snprintf(headers, sizeof(headers), "{\"kid\":\"%s\",\"crit\":[\"exp\"]}", key->kid);
	assert_invalid(f, forge(f, JWT_ALG_ES256, key->private_pem, headers, "{" CLAIMS_TAIL "}"));
}

/* Our kid, somebody else's key. */
static void test_other_key(void **state)
{
	struct fixture *f = *state;
	struct token_keys *others;
	char headers[128];

	assert_int_equal(token_keys_new(NULL, &others, &f->err), 0);
	snprintf(headers, sizeof(headers), "{\"kid\":\"%s\"}", token_keys_signing(f->keys)->kid);
	assert_invalid(f, forge(f, JWT_ALG_ES256, token_keys_signing(others)->private_pem, headers,
				"{" CLAIMS_TAIL "}"));
	token_keys_free(others);
}

static void test_every_changed_character_is_seen(void **state)
{
	struct fixture *f = *state;
	struct principal who = learner();
	char *text = issue(f, &who);

	for (size_t i = 0; text[i]; i++) {
		char kept = text[i];

		text[i] = kept == 'A' ? 'B' : 'A';
		assert_invalid(f, text);
		text[i] = kept;
	}
	assert_valid(f, text);
}

/* One token has one text, whatever bits its last characters leave unused. */
static void test_one_text_per_token(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct fixture *f = *state;
	struct principal who = learner();
	char *text = issue(f, &who), *last = text + strlen(text) - 1, kept = *last;
	unsigned accepted = 0;

	for (int i = 0; i < 64; i++) {
		*last = alphabet[i];
		accepted += verify(f, text) == NULL;
	}
	assert_int_equal(accepted, 1);
	*last = kept;
	assert_invalid(f, arena_printf(&f->arena, "%s=", text));
	assert_invalid(f, arena_printf(&f->arena, "%s ", text));
	assert_invalid(f, arena_printf(&f->arena, " %s", text));
	assert_invalid(f, arena_printf(&f->arena, "%s\n", text));
	assert_invalid(f, arena_printf(&f->arena, "%s.", text));
	assert_invalid(f, arena_printf(&f->arena, "%s.x", text));
	assert_invalid(f, arena_printf(&f->arena, ".%s", text));
	/* A NUL at the end, where a C string would end too. */
	assert_ptr_equal(verify_span(f, span_of(text, strlen(text) + 1)), &RPC_REASON_TOKEN_INVALID);
	assert_valid(f, text);
}

/* (r, n - s) verifies wherever (r, s) does, but it is not the text we gave out. */
static void test_counterpart_of_s(void **state)
{
	static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
					  0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
					  0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
	struct fixture *f = *state;
	struct principal who = learner();
	char *text = issue(f, &who), *signature = strrchr(text, '.') + 1;
	const struct token_key *key = token_keys_signing(f->keys);
	struct token_text t;
	jwt_t *jwt;
	int borrow = 0;

	assert_true(token_text_parse(&t, span_str(text)));
	for (int i = 31; i >= 0; i--) {
		int d = order[i] - t.signature[32 + i] - borrow;

		borrow = d < 0;
		t.signature[32 + i] = (uint8_t)d;
	}
	base64url_encode(signature, 87, t.signature, 64);
	assert_int_equal(
		jwt_decode(&jwt, text, (const unsigned char *)key->public_pem, (int)strlen(key->public_pem)),
		0);
	jwt_free(jwt);
	assert_invalid(f, text);
}

static void test_odd_texts(void **state)
{
	static const char *const odd[] = {"",      ".",        "..",    "...",           "a.b",
					  "a.b.c", "e30.e30.", "..e30", "null.null.null"};
	struct fixture *f = *state;
	struct principal who = learner();
	char *text = issue(f, &who), *huge;

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		assert_invalid(f, odd[i]);
	assert_ptr_equal(verify_span(f, span_of(NULL, 0)), &RPC_REASON_TOKEN_INVALID);
	assert_ptr_equal(verify_span(f, span_of("a\0b.c.d", 7)), &RPC_REASON_TOKEN_INVALID);
	huge = arena_alloc(&f->arena, 100001);
	memset(huge, 'A', 100000);
	huge[100000] = '\0';
	assert_invalid(f, huge);
	memcpy(huge + 500, ".", 1);
	memcpy(huge + 600, ".", 1);
	assert_invalid(f, huge);
	/* Without its signature, and with an empty one. */
	*strrchr(text, '.') = '\0';
	assert_invalid(f, text);
	assert_invalid(f, arena_printf(&f->arena, "%s.", text));
}

#define with_fixture(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_fixture(test_round_trip),
		with_fixture(test_service_account),
		with_fixture(test_tokens_differ),
		with_fixture(test_every_signature_verifies),
		with_fixture(test_nobody_gets_no_token),
		with_fixture(test_expiry_and_start),
		with_fixture(test_expired_is_said_of_ours_only),
		with_fixture(test_each_claim_is_checked),
		with_fixture(test_missing_claims),
		with_fixture(test_other_algorithms),
		with_fixture(test_other_headers),
		with_fixture(test_other_key),
		with_fixture(test_every_changed_character_is_seen),
		with_fixture(test_one_text_per_token),
		with_fixture(test_counterpart_of_s),
		with_fixture(test_odd_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
