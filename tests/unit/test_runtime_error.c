/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "proto/runtime/codec.h"
#include "proto/runtime/error_details.h"
#include "proto/runtime/utf8.h"
#include "proto/runtime/wire.h"

static const struct error_reason course_not_found = {"COURSE_NOT_FOUND", STATUS_NOT_FOUND};

/* Arenas of a test: made before, freed after. */
static int setup(void **state)
{
	static struct arena arena;

	arena_init(&arena, 1 << 20);
	*state = &arena;
	return 0;
}

static int teardown(void **state)
{
	arena_done(*state);
	return 0;
}

static struct span encode(const struct error *err, struct arena *arena)
{
	struct span bytes;

	assert_int_equal(error_encode(err, "edu.v1", arena, &bytes), 0);
	assert_true(bytes.len <= ERROR_DETAILS_MAX);
	return bytes;
}

static Google__Rpc__Status *status_of(const struct error *err, struct arena *arena)
{
	ProtobufCMessage *message;
	struct error ignored;

	assert_int_equal(codec_unpack(&google__rpc__status__descriptor, encode(err, arena),
				      &wire_limits_default, arena, &message, &ignored),
			 0);
	return (Google__Rpc__Status *)message;
}

/* The detail of this type, or NULL. */
static void *detail_of(const Google__Rpc__Status *status, const ProtobufCMessageDescriptor *desc,
		       struct arena *arena)
{
	char url[128];

	snprintf(url, sizeof(url), "type.googleapis.com/%s", desc->name);
	for (size_t i = 0; i < status->n_details; i++) {
		const Google__Protobuf__Any *any = status->details[i];

		if (strcmp(any->type_url, url) == 0)
			return protobuf_c_message_unpack(desc, arena_allocator(arena), any->value.len,
							 any->value.data);
	}
	return NULL;
}

static const char *metadata_of(const Google__Rpc__ErrorInfo *info, const char *key)
{
	for (size_t i = 0; i < info->n_metadata; i++) {
		if (strcmp(info->metadata[i]->key, key) == 0)
			return info->metadata[i]->value;
	}
	return NULL;
}

static void test_code_names(void **state)
{
	assert_string_equal(status_code_name(0), "OK");
	assert_string_equal(status_code_name(STATUS_NOT_FOUND), "NOT_FOUND");
	assert_string_equal(status_code_name(16), "UNAUTHENTICATED");
	assert_string_equal(status_code_name(17), "UNKNOWN");
	assert_string_equal(status_code_name(-1), "UNKNOWN");
}

static void test_reasons_have_their_codes(void **state)
{
	assert_string_equal(RPC_REASON_TOKEN_EXPIRED.name, "TOKEN_EXPIRED");
	assert_int_equal(RPC_REASON_TOKEN_EXPIRED.code, STATUS_UNAUTHENTICATED);
	assert_int_equal(RPC_REASON_OUTCOME_UNKNOWN.code, STATUS_DEADLINE_EXCEEDED);
}

static void test_raise_clears_what_was_before(void **state)
{
	struct error err;

	assert_int_equal(error_field(&err, "title", "must be set"), -STATUS_INVALID_ARGUMENT);
	error_add_metadata(&err, "k", "v");
	error_set_retry(&err, 10);
	error_set_resource(&err, "course", "crs_1");
	assert_int_equal(error_raise(&err, &course_not_found, "No course %d.", 7), -STATUS_NOT_FOUND);
	assert_int_equal(err.code, STATUS_NOT_FOUND);
	assert_ptr_equal(err.reason, &course_not_found);
	assert_string_equal(err.message, "No course 7.");
	assert_int_equal(err.n_violations, 0);
	assert_int_equal(err.n_metadata, 0);
	assert_int_equal(err.retry_delay_ms, -1);
	assert_string_equal(err.resource_type, "");
}

