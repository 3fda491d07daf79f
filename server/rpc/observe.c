/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/observe.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/error.h"

/* Labels are kept as long as the process lives, as the registry of metrics asks; equal ones once. */
struct label {
	struct label *next;
	char text[];
};

static struct label *labels;
static pthread_mutex_t labels_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *label_intern(const char *text)
{
	const size_t size = strlen(text) + 1;
	struct label *label;

	pthread_mutex_lock(&labels_lock);
	for (label = labels; label && strcmp(label->text, text) != 0; label = label->next)
		;
	if (!label) {
		label = malloc(sizeof(*label) + size);
		if (label) {
			memcpy(label->text, text, size);
			label->next = labels;
			labels = label;
		}
	}
	pthread_mutex_unlock(&labels_lock);
	return label ? label->text : NULL;
}

static const char *label_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *label_printf(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return label_intern(text);
}

void observe_init(struct observe *o, const char *service, const char *method)
{
	o->latency = metric_histogram("edu_rpc_latency_seconds", "From a call's arrival to its answer.",
				      label_printf("service=\"%s\",method=\"%s\"", service, method));
	for (int code = 0; code < OBSERVE_CODES; code++)
		o->answers[code] = metric_counter("edu_rpc_answers_total", "Calls answered, by status.",
						  label_printf("service=\"%s\",method=\"%s\",code=\"%s\"",
							       service, method, status_code_name(code)));
}

void observe_answer(const struct observe *o, int code, int64_t latency_us)
{
	metric_observe_us(o->latency, latency_us);
	if (code >= 0 && code < OBSERVE_CODES)
		metric_add(o->answers[code], 1);
}

struct metric *observe_gauge(const char *name, const char *help, const char *label, const char *value)
{
	return metric_gauge(name, help, label ? label_printf("%s=\"%s\"", label, value) : NULL);
}
