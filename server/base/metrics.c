/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

static const char *const type_names[] = {"counter", "gauge", "histogram"};

/* Upper bounds of a histogram's buckets, in microseconds: 100 us, a cached read, to 10 s, a lost call. */
static const int64_t bounds_us[] = {
	100,   250,    500,    1000,   2500,    5000,    10000,   25000,
	50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};
enum { BOUNDS = ARRAY_SIZE(bounds_us) };

struct metric {
	struct metric *next;
	enum metric_type type;
	const char *name, *help, *labels;
	_Atomic int64_t value;                /* of a histogram: the sum, in microseconds */
	_Atomic uint64_t buckets[BOUNDS + 1]; /* not cumulative; the last has no bound */
};

/* Metrics of one name stand together, as the format wants them. None is ever removed. */
static struct metric *metrics;
static pthread_mutex_t metrics_lock = PTHREAD_MUTEX_INITIALIZER;

static bool same_labels(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Registering the same name and labels again gives the same metric. NULL when out of memory: updating NULL is
 * fine. */
static struct metric *metric_register(enum metric_type type, const char *name, const char *help,
				      const char *labels)
{
	struct metric **at, *found = NULL;

	struct metric *m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	*m = (struct metric){.type = type, .name = name, .help = help, .labels = labels};
	pthread_mutex_lock(&metrics_lock);
	for (at = &metrics; *at; at = &(*at)->next) {
		if (strcmp((*at)->name, name) == 0) {
			if (same_labels((*at)->labels, labels)) {
				found = *at;
				break;
			}
			if (!(*at)->next || strcmp((*at)->next->name, name) != 0) {
				at = &(*at)->next;
				break;
			}
		}
	}
	if (!found) {
		m->next = *at;
		*at = m;
	}
	pthread_mutex_unlock(&metrics_lock);
	if (found) {
		free(m);
		return found;
	}
	return m;
}

struct metric *metric_counter(const char *name, const char *help, const char *labels)
{
	return metric_register(METRIC_COUNTER, name, help, labels);
}

struct metric *metric_gauge(const char *name, const char *help, const char *labels)
{
	return metric_register(METRIC_GAUGE, name, help, labels);
}

struct metric *metric_histogram(const char *name, const char *help, const char *labels)
{
	return metric_register(METRIC_HISTOGRAM, name, help, labels);
}

void metric_add(struct metric *m, int64_t n)
{
	if (m)
		atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

void metric_set(struct metric *m, int64_t value)
{
	if (m)
		atomic_store_explicit(&m->value, value, memory_order_relaxed);
}

void metric_observe_us(struct metric *m, int64_t us)
{
	unsigned i = 0;

	if (!m)
		return;
	while (i < BOUNDS && us > bounds_us[i])
		i++;
	atomic_fetch_add_explicit(&m->buckets[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->value, us, memory_order_relaxed);
}

int64_t metric_value(const struct metric *m)
{
	return m ? atomic_load_explicit(&m->value, memory_order_relaxed) : 0;
}

static void render_histogram(FILE *out, const struct metric *m)
{
	const char *labels = m->labels ? m->labels : "", *comma = *labels ? "," : "";
	uint64_t count = 0;

	for (unsigned i = 0; i < BOUNDS; i++) {
		count += atomic_load_explicit(&m->buckets[i], memory_order_relaxed);
		fprintf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", m->name, labels, comma,
			(double)bounds_us[i] / 1e6, count);
	}
	count += atomic_load_explicit(&m->buckets[BOUNDS], memory_order_relaxed);
	fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", m->name, labels, comma, count);
	fprintf(out, "%s_sum{%s} %.6f\n", m->name, labels, (double)metric_value(m) / 1e6);
	fprintf(out, "%s_count{%s} %" PRIu64 "\n", m->name, labels, count);
}

static void render_one(FILE *out, const struct metric *m, const char *previous_name)
{
	if (!previous_name || strcmp(previous_name, m->name) != 0)
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, type_names[m->type]);
	if (m->type == METRIC_HISTOGRAM)
		render_histogram(out, m);
	else if (m->labels)
		fprintf(out, "%s{%s} %" PRId64 "\n", m->name, m->labels, metric_value(m));
	else
		fprintf(out, "%s %" PRId64 "\n", m->name, metric_value(m));
}

char *metrics_render(size_t *ret_len)
{
	const char *previous_name = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	pthread_mutex_lock(&metrics_lock);
	for (const struct metric *m = metrics; m; m = m->next) {
		render_one(out, m, previous_name);
		previous_name = m->name;
	}
	pthread_mutex_unlock(&metrics_lock);
	bool failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed) {
		free(text);
		return NULL;
	}
	*ret_len = len;
	return text;
}
