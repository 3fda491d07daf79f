/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with fields of every kind, from the wire and from JSON. */
#include "tests/fuzz/message_check.h"
#include "tests/fuzz/must.h"
#include "tests/lib/json_sample.pb-c.h"

static const struct field_rule leaf_fields[] = {
	{.name = "name",
	 .index = 0,
	 .required = true,
	 .min_length = 2,
	 .max_length = 9,
	 .format = STRING_USER_NAME},
	{.name = "count", .index = 1, .has_range = true, .min = -1, .max = 9},
};
static const struct message_rules leaf_rules = {&sample__leaf__descriptor, leaf_fields, 2};

/* Rules of every kind; the fields of Sample are in the order of their numbers. */
static const struct field_rule sample_fields[] = {
	{.name = "a_double", .index = 0, .has_range = true, .min = 0, .max = 1},
	{.name = "a_uint64", .index = 5, .has_range = true, .min = 1, .max = 100},
	{.name = "a_string", .index = 13, .required = true, .format = STRING_URL},
	{.name = "some_bytes", .index = 14, .max_length = 4},
	{.name = "a_leaf", .index = 16, .required = true, .nested = &leaf_rules},
	{.name = "url_2", .index = 18, .format = STRING_EMAIL},
	{.name = "double__under", .index = 19, .format = STRING_LANGUAGE},
	{.name = "alreadyCamel", .index = 20, .id_kind = "crs"},
	{.name = "strings", .index = 34, .max_items = 9, .format = STRING_TEXT},
};
static const struct message_rules sample_rules = {&sample__sample__descriptor, sample_fields, 9};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_of(data, size);

	message_check_wire(&sample__sample__descriptor, &sample_rules, bytes);
	message_check_wire(&sample__deep__descriptor, NULL, bytes);
	message_check_text(&sample__sample__descriptor, &sample_rules, bytes);
	message_check_text(&sample__deep__descriptor, NULL, bytes);
	return 0;
}
