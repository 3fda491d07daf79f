/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/load/requests.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool slices_add(grpc_slice **slices, size_t *n, size_t *room, grpc_slice slice)
{
	if (*n == *room) {
		size_t more = *room ? *room * 2 : 64;
		grpc_slice *grown = reallocarray(*slices, more, sizeof(**slices));

		if (!grown) {
			fputs("load: out of memory\n", stderr);
			return false;
		}
		*slices = grown;
		*room = more;
	}
	(*slices)[(*n)++] = slice;
	return true;
}

static bool payload_add(struct requests *r, const uint8_t *bytes, size_t len)
{
	return slices_add(&r->payloads, &r->n_payloads, &r->payloads_room,
			  grpc_slice_from_copied_buffer((const char *)bytes, len));
}

bool requests_add_hex(struct requests *r, const char *hex)
{
	size_t len = strlen(hex) / 2;
	uint8_t *bytes = malloc(len + 1);
	bool ok = strlen(hex) % 2 == 0;

	for (size_t i = 0; ok && i < len; i++)
		ok = sscanf(hex + 2 * i, "%2hhx", &bytes[i]) == 1;
	if (ok)
		ok = payload_add(r, bytes, len);
	else
		fputs("load: --payload-hex takes pairs of hexadecimal digits\n", stderr);
	free(bytes);
	return ok;
}

/* With a NUL after the end, so that text can be read as a string. */
static uint8_t *file_read(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	uint8_t *bytes = NULL;
	size_t len = 0, room = 0;

	while (file && !feof(file) && !ferror(file)) {
		uint8_t *grown = realloc(bytes, (room += 1 << 20) + 1);

		if (!grown)
			break;
		bytes = grown;
		len += fread(bytes + len, 1, room - len, file);
		bytes[len] = '\0';
	}
	if (!file || ferror(file) || !feof(file)) {
		fprintf(stderr, "load: cannot read %s: %s\n", path, strerror(errno));
		free(bytes);
		bytes = NULL;
	}
	if (file)
		fclose(file);
	*ret_len = len;
	return bytes;
}

bool requests_add_file(struct requests *r, const char *path)
{
	size_t len;
	uint8_t *bytes = file_read(path, &len);
	bool ok = bytes && payload_add(r, bytes, len);

	free(bytes);
	return ok;
}

static bool varint_take(const uint8_t *bytes, size_t len, size_t *at, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; shift < 63 && *at < len; shift += 7) {
		uint8_t byte = bytes[(*at)++];

		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

bool requests_add_delimited(struct requests *r, const char *path)
{
	size_t len, at = 0;
	uint8_t *bytes = file_read(path, &len);
	uint64_t next;
	bool ok = bytes != NULL;

	while (ok && at < len) {
		ok = varint_take(bytes, len, &at, &next) && next <= len - at;
		if (!ok) {
			fprintf(stderr, "load: %s is cut at byte %zu\n", path, at);
			break;
		}
		ok = payload_add(r, bytes + at, (size_t)next);
		at += (size_t)next;
	}
	free(bytes);
	return ok;
}

bool requests_add_token(struct requests *r, const char *token)
{
	static const char scheme[] = "Bearer ";
	const size_t scheme_len = sizeof(scheme) - 1, len = strlen(token);
	grpc_slice slice = grpc_slice_malloc(scheme_len + len);

	memcpy(GRPC_SLICE_START_PTR(slice), scheme, scheme_len);
	memcpy(GRPC_SLICE_START_PTR(slice) + scheme_len, token, len);
	return slices_add(&r->tokens, &r->n_tokens, &r->tokens_room, slice);
}

bool requests_add_tokens(struct requests *r, const char *path)
{
	size_t len;
	char *text = (char *)file_read(path, &len), *line, *rest;
	bool ok = text != NULL;

	rest = text;
	while (ok && (line = strsep(&rest, "\n")) != NULL)
		ok = !*line || requests_add_token(r, line);
	free(text);
	return ok;
}

void requests_free(struct requests *r)
{
	for (size_t i = 0; i < r->n_payloads; i++)
		grpc_slice_unref(r->payloads[i]);
	for (size_t i = 0; i < r->n_tokens; i++)
		grpc_slice_unref(r->tokens[i]);
	free(r->payloads);
	free(r->tokens);
	*r = (struct requests){0};
}
