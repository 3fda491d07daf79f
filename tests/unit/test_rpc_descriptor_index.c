/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "google/protobuf/descriptor.pb-c.h"
#include "probe/v1/probe.tables.h"
#include "proto/runtime/array.h"
#include "server/rpc/descriptor_index.h"

static const struct service_desc *const services[] = {&probe_desc, &probe_desc, NULL};

static int setup(void **state)
{
	struct descriptor_index *ix;
	struct error err;

	if (descriptor_index_new(services, &ix, &err) < 0)
		return -1;
	*state = ix;
	return 0;
}

static int teardown(void **state)
{
	descriptor_index_free(*state);
	return 0;
}

static void test_files(void **state)
{
	const struct descriptor_index *ix = *state;
	const struct descriptor_file *file = descriptor_index_file(ix, "probe/v1/probe.proto");
	Google__Protobuf__FileDescriptorProto *proto;

	/* The service given twice counts once; with the error details come any and duration. */
	assert_int_equal(descriptor_index_files(ix), 7);
	assert_non_null(file);
	proto = google__protobuf__file_descriptor_proto__unpack(NULL, file->bytes.len, file->bytes.data);
	assert_non_null(proto);
	assert_string_equal(proto->name, "probe/v1/probe.proto");
	google__protobuf__file_descriptor_proto__free_unpacked(proto, NULL);
	assert_non_null(file->imports[0]);
	assert_string_equal(file->imports[0]->name, "grpc_c/v1/options.proto");
	assert_null(file->imports[1]);
	assert_string_equal(file->imports[0]->imports[0]->name, "google/protobuf/descriptor.proto");
	assert_null(descriptor_index_file(ix, "probe.proto"));
}

static void test_symbols(void **state)
{
	static const struct {
		const char *symbol, *file;
	} cases[] = {
		{"probe.v1.Probe", "probe/v1/probe.proto"},
		{"google.rpc.ErrorInfo", "google/rpc/error_details.proto"},
		{"probe.v1.Probe.Talk", "probe/v1/probe.proto"},
		{"probe.v1.Tree", "probe/v1/probe.proto"},
		{"probe.v1.Tree.child", "probe/v1/probe.proto"},
		{"grpc_c.v1.ACCESS_PUBLIC", "grpc_c/v1/options.proto"},
		{"grpc_c.v1.policy", "grpc_c/v1/options.proto"},
		{"google.protobuf.DescriptorProto.ExtensionRange", "google/protobuf/descriptor.proto"},
		{"google.protobuf.FieldDescriptorProto.TYPE_INT32", "google/protobuf/descriptor.proto"},
	};
	const struct descriptor_index *ix = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct descriptor_file *file = descriptor_index_symbol(ix, cases[i].symbol);

		assert_non_null(file);
		assert_string_equal(file->name, cases[i].file);
	}
	assert_null(descriptor_index_symbol(ix, "probe.v1"));
	assert_null(descriptor_index_symbol(ix, ".probe.v1.Tree"));
	assert_null(descriptor_index_symbol(ix, ""));
}

static void test_extensions(void **state)
{
	const struct descriptor_index *ix = *state;
	const char *type = "google.protobuf.FieldOptions";
	struct arena arena;
	int32_t *numbers;
	size_t n;

	assert_string_equal(descriptor_index_extension(ix, type, 51401)->name, "grpc_c/v1/options.proto");
	assert_null(descriptor_index_extension(ix, type, 51402));
	assert_null(descriptor_index_extension(ix, "probe.v1.Tree", 51401));
	arena_init(&arena, 4096);
	assert_true(descriptor_index_extensions(ix, type, &arena, &numbers, &n));
	assert_int_equal(n, 1);
	assert_int_equal(numbers[0], 51401);
	assert_true(descriptor_index_extensions(ix, "probe.v1.Tree", &arena, &numbers, &n));
	assert_int_equal(n, 0);
	assert_false(descriptor_index_extensions(ix, "probe.v1.Nope", &arena, &numbers, &n));
	arena_done(&arena);
}

static void test_broken_sets(void **state)
{
	static const char *const broken[] = {"\x0a", "\x0a\x05", "\x12\x01x", "\x0a\x02\x0a\x05",
					     "\x0a\xff\xff\xff\xff\xff"};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		const struct service_desc service = {.name = "s", .descriptor_set = span_str(broken[i])};
		const struct service_desc *const all[] = {&service, NULL};
		struct descriptor_index *ix;
		struct error err;

		assert_int_equal(descriptor_index_new(all, &ix, &err), -STATUS_INTERNAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_symbols, setup, teardown),
		cmocka_unit_test_setup_teardown(test_extensions, setup, teardown),
		cmocka_unit_test(test_broken_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
