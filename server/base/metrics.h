/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Counters, gauges and latency histograms in the Prometheus text format. A metric is registered once, at
 * start, and updated from any thread without a lock. Names, help texts and labels are constants that outlive
 * the process. The same name and labels give the same metric; NULL, when memory ran out, may be updated to no
 * effect.
 */
struct metric;

struct metric *metric_counter(const char *name, const char *help,
			      const char *labels /* `method="GetCourse"` or NULL */);
struct metric *metric_gauge(const char *name, const char *help, const char *labels);
struct metric *metric_histogram(const char *name, const char *help, const char *labels); /* seconds */

void metric_add(struct metric *m, int64_t n);
void metric_set(struct metric *m, int64_t value);
void metric_observe_us(struct metric *m, int64_t us);
int64_t metric_value(const struct metric *m); /* of a counter or gauge; for tests and the bench */

/* All of them as text; the caller frees. NULL when out of memory. */
char *metrics_render(size_t *ret_len);

/* Serves /metrics, /healthz, /readyz and /.well-known/jwks.json on a port of its own. */
struct metrics_http;
struct metrics_http_config {
	const char *address;                       /* "127.0.0.1" */
	int port;                                  /* 0 asks for a free one */
	int (*ready)(void *arg, const char **why); /* 1 ready; 0 not, and why */
	const char *(*jwks)(void *arg);            /* JSON; owned by the callee */
	void *arg;
};
/* 0 or a negative errno. The callbacks are called on a thread of its own. */
int metrics_http_start(const struct metrics_http_config *config, struct metrics_http **ret)
	__attribute__((warn_unused_result));
int metrics_http_port(const struct metrics_http *h); /* the port bound */
void metrics_http_stop(struct metrics_http *h);      /* NULL is fine */

#endif