static void test_field_says_it_in_the_message(void **state)
{
	struct error err;

	error_field(&err, "title", "must be at most %d characters long", 80);
	assert_string_equal(err.message, "title must be at most 80 characters long.");
	assert_string_equal(err.violations[0].field, "title");
	assert_string_equal(err.violations[0].description, "must be at most 80 characters long");
}

/* Truncation and bytes of callers must leave text that every protobuf reader takes. */
static void test_text_stays_utf8(void **state)
{
	char text[400] = "";
	struct error err;

	for (int i = 0; i < 99; i++)
		strcat(text, i == 0 ? "a" : "学");
	error_raise(&err, &course_not_found, "%s", text);
	assert_true(utf8_valid(span_str(err.message)));
	assert_int_equal(strlen(err.message), 253); /* 1 + 84 whole characters of 3 bytes in 255 */
	error_raise(&err, &course_not_found,
		    "a\xff"
		    "b\xc3"
		    "(c");
	assert_string_equal(err.message, "a?b?(c");
}

static void test_encodes_reason_domain_and_metadata(void **state)
{
	struct error err;
	Google__Rpc__Status *status;
	Google__Rpc__ErrorInfo *info;

	error_raise(&err, &course_not_found, "No such course.");
	error_add_metadata(&err, "course_id", "crs_%d", 5);
	status = status_of(&err, *state);
	assert_int_equal(status->code, 5);
	assert_string_equal(status->message, "No such course.");
	assert_int_equal(status->n_details, 1);
	info = detail_of(status, &google__rpc__error_info__descriptor, *state);
	assert_string_equal(info->reason, "COURSE_NOT_FOUND");
	assert_string_equal(info->domain, "edu.v1");
	assert_int_equal(info->n_metadata, 1);
	assert_string_equal(metadata_of(info, "course_id"), "crs_5");
}

static void test_encodes_retry_and_resource(void **state)
{
	struct error err;
	Google__Rpc__Status *status;
	Google__Rpc__RetryInfo *retry;
	Google__Rpc__ResourceInfo *resource;

	error_raise(&err, &RPC_REASON_OVERLOADED, "Full.");
	error_set_retry(&err, 1250);
	error_set_resource(&err, "course", "crs_7");
	status = status_of(&err, *state);
	retry = detail_of(status, &google__rpc__retry_info__descriptor, *state);
	assert_int_equal(retry->retry_delay->seconds, 1);
	assert_int_equal(retry->retry_delay->nanos, 250000000);
	resource = detail_of(status, &google__rpc__resource_info__descriptor, *state);
	assert_string_equal(resource->resource_type, "course");
	assert_string_equal(resource->resource_name, "crs_7");
}

static void raise_violations(struct error *err, unsigned n, const char *text)
{
	error_raise(err, &RPC_REASON_FIELD_INVALID, "Bad.");
	for (unsigned i = 0; i < n; i++)
		error_add_violation(err, "field", "%u %s", i, text);
}

static void test_lists_sixteen_violations_and_counts_all(void **state)
{
	struct error err;
	Google__Rpc__Status *status;
	Google__Rpc__BadRequest *bad;

	raise_violations(&err, 40, "is wrong");
	status = status_of(&err, *state);
	bad = detail_of(status, &google__rpc__bad_request__descriptor, *state);
	assert_int_equal(bad->n_field_violations, 16);
	assert_string_equal(bad->field_violations[15]->field, "field");
	assert_string_equal(bad->field_violations[15]->description, "15 is wrong");
	assert_string_equal(metadata_of(detail_of(status, &google__rpc__error_info__descriptor, *state),
					"violations_total"),
			    "40");
}

static void test_violations_become_the_detail_of_their_kind(void **state)
{
	struct error err;
	Google__Rpc__PreconditionFailure *precondition;
	Google__Rpc__QuotaFailure *quota;

	raise_violations(&err, 2, "is wrong");
	err.violation_kind = ERROR_VIOLATION_PRECONDITION;
	precondition =
		detail_of(status_of(&err, *state), &google__rpc__precondition_failure__descriptor, *state);
	assert_int_equal(precondition->n_violations, 2);
	assert_string_equal(precondition->violations[1]->type, "field");
	assert_string_equal(precondition->violations[1]->subject, "field");
	err.violation_kind = ERROR_VIOLATION_QUOTA;
	quota = detail_of(status_of(&err, *state), &google__rpc__quota_failure__descriptor, *state);
	assert_int_equal(quota->n_violations, 2);
	assert_string_equal(quota->violations[0]->subject, "field");
}

