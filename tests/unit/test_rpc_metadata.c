/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/rpc/metadata.h"

static grpc_metadata entry(const char *key, const char *value)
{
	return (grpc_metadata){
		.key = grpc_slice_from_static_string(key),
		.value = grpc_slice_from_static_string(value),
	};
}

static struct call_headers read_label(const char *label)
{
	grpc_metadata entries[] = {entry("x-request-id", label), entry("authorization", "Bearer t"),
				   entry("authorizatiom", "no")};
	const grpc_metadata_array array = {.count = 3, .capacity = 3, .metadata = entries};
	struct call_headers headers;

	metadata_read(&array, &headers);
	return headers;
}

static void test_headers(void **state)
{
	static const grpc_metadata_array none;
	struct call_headers headers = read_label("abc-1");

	assert_int_equal(headers.request_label.len, 5);
	assert_memory_equal(headers.request_label.data, "abc-1", 5);
	assert_int_equal(headers.authorization.len, 8);
	metadata_read(&none, &headers);
	assert_null(headers.authorization.data);
	assert_int_equal(headers.request_label.len, 0);
}

static void test_labels_that_are_not_taken(void **state)
{
	char longest[REQUEST_LABEL_MAX + 2];

	assert_int_equal(read_label("").request_label.len, 0);
	assert_int_equal(read_label("a b").request_label.len, 0);
	assert_int_equal(read_label("level=error").request_label.len, 0);
	assert_int_equal(read_label("a\"").request_label.len, 0);
	assert_int_equal(read_label("a\x7f").request_label.len, 0);
	assert_int_equal(read_label("\xc3\xa9").request_label.len, 0);
	memset(longest, 'x', sizeof(longest));
	longest[REQUEST_LABEL_MAX] = '\0';
	assert_int_equal(read_label(longest).request_label.len, REQUEST_LABEL_MAX);
	longest[REQUEST_LABEL_MAX] = 'x';
	longest[REQUEST_LABEL_MAX + 1] = '\0';
	assert_int_equal(read_label(longest).request_label.len, 0);
}

static void test_peer_address(void **state)
{
	static const struct {
		const char *uri, *address;
	} cases[] = {
		{"ipv4:127.0.0.1:4000", "127.0.0.1"},
		{"ipv6:%5B::1%5D:4000", "::1"},
		{"ipv6:[2001:db8::1]:4000", "2001:db8::1"},
		{"unix:/run/edu.sock", ""},
		{"ipv4:127.0.0.1", ""},
		{"ipv6:%5B::1", ""},
		{"", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char uri[64];

		strcpy(uri, cases[i].uri);
		assert_string_equal(peer_address(uri), cases[i].address);
	}
}

static void test_forwarded_for(void **state)
{
	static const struct {
		const char *header, *address;
	} cases[] = {
		{"192.0.2.7", "192.0.2.7"},
		{"10.0.0.1, 192.0.2.7", "192.0.2.7"}, /* what is left of it anybody may have sent */
		{"2001:db8::1", "2001:db8::1"},
		{"192.0.2.7:4000", ""}, /* who writes ports has a new one each time */
		{"[2001:db8::1]:4000", ""},
		{"1.2.3", ""},
		{"192.0.2.7, ", ""},
		{"unknown", ""},
		{"", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		grpc_metadata entries[] = {entry("x-forwarded-for", "198.51.100.1"),
					   entry("x-forwarded-for", cases[i].header)};
		grpc_metadata_array metadata = {.count = 2, .metadata = entries};
		struct span address = metadata_forwarded_for(&metadata);

		assert_int_equal(address.len, strlen(cases[i].address));
		assert_memory_equal(address.len ? (const char *)address.data : "", cases[i].address,
				    address.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_labels_that_are_not_taken),
		cmocka_unit_test(test_peer_address),
		cmocka_unit_test(test_forwarded_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
