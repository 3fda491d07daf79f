/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/error_details.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "proto/runtime/array.h"
#include "proto/runtime/codec.h"
#include "proto/runtime/utf8.h"
#include "proto/runtime/wire.h"

#define TYPE_URL "type.googleapis.com/"
#define VIOLATIONS_TOTAL "violations_total"
#define CORRELATION_ID "correlation_id"

/* The most that the Any of a detail adds to it in a Status: tags and lengths of both, the type's URL not
 * counted. */
enum { ANY_OVERHEAD = 16, DETAILS_MAX = 4, DOMAIN_MAX = 256 };

static bool is_internal(const struct error *err)
{
	return err->code == STATUS_INTERNAL;
}

/* ---- Encoding ---- */

struct encoder {
	struct arena *arena;
	Google__Rpc__Status status;
	Google__Protobuf__Any anys[DETAILS_MAX], *details[DETAILS_MAX];
};

/* Appends a detail. False when the arena is full. */
static bool encoder_add(struct encoder *e, const ProtobufCMessage *detail)
{
	Google__Protobuf__Any *any = &e->anys[e->status.n_details];
	size_t size = protobuf_c_message_get_packed_size(detail);

	google__protobuf__any__init(any);
	any->type_url = arena_printf(e->arena, TYPE_URL "%s", detail->descriptor->name);
	any->value.data = arena_alloc(e->arena, size);
	if (!any->type_url || !any->value.data)
		return false;
	any->value.len = protobuf_c_message_pack(detail, any->value.data);
	e->details[e->status.n_details++] = any;
	return true;
}

static bool add_info(struct encoder *e, const struct error *err, const char *domain)
{
	enum { N = ERROR_METADATA_MAX + 2 };
	Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
	Google__Rpc__ErrorInfo__MetadataEntry entries[N], *metadata[N];
	char total[16], domain_copy[DOMAIN_MAX];
	const char *keys[N], *values[N];
	size_t n = 0;

	if (!err->reason)
		return true;
	if (err->correlation_id[0])
		keys[n] = CORRELATION_ID, values[n++] = err->correlation_id;
	if (err->n_violations > 0 && !is_internal(err)) {
		snprintf(total, sizeof(total), "%u", err->n_violations);
		keys[n] = VIOLATIONS_TOTAL, values[n++] = total;
	}
	/* What an internal fault knows is for the log. */
	for (unsigned i = 0; i < err->n_metadata && !is_internal(err); i++)
		keys[n] = err->metadata[i].key, values[n++] = err->metadata[i].value;
	for (size_t i = 0; i < n; i++) {
		google__rpc__error_info__metadata_entry__init(&entries[i]);
		entries[i].key = (char *)keys[i];
		entries[i].value = (char *)values[i];
		metadata[i] = &entries[i];
	}
	utf8_print(domain_copy, sizeof(domain_copy), "%s", domain);
	info.reason = (char *)err->reason->name;
	info.domain = domain_copy;
	info.metadata = metadata;
	info.n_metadata = n;
	return encoder_add(e, &info.base);
}

static bool add_retry(struct encoder *e, const struct error *err)
{
	Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
	Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;

	if (err->retry_delay_ms < 0)
		return true;
	delay.seconds = err->retry_delay_ms / 1000;
	delay.nanos = (int32_t)(err->retry_delay_ms % 1000) * 1000000;
	retry.retry_delay = &delay;
	return encoder_add(e, &retry.base);
}

static bool add_resource(struct encoder *e, const struct error *err)
{
	Google__Rpc__ResourceInfo resource = GOOGLE__RPC__RESOURCE_INFO__INIT;

	if (!err->resource_type[0])
		return true;
	resource.resource_type = (char *)err->resource_type;
	resource.resource_name = (char *)err->resource_name;
	return encoder_add(e, &resource.base);
}

/* Drops items from the end until the detail fits in what is left of the Status, then appends it. */
static bool add_violation_list(struct encoder *e, const ProtobufCMessage *detail, size_t *n_items)
{
	size_t rest = protobuf_c_message_get_packed_size(&e->status.base) + strlen(TYPE_URL) +
		      strlen(detail->descriptor->name) + ANY_OVERHEAD;

	while (*n_items > 0 && rest + protobuf_c_message_get_packed_size(detail) > ERROR_DETAILS_MAX)
		--*n_items;
	return *n_items == 0 || encoder_add(e, detail);
}

static bool add_bad_request(struct encoder *e, const struct error_violation *violations, unsigned n)
{
	Google__Rpc__BadRequest__FieldViolation items[ERROR_VIOLATIONS_MAX], *list[ERROR_VIOLATIONS_MAX];
	Google__Rpc__BadRequest detail = GOOGLE__RPC__BAD_REQUEST__INIT;

	for (unsigned i = 0; i < n; i++) {
		google__rpc__bad_request__field_violation__init(&items[i]);
		items[i].field = (char *)violations[i].field;
		items[i].description = (char *)violations[i].description;
		list[i] = &items[i];
	}
	detail.field_violations = list;
	detail.n_field_violations = n;
	return add_violation_list(e, &detail.base, &detail.n_field_violations);
}

