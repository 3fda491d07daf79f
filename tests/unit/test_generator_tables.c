/* SPDX-License-Identifier: Apache-2.0 */
/* What protoc-gen-grpc-c puts into X.tables.{h,c}, read back through the types of proto/runtime/service.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edu/v1/edu_service.tables.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "lab/v1/lab.tables.h"
#include "proto/runtime/array.h"
#include "torture/deepPkg/tor_ture.tables.h"
#include "zoo/v1/zoo.tables.h"

#ifdef X9y
#error a value with a plain name became a macro
#endif

#define SAME_TYPE(a, b) _Static_assert(__builtin_types_compatible_p(a, b), #a " is not " #b)

/* Names: the long ones are protobuf-c's, so that this compiles only when both are right. */
SAME_TYPE(Sample, Lab__V1__Sample);
SAME_TYPE(Storage, Lab__V1__Storage);
SAME_TYPE(HTTPRequestV2, Torture__DeepPkg__V1beta2__HTTPRequestV2);
SAME_TYPE(HTTPRequestV2_InnerThing, Torture__DeepPkg__V1beta2__HTTPRequestV2__InnerThing);
SAME_TYPE(HTTPRequestV2_InnerThing_Deep, Torture__DeepPkg__V1beta2__HTTPRequestV2__InnerThing__Deep);
SAME_TYPE(HTTPRequestV2_InnerThing_K, Torture__DeepPkg__V1beta2__HTTPRequestV2__InnerThing__K);
SAME_TYPE(LowerCaseMsg, Torture__DeepPkg__V1beta2__LowerCaseMsg);
_Static_assert(HTTPRequestV2_InnerThing_One_two == 1, "values of nested enums carry the message's name");
_Static_assert(ABC_ALIAS == 1 && STORAGE_FROZEN == 1, "values at the top level have their own");

_Static_assert(SAMPLE_TITLE_MAX_LENGTH == 80, "what the contract allows has a name");
_Static_assert(SAMPLE_OWNERS_MAX_ITEMS == 5, "what the contract allows has a name");

static const Sample empty_sample = SAMPLE_INIT;
static const HTTPRequestV2_InnerThing empty_thing = HTTPREQUEST_V2_INNER_THING_INIT;

static void test_names(void **state)
{
	void *null = NULL; /* an enum value of this name must not have replaced C's */

	assert_null(null);
	assert_ptr_equal(empty_sample.base.descriptor, SAMPLE_DESC);
	assert_ptr_equal(empty_thing.base.descriptor, HTTPREQUEST_V2_INNER_THING_DESC);
	assert_string_equal(grpcservice2_desc.name, "torture.deepPkg.v1beta2.GRPCService2");
	assert_string_equal(grpcservice2_methods[GRPCSERVICE2_METHOD_GET_URLBY_ID].path,
			    "/torture.deepPkg.v1beta2.GRPCService2/getURLById");
	assert_int_equal(grpcservice2_methods[GRPCSERVICE2_METHOD_STREAM_IT].kind, METHOD_BIDI);
	assert_int_equal(nothing_desc.n_methods, 0);
}

static void test_names_of_values(void **state)
{
	assert_string_equal(Storage_name(STORAGE_FROZEN), "FROZEN");
	assert_string_equal(Storage_name(0), "UNSPECIFIED");
	assert_string_equal(Storage_name(2), "UNKNOWN");
	assert_string_equal(Storage_name(-1), "UNKNOWN");
	assert_int_equal(Storage_MAX, STORAGE_FROZEN);
	/* Without the prefix of the style guide, whole. */
	assert_string_equal(HTTPRequestV2_InnerThing_K_name(1), "One_two");
}

static const struct field_rule *rule_of(const struct message_rules *rules, const char *name)
{
	for (unsigned i = 0; i < rules->n_fields; i++) {
		if (strcmp(rules->fields[i].name, name) == 0)
			return &rules->fields[i];
	}
	return NULL;
}

