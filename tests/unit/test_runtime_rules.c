/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "grpc_c/v1/options.pb-c.h"
#include "proto/runtime/array.h"
#include "proto/runtime/rules.h"
#include "tests/lib/json_sample.pb-c.h"

static unsigned index_of(const ProtobufCMessageDescriptor *desc, const char *name)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(desc, name);

	assert_non_null(field);
	return (unsigned)(field - desc->fields);
}

static struct arena arena;

static int rules_of(const struct message_rules *rules, ProtobufCMessage *message, struct error *err)
{
	arena_reset(&arena);
	return rules_check(rules, message, &arena, err);
}

/* Checks a Sample against one or two rules, whose index is found by name. */
static int check(Sample__Sample *message, struct field_rule *fields, unsigned n, struct error *err)
{
	struct message_rules rules = {&sample__sample__descriptor, fields, n};

	for (unsigned i = 0; i < n; i++)
		fields[i].index = (uint16_t)index_of(rules.desc, fields[i].name);
	return rules_of(&rules, &message->base, err);
}

#define assert_taken(sample_, ...)                                                                           \
	do {                                                                                                 \
		struct field_rule fields_[] = {__VA_ARGS__};                                                 \
		struct error err_;                                                                           \
		if (check(sample_, fields_, ARRAY_SIZE(fields_), &err_) != 0)                                \
			fail_msg("refused: %s", err_.message);                                               \
	} while (0)

#define assert_violation(sample_, field_, description_, ...)                                                 \
	do {                                                                                                 \
		struct field_rule fields_[] = {__VA_ARGS__};                                                 \
		struct error err_;                                                                           \
		assert_int_equal(check(sample_, fields_, ARRAY_SIZE(fields_), &err_),                        \
				 -STATUS_INVALID_ARGUMENT);                                                  \
		assert_ptr_equal(err_.reason, &RPC_REASON_FIELD_INVALID);                                    \
		assert_int_equal(err_.n_violations, 1);                                                      \
		assert_string_equal(err_.violations[0].field, field_);                                       \
		assert_string_equal(err_.violations[0].description, description_);                           \
	} while (0)

static void test_required(void **state)
{
	static const char *const names[] = {"a_string", "some_bytes", "an_int64", "a_double",
					    "a_color",  "a_leaf",     "a_bool"};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	Sample__Leaf leaf = SAMPLE__LEAF__INIT;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_violation(&message, names[i], "must be set", {.name = names[i], .required = true});
	assert_violation(&message, "strings", "must have at least one item",
			 {.name = "strings", .required = true});
	message.a_string = (char *)"x";
	message.some_bytes = (ProtobufCBinaryData){.len = 1, .data = (uint8_t *)"x"};
	message.an_int64 = -1;
	message.a_double = 0.5;
	message.a_color = SAMPLE__COLOR__COLOR_RED;
	message.a_leaf = &leaf;
	message.a_bool = 1;
	message.n_strings = 1;
	message.strings = &message.a_string;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_taken(&message, {.name = names[i], .required = true});
	assert_taken(&message, {.name = "strings", .required = true});
}

static void test_length_is_in_characters(void **state)
{
	struct field_rule both = {.name = "a_string", .min_length = 8, .max_length = 12};
	struct field_rule least = {.name = "a_string", .min_length = 8};
	struct field_rule most = {.name = "a_string", .max_length = 3};
	struct field_rule exact = {.name = "a_string", .min_length = 2, .max_length = 2};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;

	assert_taken(&message, both); /* empty: not asked */
	message.a_string = (char *)"12345";
	assert_violation(&message, "a_string", "must be 8 to 12 characters long, is 5", both);
	assert_violation(&message, "a_string", "must be at least 8 characters long, is 5", least);
	assert_violation(&message, "a_string", "must be at most 3 characters long, is 5", most);
	assert_violation(&message, "a_string", "must be 2 characters long, is 5", exact);
	message.a_string = (char *)"学习密码学习密码";
	assert_taken(&message, both);
	message.a_string = (char *)"1234567890123";
	assert_violation(&message, "a_string", "must be 8 to 12 characters long, is 13", both);
}

