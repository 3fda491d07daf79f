/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_SERVICE_H
#define RUNTIME_SERVICE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/error.h"
#include "proto/runtime/span.h"

/*
 * The tables protoc-gen-grpc-c emits, for both ends. All of it is constant data.
 */

enum method_kind { METHOD_UNARY, METHOD_SERVER_STREAM, METHOD_CLIENT_STREAM, METHOD_BIDI };

/* Mirrors grpc_c.v1.Access. */
enum method_access { METHOD_ACCESS_NONE, METHOD_ACCESS_PUBLIC, METHOD_ACCESS_SIGNED_IN };

/* Mirrors grpc_c.v1.Subject. */
enum method_subject {
	METHOD_SUBJECT_UNSAID,
	METHOD_SUBJECT_NONE,
	METHOD_SUBJECT_FIELD,
	METHOD_SUBJECT_HANDLER,
};

/* Mirrors google.protobuf.MethodOptions.IdempotencyLevel. */
enum method_idempotency { METHOD_IDEMPOTENCY_UNKNOWN, METHOD_NO_SIDE_EFFECTS, METHOD_IDEMPOTENT };

/* Mirrors grpc_c.v1.StringFormat. */
enum string_format {
	STRING_ANY,
	STRING_UUID,
	STRING_EMAIL,
	STRING_CURRENCY,
	STRING_USER_NAME,
	STRING_LANGUAGE,
	STRING_URL,
	STRING_SLUG,
	STRING_KEY,
	STRING_TEXT_LINE,
	STRING_TEXT,
	STRING_TIME_ZONE,
	STRING_DECIMAL,
};

struct message_rules;

/* What a repeated field may hold when nobody says: so that nothing grows as a stranger likes. */
enum { FIELD_ITEMS_MAX = 1000 };

/* Rules of one field: grpc_c.v1.FieldRules, resolved. */
struct field_rule {
	const char *name;                   /* of the field, as in the .proto */
	const struct message_rules *nested; /* of a message field's type; NULL when that has none */
	int64_t min, max;                   /* asked when has_range */
	uint32_t min_length, max_length;    /* 0: not set */
	uint32_t min_items, max_items;      /* of a repeated field; never unset from the generator */
	const char *id_kind;                /* NULL: not set */
	uint16_t index;                     /* into the descriptor's fields[] */
	uint8_t format;                     /* enum string_format */
	bool required, has_range, output_only;
};

/* Rules of one message; listed are only fields that have any, or whose type has any, and repeated ones. */
struct message_rules {
	const ProtobufCMessageDescriptor *desc;
	const struct field_rule *fields;
	unsigned n_fields;
};

/* Whom requests are about: grpc_c.v1.SubjectPolicy, resolved. */
struct subject_policy {
	enum method_subject source;
	const uint16_t *path; /* of METHOD_SUBJECT_FIELD: an index into each descriptor's fields[], from the
				 request's on; messages down to a string */
	unsigned n_path;
	const char *id_kind;       /* of that string */
	const char *const *roles;  /* NULL-terminated */
	const char *const *scopes; /* NULL-terminated */
	bool delegates;
};

struct method_policy {
	enum method_access access;
	const char *const *roles;  /* NULL-terminated */
	const char *const *scopes; /* NULL-terminated */
	const char *rate_class;    /* "" is the default */
	bool retryable;
	uint32_t max_request_bytes; /* of a message, packed */
	struct subject_policy subject;
};

struct service_desc;

struct method_desc {
	const char *name; /* "GetAnimal" */
	const char *path; /* "/zoo.v1.ZooService/GetAnimal" */
	const struct service_desc *service;
	enum method_kind kind;
	enum method_idempotency idempotency;
	const ProtobufCMessageDescriptor *request, *response;
	const struct message_rules *request_rules; /* NULL: none */
	struct method_policy policy;
	int request_id_field; /* index of the request's string field `request_id` in fields[], or -1 */
};

struct service_desc {
	const char *name; /* "zoo.v1.ZooService" */
	const struct method_desc *methods;
	unsigned n_methods;
	/* The .proto that declares it, and the file set it needs: packed google.protobuf.FileDescriptorSet,
	 * dependencies first, comments kept. */
	const char *file;
	struct span descriptor_set;
	const struct error_reason
		*reasons; /* every value of the error_reasons enum in the file set, or NULL */
	unsigned n_reasons;
};

/* The method with this name ("GetAnimal"), or NULL. */
const struct method_desc *service_method(const struct service_desc *service, const char *name);

#endif
