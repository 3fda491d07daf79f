/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/request_key.h"

#include <openssl/evp.h>

#include "proto/runtime/codec.h"
#include "proto/runtime/uuid.h"

static char **request_id_of(const struct method *m, ProtobufCMessage *request)
{
	const ProtobufCFieldDescriptor *field = &request->descriptor->fields[m->desc->request_id_field];

	return (char **)((char *)request + field->offset);
}

/*
 * Hashes what was understood, not the bytes that came: two encodings of one message are one request. Fields
 * the server does not know count too: a client that sets one means something by it.
 */
static int body_hash(ProtobufCMessage *request, char **request_id, struct arena *arena, uint8_t ret[32],
		     struct error *err)
{
	char *kept = *request_id;
	struct span packed;

	*request_id = (char *)protobuf_c_empty_string;
	int r = codec_pack(request, arena, &packed, err);
	*request_id = kept;
	if (r < 0)
		return r;
	if (EVP_Digest(packed.data, packed.len, ret, NULL, EVP_sha256(), NULL) != 1)
		return error_internal(err, "SHA-256 failed");
	return 0;
}

int request_key_make(const struct method *m, const struct principal *who, ProtobufCMessage *request,
		     struct arena *arena, struct request_key *ret, struct error *err)
{
	ret->present = false;
	if (m->desc->request_id_field < 0 || !principal_signed_in(who))
		return 0;
	char **request_id = request_id_of(m, request);
	if (!*request_id || !**request_id)
		return 0;
	if (!uuid_parse(*request_id, ret->request_id))
		return error_field(err, "request_id", "must be a UUID");
	int r = body_hash(request, request_id, arena, ret->body_hash, err);
	if (r < 0)
		return r;
	ret->principal_id = who->user_id;
	ret->method = m->number;
	ret->present = true;
	return 0;
}
