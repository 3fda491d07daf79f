/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/tokens.h"

#include <jansson.h>
#include <jwt.h>
#include <sodium.h>
#include <stdlib.h>

#include "proto/runtime/ids.h"
#include "server/auth/es256.h"
#include "server/auth/token_text.h"

enum { JTI_LEN = 16, US_PER_SECOND = 1000000 };
#define SECONDS_MAX INT64_C(253402300800) /* the year 10000: in microseconds it still fits */

struct tokens {
	const struct token_keys *keys;
	char *issuer, *audience;
	struct token_kinds kinds;
	int64_t lifetime_us, skew_us;
	const struct clock *clock;
};

static void jwt_free_p(jwt_t **p)
{
	jwt_free(*p);
}

static void json_free_p(json_t **p)
{
	json_decref(*p);
}

static void text_free_p(char **p)
{
	free(*p);
}

#define _cleanup_jwt_ __attribute__((cleanup(jwt_free_p)))
#define _cleanup_json_ __attribute__((cleanup(json_free_p)))
#define _cleanup_text_ __attribute__((cleanup(text_free_p)))

int tokens_new(const struct token_config *config, const struct token_keys *keys, struct tokens **ret,
	       struct error *err)
{
	struct tokens *t = calloc(1, sizeof(*t));

	if (t) {
		t->keys = keys;
		t->kinds = config->kinds;
		t->issuer = strdup(config->issuer);
		t->audience = strdup(config->audience);
		t->lifetime_us = config->lifetime_us;
		t->skew_us = config->skew_us;
		t->clock = config->clock;
	}
	if (!t || !t->issuer || !t->audience || !t->kinds.user || !t->kinds.session ||
	    !t->kinds.organization || sodium_init() < 0) {
		tokens_free(t);
		return error_internal(err, "cannot ready the tokens");
	}
	*ret = t;
	return 0;
}

void tokens_free(struct tokens *t)
{
	if (!t)
		return;
	free(t->issuer);
	free(t->audience);
	free(t);
}

/* --- issuing --- */

static json_t *names_of(uint32_t bits, const char *(*name_of)(uint32_t))
{
	json_t *array = json_array();

	for (unsigned i = 0; i < 32; i++) {
		const char *name = bits & UINT32_C(1) << i ? name_of(UINT32_C(1) << i) : NULL;

		if (name)
			json_array_append_new(array, json_string(name));
	}
	return array;
}

static const char *role_name_of(uint32_t bit)
{
	return role_name(bit);
}

static const char *scope_name_of(uint32_t bit)
{
	return scope_name(bit);
}

static bool add_service_account(json_t *claims, const struct token_kinds *kinds, const struct principal *who)
{
	char org[ID_TEXT_MAX];

	return json_object_set_new(claims, "org",
				   json_string(id_format(kinds->organization, who->organization_id, org))) ==
		       0 &&
	       json_object_set_new(claims, "scopes", names_of(who->scopes, scope_name_of)) == 0;
}

/* The claims as JSON; NULL when out of memory. */
static char *claims_of(const struct tokens *t, const struct principal *who, int64_t now_us)
{
	char sub[ID_TEXT_MAX], sid[ID_TEXT_MAX], jti[BASE64URL_SIZE(JTI_LEN)];
	int64_t iat = now_us / US_PER_SECOND;
	_cleanup_json_ json_t *claims = NULL;
	uint8_t random[JTI_LEN];

	randombytes_buf(random, sizeof(random));
	base64url_encode(jti, sizeof(jti), random, sizeof(random));
	claims = json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:s}", /* clang-format off */
			   "iss", t->issuer,
			   "aud", t->audience,
			   "sub", id_format(t->kinds.user, who->user_id, sub),
			   "sid", id_format(t->kinds.session, who->session_id, sid),
			   "roles", names_of(who->roles, role_name_of),
			   "iat", (json_int_t)iat,
			   "nbf", (json_int_t)iat,
			   "exp", (json_int_t)(who->expire_us / US_PER_SECOND),
			   "epoch", (json_int_t)who->rights_epoch,
			   "jti", jti); /* clang-format on */
	if (!claims || (who->organization_id != 0 && !add_service_account(claims, &t->kinds, who)))
		return NULL;
	return json_dumps(claims, JSON_COMPACT);
}

static char *sign(const struct token_key *key, const char *claims)
{
	_cleanup_jwt_ jwt_t *jwt = NULL;

	if (jwt_new(&jwt) != 0 || jwt_add_grants_json(jwt, claims) != 0 ||
	    jwt_add_header(jwt, "kid", key->kid) != 0 ||
	    jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)key->private_pem,
			(int)strlen(key->private_pem)) != 0)
		return NULL;
	char *text = jwt_encode_str(jwt);
	if (text && (strlen(text) > TOKEN_TEXT_MAX || !token_text_canonicalize(text))) {
		free(text);
		return NULL;
	}
	return text;
}

int token_issue(const struct tokens *t, struct principal *who, struct arena *arena, const char **ret,
		struct error *err)
{
	int64_t now_us = clock_now_us(t->clock);
	struct principal stamped = *who;
	_cleanup_text_ char *claims = NULL, *text = NULL;

	if (who->user_id <= 0 || who->session_id <= 0 || who->rights_epoch <= 0)
		return error_internal(err, "a token was asked for nobody");
	stamped.expire_us = (now_us + t->lifetime_us) / US_PER_SECOND * US_PER_SECOND;
	claims = claims_of(t, &stamped, now_us);
	if (claims)
		text = sign(token_keys_signing(t->keys), claims);
	if (!text)
		return error_internal(err, "cannot sign a token");
	*ret = arena_strdup(arena, text);
	if (!*ret)
		return arena_full(err);
	*who = stamped;
	return 0;
}