static void test_length_of_bytes_is_in_bytes(void **state)
{
	struct field_rule rule = {.name = "some_bytes", .min_length = 2, .max_length = 3};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;

	assert_taken(&message, rule);
	message.some_bytes = (ProtobufCBinaryData){.len = 4, .data = (uint8_t *)"\xff\0\0\0"};
	assert_violation(&message, "some_bytes", "must be 2 to 3 bytes long, is 4", rule);
}

static void test_number_of_items(void **state)
{
	struct field_rule rule = {.name = "int32s", .min_items = 2, .max_items = 3};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	int32_t items[4] = {0};

	assert_violation(&message, "int32s", "must have at least 2 items, has 0", rule);
	message.int32s = items;
	message.n_int32s = 4;
	assert_violation(&message, "int32s", "must have at most 3 items, has 4", rule);
	message.n_int32s = 3;
	assert_taken(&message, rule);
}

/* Lists that nobody has given a limit have one, as those of a mask, whose type comes without rules. */
static void test_number_of_items_without_a_rule(void **state)
{
	static char *paths[FIELD_ITEMS_MAX + 1];
	static Sample__Color colors[FIELD_ITEMS_MAX + 1];
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	struct error err;

	for (unsigned i = 0; i <= FIELD_ITEMS_MAX; i++) {
		paths[i] = (char *)"a_string";
		colors[i] = (Sample__Color)100;
	}
	message.a_mask = &mask;
	mask.paths = paths;
	mask.n_paths = FIELD_ITEMS_MAX;
	assert_int_equal(rules_of(NULL, &message.base, &err), 0);
	mask.n_paths++;
	assert_int_equal(rules_of(NULL, &message.base, &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(err.n_violations, 1);
	assert_string_equal(err.violations[0].field, "a_mask.paths");
	assert_string_equal(err.violations[0].description, "must have at most 1000 items, has 1001");

	/* The items of a list that is too long are not looked at. */
	message.a_mask = NULL;
	message.colors = colors;
	message.n_colors = FIELD_ITEMS_MAX + 1;
	assert_int_equal(rules_of(NULL, &message.base, &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(err.n_violations, 1);
}

static void test_range_of_every_number(void **state)
{
	static const char *const names[] = {"an_int32", "an_int64",    "a_sint32",
					    "a_sint64", "an_sfixed32", "an_sfixed64"};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;

	message.an_int32 = message.a_sint32 = message.an_sfixed32 = -6;
	message.an_int64 = message.a_sint64 = message.an_sfixed64 = -6;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_violation(&message, names[i], "must be -5 to 5, is -6",
				 {.name = names[i], .has_range = true, .min = -5, .max = 5});
		assert_taken(&message, {.name = names[i], .has_range = true, .min = -6, .max = 5});
	}
	message.a_uint32 = message.a_fixed32 = UINT32_MAX;
	message.a_uint64 = message.a_fixed64 = UINT64_MAX;
	assert_violation(&message, "a_uint32", "must be 0 to 5, is 4294967295",
			 {.name = "a_uint32", .has_range = true, .max = 5});
	assert_violation(&message, "a_fixed64", "must be -1 to 5, is 18446744073709551615",
			 {.name = "a_fixed64", .has_range = true, .min = -1, .max = 5});
	assert_taken(&message, {.name = "a_fixed32", .has_range = true, .max = UINT32_MAX});
}

/* Zero is a number like others, not the absence of one. */
static void test_range_is_asked_of_zero(void **state)
{
	Sample__Sample message = SAMPLE__SAMPLE__INIT;

	assert_violation(&message, "an_int32", "must be 1 to 5, is 0",
			 {.name = "an_int32", .has_range = true, .min = 1, .max = 5});
}

static void test_range_of_reals_refuses_nan(void **state)
{
	struct field_rule d = {.name = "a_double", .has_range = true, .min = 0, .max = 1};
	struct field_rule f = {.name = "a_float", .has_range = true, .min = 0, .max = 1};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;

	message.a_double = 0.5;
	message.a_float = 1.0f;
	assert_taken(&message, d, f);
	message.a_double = __builtin_nan("");
	assert_violation(&message, "a_double", "must be 0 to 1, is nan", d);
	message.a_float = 1.5f;
	message.a_double = 0;
	assert_violation(&message, "a_float", "must be 0 to 1, is 1.5", f);
}

#define CRS_MUST "must be an id as the service makes them: crs_ and 13 of 0-9 and a-z without i, l, o and u"

static void test_format_and_id(void **state)
{
	Sample__Sample message = SAMPLE__SAMPLE__INIT;

	assert_taken(&message, {.name = "a_string", .format = STRING_EMAIL});
	assert_taken(&message, {.name = "a_string", .id_kind = "crs"});
	message.a_string = (char *)"no address";
	assert_violation(&message, "a_string",
			 "must be an e-mail address such as ada@example.org, at most 254 bytes",
			 {.name = "a_string", .format = STRING_EMAIL});
	assert_violation(&message, "a_string", CRS_MUST, {.name = "a_string", .id_kind = "crs"});
	message.a_string = (char *)"crs_000000000001"; /* begins as it should, and is too short */
	assert_violation(&message, "a_string", CRS_MUST, {.name = "a_string", .id_kind = "crs"});
	message.a_string = (char *)"usr_0000000000001";
	assert_violation(&message, "a_string", CRS_MUST, {.name = "a_string", .id_kind = "crs"});
	assert_taken(&message, {.name = "a_string", .id_kind = "usr"});
}

/* An item that is there and empty is a value: it is asked what it must be. */
static void test_items_are_checked_one_by_one(void **state)
{
	char *items[] = {(char *)"usr_0000000000001", (char *)"usr_x", (char *)""};
	struct field_rule fields[] = {{.name = "strings", .id_kind = "usr"}};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	struct error err;

	message.strings = items;
	message.n_strings = 3;
	assert_int_equal(check(&message, fields, 1, &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(err.n_violations, 2);
	assert_string_equal(err.violations[0].field, "strings[1]");
	assert_string_equal(err.violations[1].field, "strings[2]");
	assert_string_equal(err.message, "Several fields are invalid; the first: strings[1] must be an id as "
					 "the service makes them: usr_ "
					 "and 13 of 0-9 and a-z without i, l, o and u.");
}

static const struct field_rule leaf_fields[] = {
	{.name = "name", .index = 0, .required = true, .max_length = 3}};
static const struct message_rules leaf_rules = {&sample__leaf__descriptor, leaf_fields, 1};

static void test_nested_messages_by_their_own_rules(void **state)
{
	struct field_rule fields[] = {{.name = "a_leaf", .nested = &leaf_rules},
				      {.name = "leaves", .nested = &leaf_rules}};
	Sample__Leaf good = SAMPLE__LEAF__INIT, bad = SAMPLE__LEAF__INIT, *leaves[] = {&good, &bad};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	struct error err;

	assert_int_equal(check(&message, fields, 2, &err), 0);
	good.name = (char *)"abc";
	bad.name = (char *)"abcd";
	message.a_leaf = &bad;
	message.leaves = leaves;
	message.n_leaves = 2;
	assert_int_equal(check(&message, fields, 2, &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(err.n_violations, 2);
	assert_string_equal(err.violations[0].field, "a_leaf.name");
	assert_string_equal(err.violations[1].field, "leaves[1].name");
}

static void test_oneof_needs_one_member(void **state)
{
	struct field_rule fields[] = {
		{.name = "chosen_string", .required = true, .max_length = 3},
		{.name = "chosen_leaf", .required = true, .nested = &leaf_rules},
	};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	Sample__Leaf leaf = SAMPLE__LEAF__INIT;
	struct error err;

	assert_int_equal(check(&message, fields, 2, &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(err.n_violations, 1);
	assert_string_equal(err.violations[0].field, "chosen_string");
	assert_string_equal(err.violations[0].description,
			    "must be set, or another of: chosen_int64, chosen_string, "
			    "chosen_leaf, chosen_color, chosen_bytes, chosen_bool");
	message.choice_case = SAMPLE__SAMPLE__CHOICE_CHOSEN_INT64;
	assert_int_equal(check(&message, fields, 2, &err), 0);
	message.choice_case = SAMPLE__SAMPLE__CHOICE_CHOSEN_STRING;
	message.chosen_string = (char *)"long";
	assert_int_equal(check(&message, fields, 2, &err), -STATUS_INVALID_ARGUMENT);
	assert_string_equal(err.violations[0].description, "must be at most 3 characters long, is 4");
	message.chosen_string = (char *)"";
	assert_int_equal(check(&message, fields, 2, &err), 0);
	message.choice_case = SAMPLE__SAMPLE__CHOICE_CHOSEN_LEAF;
	message.chosen_leaf = &leaf;
	assert_int_equal(check(&message, fields, 2, &err), -STATUS_INVALID_ARGUMENT);
	assert_string_equal(err.violations[0].field, "chosen_leaf.name");
}

/* What a client made of a newer contract must be refused, not stored as a number nobody knows. */
static void test_unknown_enum_values_without_a_rule(void **state)
{
	Sample__Color colors[] = {SAMPLE__COLOR__COLOR_GREEN, (Sample__Color)9};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	struct error err;

	message.a_color = SAMPLE__COLOR__COLOR_BELOW_ZERO;
	assert_int_equal(rules_of(NULL, &message.base, &err), 0);
	message.a_color = (Sample__Color)5;
	message.colors = colors;
	message.n_colors = 2;
	assert_int_equal(rules_of(NULL, &message.base, &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(err.n_violations, 2);
	assert_string_equal(err.violations[0].field, "a_color");
	assert_string_equal(err.violations[0].description, "must be a value of sample.Color, is 5");
	assert_string_equal(err.violations[1].field, "colors[1]");
}

static bool time_taken(int64_t seconds, int32_t nanos)
{
	Google__Protobuf__Timestamp t = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	struct error err;

	t.seconds = seconds;
	t.nanos = nanos;
	message.a_time = &t;
	return rules_of(NULL, &message.base, &err) == 0;
}

static void test_times_without_a_rule(void **state)
{
	assert_true(time_taken(0, 0));
	assert_true(time_taken(INT64_C(-62135596800), 0));
	assert_false(time_taken(INT64_C(-62135596801), 0));
	assert_true(time_taken(INT64_C(253402300799), 999999999));
	assert_false(time_taken(INT64_C(253402300800), 0));
	assert_false(time_taken(0, 1000000000));
	assert_false(time_taken(0, -1));
}

static bool duration_taken(int64_t seconds, int32_t nanos)
{
	Google__Protobuf__Duration d = GOOGLE__PROTOBUF__DURATION__INIT;
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	struct error err;

	d.seconds = seconds;
	d.nanos = nanos;
	message.a_duration = &d;
	return rules_of(NULL, &message.base, &err) == 0;
}

static void test_durations_without_a_rule(void **state)
{
	assert_true(duration_taken(0, -999999999));
	assert_true(duration_taken(-1, -1));
	assert_false(duration_taken(-1, 1));
	assert_false(duration_taken(1, -1));
	assert_true(duration_taken(INT64_C(315576000000), 0));
	assert_false(duration_taken(INT64_C(315576000001), 0));
	assert_false(duration_taken(0, 1000000000));
	assert_false(duration_taken(0, INT32_MIN));
}

static void test_output_only_fields_are_not_read(void **state)
{
	Sample__Sample message = SAMPLE__SAMPLE__INIT;

	message.a_color = (Sample__Color)5;
	assert_taken(&message, {.name = "a_color", .output_only = true, .required = true});
}

static void test_violations_of_all_fields_are_counted(void **state)
{
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	Sample__Color colors[30];
	struct error err;

	for (size_t i = 0; i < 30; i++)
		colors[i] = (Sample__Color)100;
	message.colors = colors;
	message.n_colors = 30;
	assert_int_equal(rules_of(NULL, &message.base, &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(err.n_violations, 30);
	assert_string_equal(err.violations[15].field, "colors[15]");
}

/* The form it is kept in is the form that is checked: 4 characters as they came, 2 as they are kept. */
static void test_text_is_brought_into_form_c(void **state)
{
	static char decomposed[] = "e\xCC\x81"
				   "e\xCC\x81"; /* e and U+0301, twice */
	char *items[] = {decomposed, (char *)"plain"};
	struct field_rule text = {.name = "a_string", .format = STRING_TEXT_LINE, .max_length = 2};
	struct field_rule texts = {.name = "strings", .format = STRING_TEXT, .max_length = 5};
	struct field_rule any = {.name = "a_string", .max_length = 4};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	struct error err;

	message.a_string = decomposed;
	assert_int_equal(check(&message, &any, 1, &err), 0);
	assert_ptr_equal(message.a_string, decomposed);
	assert_int_equal(check(&message, &text, 1, &err), 0);
	assert_string_equal(message.a_string, "\xC3\xA9\xC3\xA9");
	message.a_string = (char *)"";
	message.strings = items;
	message.n_strings = 2;
	assert_int_equal(check(&message, &texts, 1, &err), 0);
	assert_string_equal(message.strings[0], "\xC3\xA9\xC3\xA9");
	assert_string_equal(message.strings[1], "plain");
}

/* It would cost the square of their number. */
static void test_too_many_marks_are_refused(void **state)
{
	struct field_rule text = {.name = "a_string", .format = STRING_TEXT_LINE};
	Sample__Sample message = SAMPLE__SAMPLE__INIT;
	char marks[2 + 2 * 40] = "e";
	struct error err;

	for (unsigned i = 0; i < 40; i++)
		memcpy(marks + 1 + 2 * i, "\xCC\x81", 2);
	message.a_string = marks;
	assert_int_equal(check(&message, &text, 1, &err), -STATUS_INVALID_ARGUMENT);
	assert_string_equal(err.violations[0].description,
			    "must not put more than 30 combining marks on a character");
}

static const char *mask_refused(char **paths, size_t n, struct error *err)
{
	struct field_rule fields[] = {
		{.name = "a_leaf",
		 .index = (uint16_t)index_of(&sample__sample__descriptor, "a_leaf"),
		 .output_only = true},
	};
	struct message_rules rules = {&sample__sample__descriptor, fields, 1};

	if (rules_check_mask(&rules, "update_mask", paths, n, err) == 0)
		return NULL;
	assert_ptr_equal(err->reason, &RPC_REASON_FIELD_INVALID);
	assert_int_equal(err->n_violations, 1);
	assert_string_equal(err->violations[0].field, "update_mask");
	return err->violations[0].description;
}

static void test_masks(void **state)
{
	char *good[] = {(char *)"a_string", (char *)"an_int32", (char *)"chosen_leaf"};
	char *twice[] = {(char *)"a_string", (char *)"an_int32", (char *)"a_string"};
	char *star[] = {(char *)"*"}, *nested[] = {(char *)"a_deep.name"}, *unknown[] = {(char *)"aString"};
	char *output[] = {(char *)"a_leaf"}, *many[100];
	struct error err;

	assert_null(mask_refused(good, 3, &err));
	assert_string_equal(mask_refused(NULL, 0, &err), "must name at least one field to change");
	assert_string_equal(mask_refused(star, 1, &err), "must name each field; * is not taken");
	assert_string_equal(mask_refused(nested, 1, &err),
			    "must name top-level fields only, not 'a_deep.name'");
	assert_string_equal(mask_refused(unknown, 1, &err),
			    "must name fields of Sample, which has no 'aString'");
	assert_string_equal(mask_refused(twice, 3, &err), "must name 'a_string' once only");
	assert_string_equal(mask_refused(output, 1, &err),
			    "must not name 'a_leaf', which the server alone writes");
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (char *)"a_string";
	assert_string_equal(mask_refused(many, sample__sample__descriptor.n_fields + 1, &err),
			    "must name each field once only; Sample has fewer fields");
	assert_true(mask_has(good, 3, "an_int32"));
	assert_false(mask_has(good, 3, "an_int64"));
}

/* A rule of each kind that the same message breaks; output_only, when a mask names the field. */
static const struct {
	const char *kind;
	struct field_rule rule;
} broken[] = {
	{"required", {.name = "an_int64", .required = true}},
	{"min_length", {.name = "a_string", .min_length = 3}},
	{"max_length", {.name = "a_string", .max_length = 1}},
	{"min_items", {.name = "int32s", .min_items = 3}},
	{"max_items", {.name = "int32s", .max_items = 1}},
	{"range", {.name = "an_int32", .min = 8, .max = 9, .has_range = true}},
	{"format", {.name = "a_string", .format = STRING_UUID}},
	{"id_kind", {.name = "a_string", .id_kind = "crs"}},
	{"output_only", {.name = "a_string", .output_only = true}},
};

static bool is_broken(struct field_rule rule)
{
	int32_t items[] = {1, 2};
	char *path = (char *)rule.name;
	Sample__Sample s = SAMPLE__SAMPLE__INIT;
	struct message_rules rules = {&sample__sample__descriptor, &rule, 1};
	struct error err;

	s.a_string = (char *)"ab";
	s.an_int32 = 7;
	s.int32s = items;
	s.n_int32s = ARRAY_SIZE(items);
	return check(&s, &rule, 1, &err) < 0 || rules_check_mask(&rules, "update_mask", &path, 1, &err) < 0;
}

/* A kind of rule that the options have and nobody enforces is named. */
static void test_each_kind_refuses(void **state)
{
	const ProtobufCMessageDescriptor *kinds = &grpc_c__v1__field_rules__descriptor;

	for (unsigned i = 0; i < kinds->n_fields; i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(broken) && strcmp(broken[k].kind, kinds->fields[i].name) != 0)
			k++;
		if (k == ARRAY_SIZE(broken) || !is_broken(broken[k].rule))
			fail_msg("nothing here is refused by the rule `%s`", kinds->fields[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_required),
		cmocka_unit_test(test_length_is_in_characters),
		cmocka_unit_test(test_length_of_bytes_is_in_bytes),
		cmocka_unit_test(test_number_of_items),
		cmocka_unit_test(test_number_of_items_without_a_rule),
		cmocka_unit_test(test_range_of_every_number),
		cmocka_unit_test(test_range_is_asked_of_zero),
		cmocka_unit_test(test_range_of_reals_refuses_nan),
		cmocka_unit_test(test_format_and_id),
		cmocka_unit_test(test_items_are_checked_one_by_one),
		cmocka_unit_test(test_nested_messages_by_their_own_rules),
		cmocka_unit_test(test_oneof_needs_one_member),
		cmocka_unit_test(test_unknown_enum_values_without_a_rule),
		cmocka_unit_test(test_times_without_a_rule),
		cmocka_unit_test(test_durations_without_a_rule),
		cmocka_unit_test(test_output_only_fields_are_not_read),
		cmocka_unit_test(test_violations_of_all_fields_are_counted),
		cmocka_unit_test(test_text_is_brought_into_form_c),
		cmocka_unit_test(test_too_many_marks_are_refused),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_each_kind_refuses),
	};

	arena_init(&arena, 1 << 20);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_done(&arena);
	return failed;
}
