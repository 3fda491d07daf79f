/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/auth/object_url.h"

static const struct object_bucket_config aws = {
	.endpoint = "https://s3.amazonaws.com",
	.region = "us-east-1",
	.bucket = "examplebucket",
	.virtual_host = true,
	.access_key_id = "AKIAIOSFODNN7EXAMPLE",
	.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

static char *sign(struct arena *arena, const struct object_bucket_config *config,
		  const struct object_request *request)
{
	struct object_bucket *b;
	struct error err;

	assert_int_equal(object_bucket_new(config, &b, &err), 0);
	char *url = object_url_sign(b, arena, request);
	object_bucket_free(b);
	return url;
}

/* The example of the S3 API reference, "Authenticating Requests: Using Query Parameters". */
static void test_published_example(void **state)
{
	const struct object_request request = {
		.method = "GET", .key = "test.txt", .now_us = INT64_C(1369353600000000), .seconds = 86400};
	struct arena arena;

	arena_init(&arena, 1 << 20);
	assert_string_equal(
		sign(&arena, &aws, &request),
		"https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
		"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
	arena_done(&arena);
}

/* As botocore 1.43.11 (S3SigV4QueryAuth) signs them on 2026-11-27 at 13:30:05 UTC. */
#define SIGNED_US INT64_C(1795786205999999)

static void test_upload(void **state)
{
	const struct object_bucket_config config = {
		.endpoint = "http://127.0.0.1:9000",
		.region = "us-east-1",
		.bucket = "edu",
		.access_key_id = "AKIDEXAMPLE.1",
		.secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	};
	const struct object_field headers[] = {
		{"content-length", "1048576"},
		{"content-type", "video/mp4"},
		{"x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
	};
	const struct object_request request = {.method = "PUT",
					       .key = "content/cnt_0123456789abc",
					       .now_us = SIGNED_US,
					       .seconds = 900,
					       .headers = headers,
					       .n_headers = ARRAY_SIZE(headers)};
	struct arena arena;

	arena_init(&arena, 1 << 20);
	assert_string_equal(
		sign(&arena, &config, &request),
		"http://127.0.0.1:9000/edu/content/cnt_0123456789abc?X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIDEXAMPLE.1%2F20261127%2Fus-east-1%2Fs3%2Faws4_request"
		"&X-Amz-Date=20261127T133005Z&X-Amz-Expires=900"
		"&X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bx-amz-checksum-sha256"
		"&X-Amz-Signature=7bff4f009663f6ffcb7ca7d155c967ad9b99f89b507cd39a0c79534c3a3fdb79");
	arena_done(&arena);
}

static void test_download_under_a_name(void **state)
{
	const struct object_bucket_config config = {
		.endpoint = "https://s3.eu-central-1.amazonaws.com:443/", /* the scheme's own port is not
									     signed */
		.region = "eu-central-1",
		.bucket = "edu",
		.virtual_host = true,
		.access_key_id = "AKIDEXAMPLE.1",
		.secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	};
	const struct object_field query[] = {
		{"response-content-disposition", "attachment; filename*=UTF-8''%E4%BD%9C%E6%A5%AD%201.pdf"},
	};
	const struct object_request request = {.method = "GET",
					       .key = "content/cnt_0123456789abc",
					       .now_us = SIGNED_US,
					       .seconds = OBJECT_URL_SECONDS_MAX,
					       .query = query,
					       .n_query = ARRAY_SIZE(query)};
	struct arena arena;

	arena_init(&arena, 1 << 20);
	assert_string_equal(
		sign(&arena, &config, &request),
		"https://edu.s3.eu-central-1.amazonaws.com/content/cnt_0123456789abc"
		"?X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIDEXAMPLE.1%2F20261127%2Feu-central-1%2Fs3%2Faws4_request"
		"&X-Amz-Date=20261127T133005Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host"
		"&response-content-disposition=attachment%3B%20filename%2A%3DUTF-8%27%27"
		"%25E4%25BD%259C%25E6%25A5%25AD%25201.pdf"
		"&X-Amz-Signature=f7229109f4b41a64a93b1c4417dbd848421137c59ca770336d50429a08d9dc05");
	arena_done(&arena);
}

static void test_every_byte_of_a_key(void **state)
{
	char key[256], *url;
	const struct object_request request = {
		.method = "GET", .key = key, .now_us = SIGNED_US, .seconds = 1};
	struct arena arena;

	for (int i = 1; i < 256; i++)
		key[i - 1] = (char)i;
	key[255] = '\0';
	arena_init(&arena, 1 << 20);
	url = sign(&arena, &aws, &request);
	assert_non_null(strstr(url, "/%01%02%03"));
	assert_non_null(strstr(url, "%2C-./0123456789%3A%3B%3C%3D%3E%3F%40ABC"));
	assert_non_null(strstr(url, "XYZ%5B%5C%5D%5E_%60abc"));
	assert_non_null(strstr(url, "xyz%7B%7C%7D~%7F%80"));
	assert_non_null(strstr(url, "%FE%FF?X-Amz-Algorithm"));
	arena_done(&arena);
}

/* Each of the request's parts is signed. */
static void test_what_is_signed(void **state)
{
	const struct object_field header = {"content-length", "10"}, longer = {"content-length", "11"};
	const struct object_request request = {.method = "PUT",
					       .key = "a",
					       .now_us = SIGNED_US,
					       .seconds = 60,
					       .headers = &header,
					       .n_headers = 1};
	struct object_request others[] = {request, request, request, request, request};
	struct object_bucket_config config = aws;
	struct arena arena;

	others[0].method = "GET";
	others[1].key = "b";
	others[2].now_us += 1000000;
	others[3].seconds++;
	others[4].headers = &longer;
	arena_init(&arena, 1 << 20);
	const char *first = strstr(sign(&arena, &aws, &request), "Signature=");
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
		assert_string_not_equal(strstr(sign(&arena, &aws, &others[i]), "Signature="), first);
	config.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEZ";
	assert_string_not_equal(strstr(sign(&arena, &config, &request), "Signature="), first);
	config = aws;
	config.endpoint = "https://s3.amazonaws.com:8443";
	assert_string_not_equal(strstr(sign(&arena, &config, &request), "Signature="), first);
	arena_done(&arena);
}

static void test_public(void **state)
{
	struct object_bucket *b;
	struct arena arena;
	struct error err;

	arena_init(&arena, 1 << 20);
	assert_int_equal(object_bucket_new(&aws, &b, &err), 0);
	assert_string_equal(object_url_public(b, &arena, NULL, "public/cnt_1"),
			    "https://examplebucket.s3.amazonaws.com/public/cnt_1");
	assert_string_equal(object_url_public(b, &arena, "https://cdn.example", "public/cnt_1"),
			    "https://cdn.example/public/cnt_1");
	object_bucket_free(b);
	arena_done(&arena);
}

static void test_a_full_arena(void **state)
{
	const struct object_request request = {
		.method = "GET", .key = "a", .now_us = SIGNED_US, .seconds = 60};
	struct arena arena;

	arena_init(&arena, 1024);
	assert_null(sign(&arena, &aws, &request));
	arena_done(&arena);
}

static void test_a_config_that_is_wrong(void **state)
{
	char longest[140];
	struct object_bucket_config wrong[] = {aws, aws, aws, aws, aws, aws, aws, aws, aws, aws, aws};
	struct object_bucket *b = NULL;
	struct error err;

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	wrong[0].endpoint = NULL;
	wrong[1].endpoint = "ftp://s3.amazonaws.com";
	wrong[2].endpoint = "https://s3.amazonaws.com/path";
	wrong[3].endpoint = "https://";
	wrong[4].bucket = "UPPER";
	wrong[5].bucket = longest;
	wrong[6].region = "";
	wrong[7].access_key_id = "a/b";
	wrong[8].secret_key = "";
	wrong[9].secret_key = longest;
	wrong[10].endpoint = "https://S3.amazonaws.com";
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(object_bucket_new(&wrong[i], &b, &err), -STATUS_INTERNAL);
		assert_null(b);
		assert_null(strstr(err.message, aws.secret_key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_example),     cmocka_unit_test(test_upload),
		cmocka_unit_test(test_download_under_a_name), cmocka_unit_test(test_every_byte_of_a_key),
		cmocka_unit_test(test_what_is_signed),        cmocka_unit_test(test_public),
		cmocka_unit_test(test_a_full_arena),          cmocka_unit_test(test_a_config_that_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