/* --- verifying --- */

/* The key the header names; NULL unless the header is one that token_issue() writes. */
static const struct token_key *key_of(const struct tokens *t, const struct token_text *text)
{
	_cleanup_json_ json_t *header =
		json_loadb((const char *)text->header, text->header_len, JSON_REJECT_DUPLICATES, NULL);
	const char *alg = json_string_value(json_object_get(header, "alg"));
	const char *typ = json_string_value(json_object_get(header, "typ"));
	const char *kid = json_string_value(json_object_get(header, "kid"));

	/* Exactly these three: "crit" (RFC 7515) and whatever else may change a token's meaning is refused.
	 */
	if (json_object_size(header) != 3 || !alg || !typ || !kid || strcmp(alg, "ES256") != 0 ||
	    strcmp(typ, "JWT") != 0)
		return NULL;
	return token_keys_find(t->keys, kid);
}

/* What is signed: header and payload as they were sent. */
static struct span signed_part(const struct token_text *text)
{
	return span_of(text->text, (size_t)(strrchr(text->text, '.') - text->text));
}

/*
 * A forger is turned away by OpenSSL, at a fraction of what libjwt costs; a token is good when both say so.
 * Never called without a key: libjwt would then decode anything without verifying it.
 */
static bool signature_valid(const struct token_key *key, const struct token_text *text)
{
	_cleanup_jwt_ jwt_t *jwt = NULL;

	return es256_verify(key->parsed, signed_part(text), text->signature) &&
	       jwt_decode(&jwt, text->text, (const unsigned char *)key->public_pem,
			  (int)strlen(key->public_pem)) == 0 &&
	       jwt_get_alg(jwt) == JWT_ALG_ES256;
}

static bool claim_is(const json_t *claims, const char *name, const char *value)
{
	const json_t *claim = json_object_get(claims, name);

	return json_is_string(claim) && strcmp(json_string_value(claim), value) == 0;
}

static bool claim_id(const json_t *claims, const char *name, const char *kind, int64_t *ret)
{
	const json_t *claim = json_object_get(claims, name);

	return json_is_string(claim) && id_parse(kind, json_string_value(claim), ret);
}

static bool claim_integer(const json_t *claims, const char *name, int64_t max, int64_t *ret)
{
	const json_t *claim = json_object_get(claims, name);

	if (!json_is_integer(claim))
		return false;
	*ret = json_integer_value(claim);
	return *ret > 0 && *ret <= max;
}

static bool claim_names(const json_t *claims, const char *name, uint32_t (*bit_of)(const char *),
			uint32_t *ret)
{
	const json_t *array = json_object_get(claims, name), *item;
	size_t i;

	if (!json_is_array(array))
		return false;
	*ret = 0;
	json_array_foreach(array, i, item)
	{
		if (!json_is_string(item))
			return false;
		*ret |= bit_of(json_string_value(item));
	}
	return true;
}

static bool claims_subject(const struct token_kinds *kinds, const json_t *claims, struct principal *who)
{
	if (!claim_id(claims, "sub", kinds->user, &who->user_id) ||
	    !claim_id(claims, "sid", kinds->session, &who->session_id) ||
	    !claim_integer(claims, "epoch", INT64_MAX, &who->rights_epoch) ||
	    !claim_names(claims, "roles", role_from_name, &who->roles))
		return false;
	if (!json_object_get(claims, "org"))
		return !json_object_get(claims, "scopes");
	return claim_id(claims, "org", kinds->organization, &who->organization_id) &&
	       claim_names(claims, "scopes", scope_from_name, &who->scopes);
}

static bool claims_times(const struct tokens *t, const json_t *claims, int64_t now_us, struct principal *who)
{
	int64_t iat, nbf, exp;

	if (!claim_integer(claims, "iat", SECONDS_MAX, &iat) ||
	    !claim_integer(claims, "nbf", SECONDS_MAX, &nbf) ||
	    !claim_integer(claims, "exp", SECONDS_MAX, &exp))
		return false;
	who->expire_us = exp * US_PER_SECOND;
	return exp >= nbf && nbf * US_PER_SECOND <= now_us + t->skew_us &&
	       iat * US_PER_SECOND <= now_us + t->skew_us;
}

static int refuse(struct error *err)
{
	return error_raise(err, &RPC_REASON_TOKEN_INVALID, "The access token is not valid: sign in again.");
}

int token_verify(const struct tokens *t, struct span token, struct principal *ret, struct error *err)
{
	int64_t now_us = clock_now_us(t->clock);
	_cleanup_json_ json_t *claims = NULL;
	struct principal who = {0};
	struct token_text text;

	if (!token_text_parse(&text, token))
		return refuse(err);
	const struct token_key *key = key_of(t, &text);
	if (!key || !signature_valid(key, &text))
		return refuse(err);
	/* jansson refuses U+0000 by default, so that no string ends before its end. */
	claims = json_loadb((const char *)text.payload, text.payload_len, JSON_REJECT_DUPLICATES, NULL);
	if (!claim_is(claims, "iss", t->issuer) || !claim_is(claims, "aud", t->audience) ||
	    !claims_subject(&t->kinds, claims, &who) || !claims_times(t, claims, now_us, &who))
		return refuse(err);
	if (who.expire_us <= now_us)
		return error_raise(err, &RPC_REASON_TOKEN_EXPIRED,
				   "The access token has expired: refresh the session and repeat the call.");
	*ret = who;
	return 0;
}