static bool add_precondition(struct encoder *e, const struct error_violation *violations, unsigned n)
{
	Google__Rpc__PreconditionFailure__Violation items[ERROR_VIOLATIONS_MAX], *list[ERROR_VIOLATIONS_MAX];
	Google__Rpc__PreconditionFailure detail = GOOGLE__RPC__PRECONDITION_FAILURE__INIT;

	for (unsigned i = 0; i < n; i++) {
		google__rpc__precondition_failure__violation__init(&items[i]);
		items[i].type = items[i].subject = (char *)violations[i].field;
		items[i].description = (char *)violations[i].description;
		list[i] = &items[i];
	}
	detail.violations = list;
	detail.n_violations = n;
	return add_violation_list(e, &detail.base, &detail.n_violations);
}

static bool add_quota(struct encoder *e, const struct error_violation *violations, unsigned n)
{
	Google__Rpc__QuotaFailure__Violation items[ERROR_VIOLATIONS_MAX], *list[ERROR_VIOLATIONS_MAX];
	Google__Rpc__QuotaFailure detail = GOOGLE__RPC__QUOTA_FAILURE__INIT;

	for (unsigned i = 0; i < n; i++) {
		google__rpc__quota_failure__violation__init(&items[i]);
		items[i].subject = (char *)violations[i].field;
		items[i].description = (char *)violations[i].description;
		list[i] = &items[i];
	}
	detail.violations = list;
	detail.n_violations = n;
	return add_violation_list(e, &detail.base, &detail.n_violations);
}

/* Last of the details, so that what is left is theirs. */
static bool add_violations(struct encoder *e, const struct error *err)
{
	unsigned n = err->n_violations < ERROR_VIOLATIONS_MAX ? err->n_violations : ERROR_VIOLATIONS_MAX;

	if (n == 0 || is_internal(err))
		return true;
	switch (err->violation_kind) {
	case ERROR_VIOLATION_PRECONDITION:
		return add_precondition(e, err->violations, n);
	case ERROR_VIOLATION_QUOTA:
		return add_quota(e, err->violations, n);
	default:
		return add_bad_request(e, err->violations, n);
	}
}

int error_encode(const struct error *err, const char *domain, struct arena *arena, struct span *ret)
{
	struct encoder e = {.arena = arena, .status = GOOGLE__RPC__STATUS__INIT};

	e.status.code = err->code;
	e.status.message = (char *)error_public_message(err);
	e.status.details = e.details;
	if (!add_info(&e, err, domain) || !add_retry(&e, err) || !add_resource(&e, err) ||
	    !add_violations(&e, err))
		return -STATUS_RESOURCE_EXHAUSTED;
	uint8_t *bytes = arena_alloc(arena, protobuf_c_message_get_packed_size(&e.status.base));
	if (!bytes)
		return -STATUS_RESOURCE_EXHAUSTED;
	*ret = span_of(bytes, protobuf_c_message_pack(&e.status.base, bytes));
	return 0;
}

/* ---- Decoding ---- */

struct decoder {
	struct arena *arena;
	struct error *ret;
	unsigned total; /* of violations, as the ErrorInfo says; it may come before the list or after it */
};

static int read_info(struct decoder *d, const Google__Rpc__ErrorInfo *info)
{
	struct error_reason *reason = arena_alloc(d->arena, sizeof(*reason));

	if (!reason)
		return -STATUS_INVALID_ARGUMENT;
	reason->name = info->reason;
	reason->code = d->ret->code;
	d->ret->reason = reason;
	for (size_t i = 0; i < info->n_metadata; i++) {
		const char *key = info->metadata[i]->key, *value = info->metadata[i]->value;

		if (strcmp(key, VIOLATIONS_TOTAL) == 0)
			d->total = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(key, CORRELATION_ID) == 0)
			utf8_print(d->ret->correlation_id, sizeof(d->ret->correlation_id), "%s", value);
		else
			error_add_metadata(d->ret, key, "%s", value);
	}
	return 0;
}

static void read_retry(const Google__Rpc__RetryInfo *retry, struct error *ret)
{
	int64_t seconds = retry->retry_delay ? retry->retry_delay->seconds : 0;
	int64_t nanos = retry->retry_delay ? retry->retry_delay->nanos : 0;

	/* A year is as good as longer, and keeps the product in range. */
	if (seconds > 31536000)
		seconds = 31536000;
	ret->retry_delay_ms = seconds < 0 || nanos < 0 ? 0 : seconds * 1000 + nanos / 1000000;
}

