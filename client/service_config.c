/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>

#include "client/client.h"

/*
 * Source: github.com/grpc/grpc/blob/master/doc/service_config.md and proposal A6 (client retries). Repeated
 * are UNAVAILABLE, which from the server means "not executed", and CANCELLED, which comes of a call its
 * caller still wants when somebody on the way gave it up: a server that stops answers so what it has not read
 * yet, a proxy what it lost. Whether such a call was executed nobody knows, but the methods named here may be
 * repeated all the same.
 */
static json_t *method_names(const struct service_desc *const *services)
{
	json_t *names = json_array();

	for (; *services; services++) {
		for (unsigned i = 0; i < (*services)->n_methods; i++) {
			const struct method_desc *m = &(*services)->methods[i];
			if (m->policy.retryable)
				json_array_append_new(names, json_pack("{s:s, s:s}", "service",
								       (*services)->name, "method", m->name));
		}
	}
	return names;
}

const char *client_service_config(const struct service_desc *const *services, struct arena *arena)
{
	/* An empty list of names is the default of every method: without retryable methods there is no
	 * policy. */
	json_t *names = method_names(services);
	json_t *config =
		json_array_size(names) == 0
			? json_object()
			: json_pack("{s:[{s:O, s:{s:i, s:s, s:s, s:i, s:[ss]}}], s:{s:i, s:f}}",
				    "methodConfig", "name", names, "retryPolicy", "maxAttempts", 4,
				    "initialBackoff", "0.1s", "maxBackoff", "2s", "backoffMultiplier", 2,
				    "retryableStatusCodes", "UNAVAILABLE", "CANCELLED", "retryThrottling",
				    "maxTokens", 100, "tokenRatio", 0.1);
	char *text = json_dumps(config, JSON_COMPACT | JSON_REAL_PRECISION(3));
	const char *ret = text ? arena_strdup(arena, text) : NULL;

	free(text);
	json_decref(config);
	json_decref(names);
	return ret;
}
