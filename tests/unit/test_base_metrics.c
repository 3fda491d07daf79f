/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/metrics.h"
#include "tests/lib/threads.h"

static void test_counter_and_gauge(void **state)
{
	struct metric *c = metric_counter("t_calls_total", "Calls.", "method=\"A\"");
	struct metric *g = metric_gauge("t_waiting", "Waiting.", NULL);

	metric_add(c, 2);
	metric_add(c, 3);
	metric_set(g, 7);
	metric_add(g, -1);
	assert_int_equal(metric_value(c), 5);
	assert_int_equal(metric_value(g), 6);
	assert_ptr_equal(metric_counter("t_calls_total", "Calls.", "method=\"A\""), c);
	metric_add(NULL, 1);
	metric_observe_us(NULL, 1);
	metric_set(NULL, 1);
}

static void test_text_is_grouped_by_name(void **state)
{
	size_t len;
	char *text, *first, *other;

	metric_add(metric_counter("t_a_total", "A.", "k=\"1\""), 1);
	metric_add(metric_counter("t_b_total", "B.", NULL), 9);
	metric_add(metric_counter("t_a_total", "A.", "k=\"2\""), 2);
	text = metrics_render(&len);
	assert_int_equal(strlen(text), len);
	first = strstr(text, "# HELP t_a_total A.\n# TYPE t_a_total counter\nt_a_total{k=\"1\"} 1\n"
			     "t_a_total{k=\"2\"} 2\n");
	assert_non_null(first);
	other = strstr(first + 1, "# HELP t_a_total");
	assert_null(other);
	assert_non_null(strstr(text, "# TYPE t_b_total counter\nt_b_total 9\n"));
	free(text);
}

static void test_histogram_is_cumulative(void **state)
{
	struct metric *h = metric_histogram("t_seconds", "Time.", "m=\"x\"");
	size_t len;
	char *text;

	metric_observe_us(h, 100); /* bounds are inclusive */
	metric_observe_us(h, 101);
	metric_observe_us(h, 20 * 1000 * 1000);
	text = metrics_render(&len);
	assert_non_null(strstr(text, "# TYPE t_seconds histogram\n"));
	assert_non_null(strstr(text, "t_seconds_bucket{m=\"x\",le=\"0.0001\"} 1\n"));
	assert_non_null(strstr(text, "t_seconds_bucket{m=\"x\",le=\"0.00025\"} 2\n"));
	assert_non_null(strstr(text, "t_seconds_bucket{m=\"x\",le=\"10\"} 2\n"));
	assert_non_null(strstr(text, "t_seconds_bucket{m=\"x\",le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(text, "t_seconds_sum{m=\"x\"} 20.000201\n"));
	assert_non_null(strstr(text, "t_seconds_count{m=\"x\"} 3\n"));
	free(text);
}

enum { UPDATERS = 4, UPDATES = 2000 };

static void *update(void *arg)
{
	struct metric *counter = metric_counter("shared_total", "help", NULL);
	struct metric *histogram = metric_histogram("shared_seconds", "help", NULL);
	size_t len;

	for (int i = 0; i < UPDATES; i++) {
		metric_add(counter, 1);
		metric_observe_us(histogram, i);
		if (i % 500 == 0)
			free(metrics_render(&len));
	}
	return NULL;
}

/* The same name is the same metric to every thread, and no update is lost while others read. */
static void test_threads_lose_no_update(void **state)
{
	char updaters[UPDATERS], *text, count[64];
	size_t len;

	threads_run(UPDATERS, update, updaters, 1);
	assert_int_equal(metric_value(metric_counter("shared_total", "help", NULL)), UPDATERS * UPDATES);
	snprintf(count, sizeof(count), "shared_seconds_count{} %d\n", UPDATERS * UPDATES);
	text = metrics_render(&len);
	assert_non_null(strstr(text, count));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counter_and_gauge),
		cmocka_unit_test(test_text_is_grouped_by_name),
		cmocka_unit_test(test_histogram_is_cumulative),
		cmocka_unit_test(test_threads_lose_no_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
