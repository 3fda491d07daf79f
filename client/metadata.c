/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "client/internal.h"

static int metadata_add(struct client_metadata *m, const char *key, const char *value, struct error *err)
{
	grpc_slice k = grpc_slice_from_copied_string(key), v = grpc_slice_from_copied_string(value);
	bool legal = grpc_header_key_is_legal(k) &&
		     (grpc_is_binary_header(k) || grpc_header_nonbin_value_is_legal(v));

	if (!legal || m->n == CLIENT_METADATA_MAX) {
		grpc_slice_unref(k);
		grpc_slice_unref(v);
		return error_field(err, key, legal ? "is one header more than %d" : "is no legal header",
				   CLIENT_METADATA_MAX);
	}
	m->pairs[m->n++] = (grpc_metadata){.key = k, .value = v};
	return 0;
}

static int metadata_add_token(struct client_metadata *m, const char *token, struct error *err)
{
	char value[sizeof("Bearer ") + CLIENT_TOKEN_MAX];

	if (strlen(token) > CLIENT_TOKEN_MAX)
		return error_field(err, "token", "must have at most %d bytes", CLIENT_TOKEN_MAX);
	snprintf(value, sizeof(value), "Bearer %s", token);
	return metadata_add(m, "authorization", value, err);
}

int client_metadata_fill(struct client_metadata *m, const char *token, const char *const *pairs,
			 struct error *err)
{
	int r = 0;

	m->n = 0;
	if (token)
		r = metadata_add_token(m, token, err);
	for (; r == 0 && pairs && pairs[0]; pairs += 2)
		r = metadata_add(m, pairs[0], pairs[1], err);
	if (r < 0)
		client_metadata_done(m);
	return r;
}

void client_metadata_done(struct client_metadata *m)
{
	for (size_t i = 0; i < m->n; i++) {
		grpc_slice_unref(m->pairs[i].key);
		grpc_slice_unref(m->pairs[i].value);
	}
	m->n = 0;
}

const grpc_slice *client_metadata_find(const grpc_metadata_array *array, const char *key)
{
	for (size_t i = 0; i < array->count; i++) {
		if (grpc_slice_str_cmp(array->metadata[i].key, key) == 0)
			return &array->metadata[i].value;
	}
	return NULL;
}
