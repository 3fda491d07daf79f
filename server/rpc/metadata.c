/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/metadata.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

enum { ADDRESS_MAX = 45 /* of an IPv6 address in its longest form */ };

struct span slice_span(const grpc_slice *slice)
{
	return span_of(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
}

static bool span_is(struct span s, const char *text, size_t len)
{
	return s.len == len && memcmp(s.data, text, len) == 0;
}

#define SPAN_IS(s, literal) span_is(s, literal, sizeof(literal) - 1)

/* It stands in log lines. */
static bool label_valid(struct span label)
{
	static const char never[] = "\"\\=";

	if (label.len == 0 || label.len > REQUEST_LABEL_MAX)
		return false;
	for (size_t i = 0; i < label.len; i++) {
		if (label.data[i] <= ' ' || label.data[i] >= 0x7f ||
		    memchr(never, label.data[i], sizeof(never) - 1))
			return false;
	}
	return true;
}

void metadata_read(const grpc_metadata_array *metadata, struct call_headers *ret)
{
	*ret = (struct call_headers){0};
	for (size_t i = 0; i < metadata->count; i++) {
		struct span key = slice_span(&metadata->metadata[i].key);
		struct span value = slice_span(&metadata->metadata[i].value);

		/* Of two, neither: whoever sits between may have looked at the other one. */
		if (SPAN_IS(key, "authorization"))
			ret->authorization = ret->authorization.data ? span_of("", 0) : value;
		else if (SPAN_IS(key, "x-request-id") && label_valid(value))
			ret->request_label = value;
	}
}

static bool address_valid(struct span address)
{
	char text[ADDRESS_MAX + 1];
	struct in6_addr any;

	if (address.len == 0 || address.len > ADDRESS_MAX)
		return false;
	memcpy(text, address.data, address.len);
	text[address.len] = '\0';
	return inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1;
}

static struct span last_item(struct span list)
{
	size_t start = list.len;

	while (start > 0 && list.data[start - 1] != ',' && list.data[start - 1] != ' ')
		start--;
	return span_of(list.data + start, list.len - start);
}

struct span metadata_forwarded_for(const grpc_metadata_array *metadata)
{
	struct span ret = {0};

	for (size_t i = 0; i < metadata->count; i++) {
		struct span key = slice_span(&metadata->metadata[i].key);

		if (SPAN_IS(key, "x-forwarded-for"))
			ret = last_item(slice_span(&metadata->metadata[i].value));
	}
	return address_valid(ret) ? ret : (struct span){0};
}

const char *peer_address(char *uri)
{
	char *host, *end;

	if (strncmp(uri, "ipv4:", 5) == 0) {
		host = uri + 5;
		end = strrchr(host, ':');
	} else if (strncmp(uri, "ipv6:%5B", 8) == 0) {
		host = uri + 8;
		end = strstr(host, "%5D");
	} else if (strncmp(uri, "ipv6:[", 6) == 0) {
		host = uri + 6;
		end = strchr(host, ']');
	} else {
		return "";
	}
	if (!end)
		return "";
	*end = '\0';
	return host;
}
