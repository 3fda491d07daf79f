/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_METADATA_H
#define RPC_METADATA_H

#include <grpc/grpc.h>

#include "proto/runtime/span.h"

enum { REQUEST_LABEL_MAX = 128 };

/* The headers of a call that the server reads. The bytes are core's and live as long as the call. */
struct call_headers {
	struct span authorization; /* data NULL: not sent; empty: sent twice, or with nothing in it */
	/* x-request-id, when it is 1 to 128 visible ASCII characters other than " \\ and =; else empty. */
	struct span request_label;
};

void metadata_read(const grpc_metadata_array *metadata, struct call_headers *ret);

/*
 * The address that the nearest proxy says it was called from: the last item of the last x-forwarded-for
 * header. Empty when there is none, or it is no IP address by its characters.
 */
struct span metadata_forwarded_for(const grpc_metadata_array *metadata);

/* The bytes of a slice, which stays core's. */
struct span slice_span(const grpc_slice *slice);

/*
 * The address in a peer's URI, in place, without its port: "ipv4:127.0.0.1:4000" is "127.0.0.1",
 * "ipv6:%5B::1%5D:4000" is "::1", a unix socket or anything else is "".
 */
const char *peer_address(char *uri);

#endif