static void test_rules(void **state)
{
	const struct message_rules *rules = &lab_v1_sample_rules;
	const struct field_rule *r = rule_of(rules, "title");

	assert_true(r->required);
	assert_int_equal(r->min_length, 2);
	assert_int_equal(r->max_length, 80);
	assert_false(r->has_range);
	assert_false(r->output_only);
	assert_null(r->id_kind);

	r = rule_of(rules, "temperature");
	assert_true(r->has_range);
	assert_true(r->min == INT64_MIN && r->max == INT64_MAX);

	r = rule_of(rules, "owners");
	assert_int_equal(r->min_items, 1);
	assert_int_equal(r->max_items, 5);
	assert_int_equal(r->format, STRING_EMAIL);

	assert_string_equal(rule_of(rules, "sample_id")->id_kind, "smp");
	assert_true(rule_of(rules, "revision")->output_only);
	assert_null(rule_of(rules, "storage"));
}

static void test_nested_rules(void **state)
{
	const struct message_rules *rules = laboratory_methods[LABORATORY_METHOD_ADD_SAMPLE].request_rules;

	assert_ptr_equal(rules, &lab_v1_add_sample_request_rules);
	assert_ptr_equal(rules->desc, ADD_SAMPLE_REQUEST_DESC);
	assert_ptr_equal(rule_of(rules, "sample")->nested, &lab_v1_sample_rules);
	assert_true(rule_of(rules, "sample")->required);
	assert_null(rule_of(rules, "time"));
	assert_ptr_equal(rule_of(rule_of(rules, "more")->nested, "value")->nested, &lab_v1_sample_rules);
}

/* What is repeated has a limit in the table, whether or not somebody gave it one; a map too. */
static void test_items_have_a_limit(void **state)
{
	const struct service_desc *const services[] = {&edu_service_desc, &laboratory_desc, &zoo_desc,
						       &grpcservice2_desc};
	unsigned lists = 0;

	assert_int_equal(rule_of(&lab_v1_add_sample_request_rules, "more")->max_items, FIELD_ITEMS_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		for (unsigned k = 0; k < services[i]->n_methods; k++) {
			const struct method_desc *m = &services[i]->methods[k];

			for (unsigned f = 0; m->request_rules && f < m->request->n_fields; f++) {
				if (m->request->fields[f].label != PROTOBUF_C_LABEL_REPEATED)
					continue;
				assert_true(rule_of(m->request_rules, m->request->fields[f].name)->max_items >
					    0);
				lists++;
			}
		}
	}
	assert_true(lists > 3);
}

/* Every rule names the field at its index, in every message the service can reach. */
static void check_indexes(const struct message_rules *rules, unsigned depth)
{
	assert_non_null(rules->desc);
	for (unsigned i = 0; i < rules->n_fields; i++) {
		const struct field_rule *r = &rules->fields[i];

		assert_true(r->index < rules->desc->n_fields);
		assert_string_equal(rules->desc->fields[r->index].name, r->name);
		if (r->nested)
			assert_ptr_equal(r->nested->desc, rules->desc->fields[r->index].descriptor);
		if (r->nested && depth > 0)
			check_indexes(r->nested, depth - 1);
	}
}

static void test_indexes(void **state)
{
	const struct service_desc *const services[] = {&edu_service_desc, &laboratory_desc, &zoo_desc,
						       &grpcservice2_desc};

	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		for (unsigned k = 0; k < services[i]->n_methods; k++) {
			const struct method_desc *m = &services[i]->methods[k];

			assert_ptr_equal(m->service, services[i]);
			assert_ptr_equal(service_method(services[i], m->name), m);
			if (m->request_rules)
				check_indexes(m->request_rules, 6);
		}
	}
}