/* Everything at its longest, for every kind: what does not fit goes from the end of the list. */
static void test_the_greatest_error_fits(void **state)
{
	char longest[400], domain[1000];
	struct error err;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(domain, 'd', sizeof(domain) - 1);
	domain[sizeof(domain) - 1] = '\0';
	for (int kind = ERROR_VIOLATION_FIELD; kind <= ERROR_VIOLATION_QUOTA; kind++) {
		struct error back;
		struct span bytes;
		unsigned listed = 0;

		error_raise(&err, &RPC_REASON_FIELD_INVALID, "%s", longest);
		for (int i = 0; i < ERROR_METADATA_MAX + 3; i++)
			error_add_metadata(&err, longest, "%s", longest);
		for (int i = 0; i < 100; i++)
			error_add_violation(&err, longest, "%s", longest);
		err.violation_kind = (enum error_violation_kind)kind;
		error_set_retry(&err, INT64_MAX);
		error_set_resource(&err, longest, longest);
		memset(err.correlation_id, 0, sizeof(err.correlation_id));
		memset(err.correlation_id, 'c', sizeof(err.correlation_id) - 1);
		assert_int_equal(error_encode(&err, domain, *state, &bytes), 0);
		assert_true(bytes.len <= ERROR_DETAILS_MAX);
		assert_int_equal(error_decode(bytes, *state, &back), 0);
		assert_int_equal(back.n_violations, 100);
		while (listed < ERROR_VIOLATIONS_MAX && back.violations[listed].field[0])
			listed++;
		/* One more would not have fitted. */
		assert_in_range(listed, 3, ERROR_VIOLATIONS_MAX - 1);
		assert_true(bytes.len + sizeof(err.violations[0]) + sizeof(err.violations[0].field) >
			    ERROR_DETAILS_MAX);
	}
}

