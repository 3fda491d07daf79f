/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/metrics.h"

static _Atomic bool is_ready;

static int ready(void *arg, const char **why)
{
	if (is_ready)
		return 1;
	*why = "no database";
	return 0;
}

static const char *jwks(void *arg)
{
	return arg;
}

static char jwks_text[] = "{\"keys\":[]}";

static struct metrics_http *start(void)
{
	struct metrics_http_config config = {
		.address = "127.0.0.1", .ready = ready, .jwks = jwks, .arg = jwks_text};
	struct metrics_http *h;

	assert_int_equal(metrics_http_start(&config, &h), 0);
	return h;
}

/* The whole answer to one request; returns its status. */
static int ask(const struct metrics_http *h, const char *request, char *out, size_t size)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)metrics_http_port(h))};
	int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
	size_t len = 0;
	ssize_t n;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while ((n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	out[len] = '\0';
	assert_int_equal(sscanf(out, "HTTP/1.%*d %d", &status), 1);
	return status;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void test_pages(void **state)
{
	struct metrics_http *h = start();
	char out[65536];

	metric_add(metric_counter("http_test_total", "Test.", NULL), 3);
	assert_int_equal(ask(h, GET("/metrics"), out, sizeof(out)), 200);
	assert_non_null(strstr(out, "\nhttp_test_total 3\n"));
	assert_int_equal(ask(h, GET("/healthz"), out, sizeof(out)), 200);
	assert_int_equal(ask(h, GET("/.well-known/jwks.json"), out, sizeof(out)), 200);
	assert_non_null(strstr(out, "application/json"));
	assert_non_null(strstr(out, jwks_text));
	assert_int_equal(ask(h, GET("/secret"), out, sizeof(out)), 404);
	assert_int_equal(
		ask(h, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		    out, sizeof(out)),
		405);
	metrics_http_stop(h);
}

static void test_ready_says_why_not(void **state)
{
	struct metrics_http *h = start();
	char out[4096];

	is_ready = false;
	assert_int_equal(ask(h, GET("/readyz"), out, sizeof(out)), 503);
	assert_non_null(strstr(out, "no database"));
	is_ready = true;
	assert_int_equal(ask(h, GET("/readyz"), out, sizeof(out)), 200);
	metrics_http_stop(h);
}

static void test_bad_addresses(void **state)
{
	struct metrics_http_config config = {.address = "localhost; rm", .port = 0};
	struct metrics_http *h = start(), *other;

	assert_int_equal(metrics_http_start(&config, &other), -EINVAL);
	config.address = "127.0.0.1";
	config.port = 70000;
	assert_int_equal(metrics_http_start(&config, &other), -EINVAL);
	config.port = metrics_http_port(h);
	assert_true(metrics_http_start(&config, &other) < 0);
	metrics_http_stop(h);
	metrics_http_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_ready_says_why_not),
		cmocka_unit_test(test_bad_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