static void test_policy(void **state)
{
	const struct method_policy *p = &laboratory_methods[LABORATORY_METHOD_ADD_SAMPLE].policy;

	assert_int_equal(p->access, METHOD_ACCESS_SIGNED_IN);
	assert_string_equal(p->roles[0], "CHEMIST");
	assert_string_equal(p->roles[1], "ADMIN \"x\"");
	assert_null(p->roles[2]);
	assert_string_equal(p->scopes[0], "samples.write");
	assert_null(p->scopes[1]);
	assert_string_equal(p->rate_class, "slow");
	assert_true(p->retryable);
	assert_int_equal(p->max_request_bytes, 1000);

	p = &laboratory_methods[LABORATORY_METHOD_GET_SAMPLE].policy;
	assert_int_equal(p->access, METHOD_ACCESS_PUBLIC);
	assert_null(p->roles[0]);
	assert_null(p->scopes[0]);
	assert_string_equal(p->rate_class, "");
	assert_false(p->retryable);
	assert_int_equal(p->max_request_bytes, 16 * 1024);

	assert_int_equal(zoo_methods[ZOO_METHOD_FEED].policy.access, METHOD_ACCESS_PUBLIC);
}

static void test_subject(void **state)
{
	const struct method_desc *m = &laboratory_methods[LABORATORY_METHOD_ADD_SAMPLE];
	const struct subject_policy *s = &m->policy.subject;
	const ProtobufCFieldDescriptor *f = &m->request->fields[s->path[0]];

	assert_int_equal(s->source, METHOD_SUBJECT_FIELD);
	assert_int_equal(s->n_path, 2);
	assert_string_equal(f->name, "sample");
	f = &((const ProtobufCMessageDescriptor *)f->descriptor)->fields[s->path[1]];
	assert_string_equal(f->name, "sample_id");
	assert_string_equal(s->id_kind, "smp");
	assert_string_equal(s->roles[0], "CHEMIST");
	assert_null(s->roles[1]);
	assert_string_equal(s->scopes[0], "samples.write");
	assert_true(s->delegates);

	s = &laboratory_methods[LABORATORY_METHOD_OBSERVE].policy.subject;
	assert_int_equal(s->source, METHOD_SUBJECT_HANDLER);
	assert_null(s->roles[0]);
	assert_false(s->delegates);
	s = &laboratory_methods[LABORATORY_METHOD_GET_SAMPLE].policy.subject;
	assert_int_equal(s->source, METHOD_SUBJECT_NONE);
	assert_int_equal(zoo_methods[ZOO_METHOD_FEED].policy.subject.source, METHOD_SUBJECT_NONE);
}

static void test_methods(void **state)
{
	const struct method_desc *add = &laboratory_methods[LABORATORY_METHOD_ADD_SAMPLE];
	const struct method_desc *get = &laboratory_methods[LABORATORY_METHOD_GET_SAMPLE];

	assert_int_equal(laboratory_desc.n_methods, LABORATORY_N_METHODS);
	assert_string_equal(add->path, "/lab.v1.Laboratory/AddSample");
	assert_int_equal(add->idempotency, METHOD_IDEMPOTENT);
	assert_int_equal(get->idempotency, METHOD_NO_SIDE_EFFECTS);
	assert_string_equal(add->request->fields[add->request_id_field].name, "request_id");
	assert_int_equal(get->request_id_field, -1);
	assert_ptr_equal(get->response, SAMPLE_DESC);

	assert_int_equal(zoo_methods[ZOO_METHOD_FEED].kind, METHOD_UNARY);
	assert_int_equal(zoo_methods[ZOO_METHOD_WATCH].kind, METHOD_SERVER_STREAM);
	assert_int_equal(zoo_methods[ZOO_METHOD_COUNT].kind, METHOD_CLIENT_STREAM);
	assert_int_equal(zoo_methods[ZOO_METHOD_TALK].kind, METHOD_BIDI);
	assert_int_equal(zoo_methods[ZOO_METHOD_FEED].idempotency, METHOD_IDEMPOTENCY_UNKNOWN);
	assert_null(zoo_methods[ZOO_METHOD_CLOSE].request_rules);
}

static void test_reasons(void **state)
{
	assert_string_equal(REASON_SAMPLE_LOST.name, "SAMPLE_LOST");
	assert_int_equal(REASON_SAMPLE_LOST.code, STATUS_NOT_FOUND);
	assert_string_equal(REASON_OVERHEATED.name, "OVERHEATED");
	assert_int_equal(REASON_OVERHEATED.code, STATUS_RESOURCE_EXHAUSTED);
	assert_int_equal(laboratory_desc.n_reasons, 2);
	assert_string_equal(laboratory_desc.reasons[1].name, "OVERHEATED");
	assert_null(zoo_desc.reasons);
	assert_int_equal(zoo_desc.n_reasons, 0);
}