static bool contains(struct span bytes, const char *text)
{
	return memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

static void test_internal_faults_tell_the_caller_nothing(void **state)
{
	struct error err;
	struct span bytes;
	Google__Rpc__Status *status;

	assert_int_equal(error_internal(&err, "table secret_table is gone"), -STATUS_INTERNAL);
	error_add_metadata(&err, "secret_key", "secret_value");
	error_add_violation(&err, "secret_field", "secret_description");
	snprintf(err.correlation_id, sizeof(err.correlation_id), "c-123");
	assert_string_equal(err.message, "table secret_table is gone");
	assert_null(strstr(error_public_message(&err), "secret"));
	bytes = encode(&err, *state);
	assert_false(contains(bytes, "secret"));
	status = status_of(&err, *state);
	assert_int_equal(status->code, STATUS_INTERNAL);
	assert_string_equal(status->message, error_public_message(&err));
	assert_string_equal(metadata_of(detail_of(status, &google__rpc__error_info__descriptor, *state),
					"correlation_id"),
			    "c-123");
}

static void test_decodes_what_was_encoded(void **state)
{
	struct error err, back;

	raise_violations(&err, 3, "is wrong");
	err.violation_kind = ERROR_VIOLATION_PRECONDITION;
	error_add_metadata(&err, "k", "v");
	error_set_retry(&err, 2500);
	error_set_resource(&err, "user", "usr_9");
	assert_int_equal(error_decode(encode(&err, *state), *state, &back), 0);
	assert_int_equal(back.code, STATUS_INVALID_ARGUMENT);
	assert_string_equal(back.reason->name, "FIELD_INVALID");
	assert_int_equal(back.reason->code, STATUS_INVALID_ARGUMENT);
	assert_string_equal(back.message, "Bad.");
	assert_int_equal(back.n_metadata, 1);
	assert_string_equal(back.metadata[0].key, "k");
	assert_string_equal(back.metadata[0].value, "v");
	assert_int_equal(back.violation_kind, ERROR_VIOLATION_PRECONDITION);
	assert_int_equal(back.n_violations, 3);
	assert_string_equal(back.violations[2].description, "2 is wrong");
	assert_int_equal(back.retry_delay_ms, 2500);
	assert_string_equal(back.resource_type, "user");
	assert_string_equal(back.resource_name, "usr_9");
}

/* Another server's order and types: the list before its total, a detail nobody knows. */
static void test_decodes_any_order_and_skips_strangers(void **state)
{
	uint8_t *bytes;
	struct error err, back;
	Google__Rpc__Status *status;
	Google__Protobuf__Any stranger = GOOGLE__PROTOBUF__ANY__INIT, *details[3];

	raise_violations(&err, 20, "is wrong");
	status = status_of(&err, *state);
	assert_int_equal(status->n_details, 2);
	stranger.type_url = (char *)"type.googleapis.com/partner.Detail";
	details[0] = status->details[1];
	details[1] = &stranger;
	details[2] = status->details[0];
	status->details = details;
	status->n_details = 3;
	bytes = arena_alloc(*state, protobuf_c_message_get_packed_size(&status->base));
	assert_int_equal(
		error_decode(span_of(bytes, protobuf_c_message_pack(&status->base, bytes)), *state, &back),
		0);
	assert_int_equal(back.n_violations, 20);
	assert_string_equal(back.violations[15].description, "15 is wrong");
	assert_string_equal(back.reason->name, "FIELD_INVALID");
}

static void test_decodes_status_alone(void **state)
{
	struct error back;

	assert_int_equal(error_decode(span_of("\x08\x05\x12\x02no", 6), *state, &back), 0);
	assert_int_equal(back.code, STATUS_NOT_FOUND);
	assert_null(back.reason);
	assert_string_equal(back.message, "no");
	assert_int_equal(error_decode(span_of("\x08\x63", 2), *state, &back), 0);
	assert_int_equal(back.code, STATUS_UNKNOWN);
}

static void test_decode_refuses_garbage(void **state)
{
	struct error back;

	assert_int_equal(error_decode(span_str("garbage"), *state, &back), -STATUS_INVALID_ARGUMENT);
}

static void test_every_cap_fails_cleanly(void **state)
{
	struct error err;
	struct arena arena;
	struct span bytes;
	size_t cap = 0;
	int r;

	raise_violations(&err, 5, "is wrong");
	error_set_retry(&err, 5);
	do {
		arena_init(&arena, cap++);
		r = error_encode(&err, "edu.v1", &arena, &bytes);
		assert_true(r == 0 || r == -STATUS_RESOURCE_EXHAUSTED);
		arena_done(&arena);
	} while (r < 0);
	assert_true(cap > 400);
}

#define test_with_arena(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code_names),
		cmocka_unit_test(test_reasons_have_their_codes),
		cmocka_unit_test(test_raise_clears_what_was_before),
		cmocka_unit_test(test_field_says_it_in_the_message),
		cmocka_unit_test(test_text_stays_utf8),
		test_with_arena(test_encodes_reason_domain_and_metadata),
		test_with_arena(test_encodes_retry_and_resource),
		test_with_arena(test_lists_sixteen_violations_and_counts_all),
		test_with_arena(test_violations_become_the_detail_of_their_kind),
		test_with_arena(test_the_greatest_error_fits),
		test_with_arena(test_internal_faults_tell_the_caller_nothing),
		test_with_arena(test_decodes_what_was_encoded),
		test_with_arena(test_decodes_any_order_and_skips_strangers),
		test_with_arena(test_decodes_status_alone),
		test_with_arena(test_decode_refuses_garbage),
		cmocka_unit_test(test_every_cap_fails_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
