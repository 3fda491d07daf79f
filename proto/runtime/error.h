/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_ERROR_H
#define RUNTIME_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/span.h"

/* The canonical codes, with the numbers gRPC gives them. Functions return 0 or one of these negated. */
enum status_code {
	STATUS_OK = 0,
	STATUS_CANCELLED = 1,
	STATUS_UNKNOWN = 2,
	STATUS_INVALID_ARGUMENT = 3,
	STATUS_DEADLINE_EXCEEDED = 4,
	STATUS_NOT_FOUND = 5,
	STATUS_ALREADY_EXISTS = 6,
	STATUS_PERMISSION_DENIED = 7,
	STATUS_RESOURCE_EXHAUSTED = 8,
	STATUS_FAILED_PRECONDITION = 9,
	STATUS_ABORTED = 10,
	STATUS_OUT_OF_RANGE = 11,
	STATUS_UNIMPLEMENTED = 12,
	STATUS_INTERNAL = 13,
	STATUS_UNAVAILABLE = 14,
	STATUS_DATA_LOSS = 15,
	STATUS_UNAUTHENTICATED = 16,
};

/* "NOT_FOUND" for 5; "UNKNOWN" for what is no code. */
const char *status_code_name(int code);

/*
 * A reason is what a program branches on: a stable name and the code it comes with. The contract lists them
 * all (an enum with (grpc_c.v1.error_reasons)); the generator defines one REASON_<NAME> per value. Those the
 * runtime itself raises are listed here under RPC_REASON_<NAME>, and a contract repeats them so that its list
 * is complete.
 */
struct error_reason {
	const char *name; /* "COURSE_NOT_FOUND" */
	int code;         /* enum status_code, positive */
};

#define RPC_REASONS(X)                                                                                       \
	X(FIELD_INVALID, INVALID_ARGUMENT) /* one or more fields break their rules; BadRequest lists them */ \
	X(MESSAGE_MALFORMED, INVALID_ARGUMENT) /* the bytes are no valid message: UTF-8, NUL, wire format */ \
	X(MESSAGE_TOO_DEEP, INVALID_ARGUMENT)  /* nested deeper than 16 */                                   \
	X(MESSAGE_TOO_LARGE, RESOURCE_EXHAUSTED) /* bytes, fields or memory over the cap */                  \
	X(REQUEST_ID_REUSED, INVALID_ARGUMENT)   /* the same request_id came with another body */            \
	X(TOKEN_MISSING, UNAUTHENTICATED)        /* the method needs a token */                              \
	X(TOKEN_INVALID, UNAUTHENTICATED)        /* not ours, malformed, tampered with */                    \
	X(TOKEN_EXPIRED, UNAUTHENTICATED)        /* refresh and repeat */                                    \
	X(TOKEN_REVOKED, UNAUTHENTICATED) /* its session ended or its rights changed: refresh, or sign in */ \
	X(ROLE_MISSING, PERMISSION_DENIED)    /* a user without the role */                                  \
	X(SCOPE_MISSING, PERMISSION_DENIED)   /* a service account without the scope */                      \
	X(RATE_LIMITED, RESOURCE_EXHAUSTED)   /* wait as RetryInfo says */                                   \
	X(DEADLINE_PASSED, DEADLINE_EXCEEDED) /* not executed */                                             \
	X(OUTCOME_UNKNOWN,                                                                                   \
	  DEADLINE_EXCEEDED)       /* the commit's answer did not come: repeat with the same request_id */   \
	X(OVERLOADED, UNAVAILABLE) /* a queue is full; not executed */                                       \
	X(DRAINING, UNAVAILABLE)   /* the server is stopping; not executed */                                \
	X(DATABASE_UNAVAILABLE, UNAVAILABLE) /* not executed */                                              \
	X(RIGHTS_UNCONFIRMED, UNAVAILABLE)   /* what the caller may do may have changed; not executed */     \
	X(CONFLICT, ABORTED)                 /* lost a race after every retry: repeat */                     \
	X(METHOD_UNKNOWN, UNIMPLEMENTED)     /* no such method */                                            \
	X(CALL_CANCELLED, CANCELLED)         /* the caller went away */                                      \
	X(INTERNAL, INTERNAL)                /* our fault; the log has the rest under the correlation id */

#define RPC_REASON_DECLARE(name, code) extern const struct error_reason RPC_REASON_##name;
RPC_REASONS(RPC_REASON_DECLARE)
#undef RPC_REASON_DECLARE