#define COUNT_REASON(name, code) +1
enum { N_RUNTIME_REASONS = RPC_REASONS(COUNT_REASON) };

/* What the runtime raises by itself must be in the contract's list, with the same code. */
static void test_contract_lists_runtime_reasons(void **state)
{
	static const struct error_reason *const runtime[] = {
#define RUNTIME_REASON(name, code) &RPC_REASON_##name,
		RPC_REASONS(RUNTIME_REASON)};

	for (size_t i = 0; i < ARRAY_SIZE(runtime); i++) {
		const struct error_reason *found = NULL;

		for (unsigned k = 0; k < edu_service_desc.n_reasons; k++) {
			if (strcmp(edu_service_desc.reasons[k].name, runtime[i]->name) == 0)
				found = &edu_service_desc.reasons[k];
		}
		if (!found || found->code != runtime[i]->code)
			fail_msg("%s is missing from the contract or has another code", runtime[i]->name);
	}
}

/* By area: what any call may fail with below 40, as the runtime has it, and every number once, from the least
 * up. */
static void test_contract_orders_reasons_by_number(void **state)
{
	int last = 0;

	for (unsigned i = 0; i < edu_service_desc.n_reasons; i++) {
		char name[128];

		snprintf(name, sizeof(name), "ERROR_REASON_%s", edu_service_desc.reasons[i].name);
		const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(
			&edu__v1__error_reason__descriptor, name);
		assert_non_null(value);
		if (value->value <= last)
			fail_msg("%s = %d comes after %d", name, value->value, last);
		last = value->value;
		assert_int_equal(last < 40, i < N_RUNTIME_REASONS);
	}
}

static unsigned n_comments(const Google__Protobuf__FileDescriptorProto *file)
{
	unsigned n = 0;

	for (size_t i = 0; i < file->source_code_info->n_location; i++)
		n += file->source_code_info->location[i]->leading_comments != NULL;
	return n;
}

static bool has_file(const Google__Protobuf__FileDescriptorSet *set, size_t end, const char *name)
{
	for (size_t i = 0; i < end; i++) {
		if (strcmp(set->file[i]->name, name) == 0)
			return true;
	}
	return false;
}

static void check_descriptor_set(const struct service_desc *service)
{
	Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(
		NULL, service->descriptor_set.len, service->descriptor_set.data);
	const Google__Protobuf__FileDescriptorProto *last;

	assert_non_null(set);
	assert_true(set->n_file > 0);
	for (size_t i = 0; i < set->n_file; i++) {
		for (size_t k = 0; k < set->file[i]->n_dependency; k++)
			assert_true(has_file(set, i, set->file[i]->dependency[k]));
	}
	last = set->file[set->n_file - 1];
	assert_string_equal(last->name, service->file);
	assert_true(n_comments(last) > 3);
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
}

static void test_descriptor_sets(void **state)
{
	check_descriptor_set(&edu_service_desc);
	check_descriptor_set(&laboratory_desc);
	check_descriptor_set(&zoo_desc);
	assert_string_equal(laboratory_desc.file, "lab/v1/lab.proto");
}

/* Options nobody here knows survive: a reflection client may know them. */
static void test_descriptor_keeps_options(void **state)
{
	Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(
		NULL, laboratory_desc.descriptor_set.len, laboratory_desc.descriptor_set.data);
	const Google__Protobuf__FileDescriptorProto *last = set->file[set->n_file - 1];

	assert_true(last->service[0]->method[0]->options->base.n_unknown_fields > 0);
	assert_int_equal(last->service[0]->method[0]->options->base.unknown_fields[0].tag, 51401);
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_of_values),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_nested_rules),
		cmocka_unit_test(test_indexes),
		cmocka_unit_test(test_items_have_a_limit),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_subject),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_contract_lists_runtime_reasons),
		cmocka_unit_test(test_contract_orders_reasons_by_number),
		cmocka_unit_test(test_descriptor_sets),
		cmocka_unit_test(test_descriptor_keeps_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
