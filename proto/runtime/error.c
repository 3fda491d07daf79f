/* SPDX-License-Identifier: Apache-2.0 */
#define ERROR_IS_DEFINED_HERE
#include "proto/runtime/error.h"

#include <stdarg.h>
#include <string.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/utf8.h"

#define RPC_REASON_DEFINE(reason, status)                                                                    \
	const struct error_reason RPC_REASON_##reason = {#reason, STATUS_##status};
RPC_REASONS(RPC_REASON_DEFINE)
#undef RPC_REASON_DEFINE

const char *status_code_name(int code)
{
	static const char *const names[] = {
		"OK",
		"CANCELLED",
		"UNKNOWN",
		"INVALID_ARGUMENT",
		"DEADLINE_EXCEEDED",
		"NOT_FOUND",
		"ALREADY_EXISTS",
		"PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED",
		"FAILED_PRECONDITION",
		"ABORTED",
		"OUT_OF_RANGE",
		"UNIMPLEMENTED",
		"INTERNAL",
		"UNAVAILABLE",
		"DATA_LOSS",
		"UNAUTHENTICATED",
	};

	return code >= 0 && code <= STATUS_UNAUTHENTICATED ? names[code] : "UNKNOWN";
}

/* Clears what is read, not the 5 KiB: this runs once a call. */
void error_clear(struct error *err)
{
	err->code = STATUS_OK;
	err->reason = NULL;
	err->message[0] = '\0';
	err->n_metadata = 0;
	err->violation_kind = ERROR_VIOLATION_FIELD;
	err->n_violations = 0;
	err->retry_delay_ms = -1;
	err->resource_type[0] = err->resource_name[0] = err->correlation_id[0] = '\0';
}

__attribute__((format(printf, 3, 0))) static int
raise_va(struct error *err, const struct error_reason *reason, const char *format, va_list args)
{
	error_clear(err);
	err->code = reason->code;
	err->reason = reason;
	utf8_vprint(err->message, sizeof(err->message), format, args);
	return -err->code;
}

int error_raise(struct error *err, const struct error_reason *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int r = raise_va(err, reason, format, args);
	va_end(args);
	return r;
}

int error_internal(struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int r = raise_va(err, &RPC_REASON_INTERNAL, format, args);
	va_end(args);
	return r;
}

int error_set_message(struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	utf8_vprint(err->message, sizeof(err->message), format, args);
	va_end(args);
	return -err->code;
}

int error_add_metadata(struct error *err, const char *key, const char *format, ...)
{
	va_list args;

	if (err->n_metadata == ERROR_METADATA_MAX)
		return -err->code;
	va_start(args, format);
	utf8_print(err->metadata[err->n_metadata].key, sizeof(err->metadata[0].key), "%s", key);
	utf8_vprint(err->metadata[err->n_metadata].value, sizeof(err->metadata[0].value), format, args);
	err->n_metadata++;
	va_end(args);
	return -err->code;
}

__attribute__((format(printf, 3, 0))) static void add_violation_va(struct error *err, const char *field,
								   const char *format, va_list args)
{
	if (err->n_violations < ERROR_VIOLATIONS_MAX) {
		struct error_violation *v = &err->violations[err->n_violations];

		utf8_print(v->field, sizeof(v->field), "%s", field);
		utf8_vprint(v->description, sizeof(v->description), format, args);
	}
	err->n_violations++;
}

int error_add_violation(struct error *err, const char *field, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_violation_va(err, field, format, args);
	va_end(args);
	return -err->code;
}

int error_precondition(struct error *err, int so_far, const struct error_reason *reason, const char *message,
		       const char *field, const char *format, ...)
{
	va_list args;

	if (so_far == 0) {
		error_raise(err, reason, "%s", message);
		err->violation_kind = ERROR_VIOLATION_PRECONDITION;
	}
	va_start(args, format);
	add_violation_va(err, field, format, args);
	va_end(args);
	return -err->code;
}

int error_set_retry(struct error *err, int64_t delay_ms)
{
	err->retry_delay_ms = delay_ms;
	return -err->code;
}

int error_set_resource(struct error *err, const char *type, const char *name)
{
	utf8_print(err->resource_type, sizeof(err->resource_type), "%s", type);
	utf8_print(err->resource_name, sizeof(err->resource_name), "%s", name);
	return -err->code;
}

int error_field(struct error *err, const char *field, const char *format, ...)
{
	va_list args;

	error_raise(err, &RPC_REASON_FIELD_INVALID, "%s", "");
	va_start(args, format);
	add_violation_va(err, field, format, args);
	va_end(args);
	return error_tell_violations(err);
}

/* What the value is (", is 41", ", has 3") stands at the end of a description. */
static int rule_length(const char *description)
{
	const char *is = strstr(description, ", is "), *has = strstr(description, ", has ");
	const char *end = is ? is : has;

	return (int)(end ? (size_t)(end - description) : strlen(description));
}

int error_tell_violations(struct error *err)
{
	const struct error_violation *first = &err->violations[0];

	return error_set_message(err, "%s%s %.*s.",
				 err->n_violations > 1 ? "Several fields are invalid; the first: " : "",
				 first->field, rule_length(first->description), first->description);
}

const char *error_public_message(const struct error *err)
{
	if (err->code == STATUS_INTERNAL)
		return "Internal error. Report it with the correlation id; its cause is in the "
		       "server's log.";
	if (err->reason == &RPC_REASON_DATABASE_UNAVAILABLE)
		return "The database is not available; repeat the call.";
	return err->message;
}

int arena_check(const struct arena *a, struct error *err)
{
	return a->exhausted ? arena_full(err) : 0;
}

int arena_full(struct error *err)
{
	return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
			   "The call needs more memory than it may use; send or ask for less at once.");
}