enum {
	ERROR_MESSAGE_MAX = 256,
	ERROR_VIOLATIONS_MAX = 16, /* listed; violations_total counts all */
	ERROR_METADATA_MAX = 8,
	ERROR_DETAILS_MAX = 4096, /* bytes of an encoded google.rpc.Status */
};

struct error_violation {
	char field[96];        /* "items[3].lesson_id" */
	char description[160]; /* "must be an integer" */
};

/* What kind of detail the violations become. */
enum error_violation_kind {
	ERROR_VIOLATION_FIELD,        /* google.rpc.BadRequest */
	ERROR_VIOLATION_PRECONDITION, /* google.rpc.PreconditionFailure: field is the type and subject */
	ERROR_VIOLATION_QUOTA,        /* google.rpc.QuotaFailure: field is the subject */
};

/*
 * One failure, as it is understood where it happens. Plain memory, about 5 KiB: one per call, initialised by
 * error_clear(), never freed. Later raises overwrite earlier ones.
 */
struct error {
	int code; /* enum status_code, 0 when there is none */
	const struct error_reason *reason;
	char message[ERROR_MESSAGE_MAX];
	struct {
		char key[64], value[128];
	} metadata[ERROR_METADATA_MAX];
	unsigned n_metadata;
	enum error_violation_kind violation_kind;
	struct error_violation violations[ERROR_VIOLATIONS_MAX];
	unsigned n_violations;                     /* all of them; the first ERROR_VIOLATIONS_MAX are kept */
	int64_t retry_delay_ms;                    /* -1: no RetryInfo */
	char resource_type[32], resource_name[64]; /* ResourceInfo when the type is not empty */
	char correlation_id[32];                   /* set by rpc on INTERNAL */
};

void error_clear(struct error *err);

/*
 * Sets reason, code and a message for people (what happened, what to do next), clears the rest, and returns
 * the negated code, so that `return error_raise(...)` reads well. `err` may not be NULL. What a server
 * answers has one text for one cause, so that whoever counts errors by their text counts causes: ids,
 * amounts, times and numbers go to the metadata, the resource, the violations or the retry.
 */
int error_raise(struct error *err, const struct error_reason *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));

/* An internal fault: the message goes to the log, never to the caller. */
int error_internal(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

/* Replaces the message of an error already raised. Returns the negated code. */
int error_set_message(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds to an error already raised. Each truncates what does not fit. They return the negated code again. */
int error_add_metadata(struct error *err, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int error_add_violation(struct error *err, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int error_set_retry(struct error *err, int64_t delay_ms);
int error_set_resource(struct error *err, const char *type, const char *name);

/*
 * A condition that does not hold, of several that are looked at one after the other: adds the violation,
 * after raising `reason` with `message` if `so_far`, what the last one returned, is 0. Becomes a
 * PreconditionFailure.
 */
int error_precondition(struct error *err, int so_far, const struct error_reason *reason, const char *message,
		       const char *field, const char *format, ...)
	__attribute__((format(printf, 6, 7), cold));

/* Makes the message of the violations: the first, without what its value is, which the details say. */
int error_tell_violations(struct error *err);

/* Raises FIELD_INVALID with one violation. */
int error_field(struct error *err, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));

/*
 * Asked once after something was put together: 0, or MESSAGE_TOO_LARGE when a piece of it did not fit. So the
 * pieces need no check each, but that of a NULL which would be written to.
 */
int arena_check(const struct arena *a, struct error *err) __attribute__((warn_unused_result));

/* Raises it: for who just got a NULL. */
int arena_full(struct error *err) __attribute__((cold, warn_unused_result));

/* The message as a caller may see it: of an internal fault and of a database that is away, whose causes are
 * the server's own matter, a constant text, else err->message. Lives as long as err. */
const char *error_public_message(const struct error *err);

/* Raising gives a negative code, which an analyzer that looks at one file at a time cannot know. */
#if defined(__clang_analyzer__) && !defined(ERROR_IS_DEFINED_HERE)
#define error_raise(...) (error_raise(__VA_ARGS__), -STATUS_INTERNAL)
#define error_internal(...) (error_internal(__VA_ARGS__), -STATUS_INTERNAL)
#define error_field(...) (error_field(__VA_ARGS__), -STATUS_INTERNAL)
#endif

#endif