static void read_bad_request(const Google__Rpc__BadRequest *detail, struct error *ret)
{
	ret->violation_kind = ERROR_VIOLATION_FIELD;
	for (size_t i = 0; i < detail->n_field_violations; i++)
		error_add_violation(ret, detail->field_violations[i]->field, "%s",
				    detail->field_violations[i]->description);
}

static void read_precondition(const Google__Rpc__PreconditionFailure *detail, struct error *ret)
{
	ret->violation_kind = ERROR_VIOLATION_PRECONDITION;
	for (size_t i = 0; i < detail->n_violations; i++)
		error_add_violation(ret, detail->violations[i]->subject, "%s",
				    detail->violations[i]->description);
}

static void read_quota(const Google__Rpc__QuotaFailure *detail, struct error *ret)
{
	ret->violation_kind = ERROR_VIOLATION_QUOTA;
	for (size_t i = 0; i < detail->n_violations; i++)
		error_add_violation(ret, detail->violations[i]->subject, "%s",
				    detail->violations[i]->description);
}

static int read_detail(struct decoder *d, const ProtobufCMessage *detail)
{
	const Google__Rpc__ResourceInfo *resource;
	struct error *ret = d->ret;

	if (detail->descriptor == &google__rpc__error_info__descriptor)
		return read_info(d, (const Google__Rpc__ErrorInfo *)detail);
	if (detail->descriptor == &google__rpc__retry_info__descriptor) {
		read_retry((const Google__Rpc__RetryInfo *)detail, ret);
	} else if (detail->descriptor == &google__rpc__bad_request__descriptor) {
		read_bad_request((const Google__Rpc__BadRequest *)detail, ret);
	} else if (detail->descriptor == &google__rpc__precondition_failure__descriptor) {
		read_precondition((const Google__Rpc__PreconditionFailure *)detail, ret);
	} else if (detail->descriptor == &google__rpc__quota_failure__descriptor) {
		read_quota((const Google__Rpc__QuotaFailure *)detail, ret);
	} else {
		resource = (const Google__Rpc__ResourceInfo *)detail;
		error_set_resource(ret, resource->resource_type, resource->resource_name);
	}
	return 0;
}

static const ProtobufCMessageDescriptor *detail_type(const char *type_url)
{
	static const ProtobufCMessageDescriptor *const known[] = {
		&google__rpc__error_info__descriptor,    &google__rpc__retry_info__descriptor,
		&google__rpc__bad_request__descriptor,   &google__rpc__precondition_failure__descriptor,
		&google__rpc__quota_failure__descriptor, &google__rpc__resource_info__descriptor,
	};
	const char *name = strrchr(type_url, '/');

	for (size_t i = 0; name && i < ARRAY_SIZE(known); i++) {
		if (strcmp(name + 1, known[i]->name) == 0)
			return known[i];
	}
	return NULL;
}

static int read_any(struct decoder *d, const Google__Protobuf__Any *any)
{
	const ProtobufCMessageDescriptor *desc = detail_type(any->type_url);
	ProtobufCMessage *detail;
	struct error ignored;

	if (!desc)
		return 0;
	if (codec_unpack(desc, span_of(any->value.data, any->value.len), &wire_limits_default, d->arena,
			 &detail, &ignored) < 0)
		return -STATUS_INVALID_ARGUMENT;
	return read_detail(d, detail);
}

/* Violations that were counted and not sent are kept empty, so that the list may be read up to the count. */
static void restore_total(struct error *ret, unsigned total)
{
	for (unsigned i = ret->n_violations; i < total && i < ERROR_VIOLATIONS_MAX; i++)
		ret->violations[i].field[0] = ret->violations[i].description[0] = '\0';
	if (total > ret->n_violations)
		ret->n_violations = total;
}

int error_decode(struct span bytes, struct arena *arena, struct error *ret)
{
	struct decoder d = {.arena = arena, .ret = ret};
	ProtobufCMessage *message;
	struct error ignored;

	error_clear(ret);
	if (codec_unpack(&google__rpc__status__descriptor, bytes, &wire_limits_default, arena, &message,
			 &ignored) < 0)
		return -STATUS_INVALID_ARGUMENT;
	const Google__Rpc__Status *status = (const Google__Rpc__Status *)message;
	ret->code =
		status->code >= 0 && status->code <= STATUS_UNAUTHENTICATED ? status->code : STATUS_UNKNOWN;
	utf8_print(ret->message, sizeof(ret->message), "%s", status->message);
	for (size_t i = 0; i < status->n_details; i++) {
		int r = read_any(&d, status->details[i]);

		if (r < 0)
			return r;
	}
	restore_total(ret, d.total);
	return 0;
}
