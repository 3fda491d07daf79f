/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/report.h"

#include <jansson.h>
#include <string.h>

#include "client/cli/text.h"
#include "client/client.h"

enum { REPORT_ARENA_MAX = 256 << 10 };

static void put_safe(FILE *out, const char *text)
{
	struct arena arena;

	arena_init(&arena, REPORT_ARENA_MAX);
	fputs(text_clean(text, false, &arena), out);
	arena_done(&arena);
}

static void put_line(FILE *out, const char *label, const char *text)
{
	if (!*text)
		return;
	fputs("  ", out);
	put_safe(out, label);
	fputs(": ", out);
	put_safe(out, text);
	fputc('\n', out);
}

static unsigned listed_violations(const struct error *err)
{
	return err->n_violations < ERROR_VIOLATIONS_MAX ? err->n_violations : ERROR_VIOLATIONS_MAX;
}

/* The message is made of the one field that is wrong. */
static bool message_says_all(const struct error *err)
{
	const struct error_violation *v = err->violations;
	const size_t n = strlen(v->field);

	return err->n_violations == 1 && strncmp(err->message, v->field, n) == 0 && err->message[n] == ' ' &&
	       strncmp(err->message + n + 1, v->description, strlen(v->description)) == 0;
}

static void put_violations(FILE *out, const struct error *err)
{
	if (message_says_all(err))
		return;
	for (unsigned i = 0; i < listed_violations(err); i++)
		put_line(out, err->violations[i].field, err->violations[i].description);
	if (err->n_violations > listed_violations(err))
		fprintf(out, "  and %u more\n", err->n_violations - listed_violations(err));
}

static void put_retry(FILE *out, const struct error *err)
{
	if (err->retry_delay_ms >= 0)
		fprintf(out, "  try again: after %.1f s\n", (double)err->retry_delay_ms / 1000);
}

/* What the contract says; for an error without a reason of the server's, what its class calls for. */
static const char *report_action(const struct error *err, const struct docs *docs, struct arena *arena)
{
	const char *reason = err->reason ? err->reason->name : "";
	const char *action = docs ? docs_reason(docs, reason, arena) : "";

	if (strcmp(reason, CLIENT_REASON_NOT_CONNECTED.name) == 0)
		return "Nothing was sent, so nothing was done. See that the server runs, and that --target, "
		       "and --tls or --ca, fit it.";

	return *action ? action : exit_code_help(exit_code_of(err));
}

/* A reason that is not the server's is named like its code, and said once. */
static void put_reason(FILE *out, const struct error *err)
{
	const char *code = status_code_name(err->code);
	const char *reason = err->reason ? err->reason->name : code;

	fprintf(out, "\n  reason: %s", reason);
	if (strcmp(reason, code) != 0)
		fprintf(out, " (%s)", code);
	fputc('\n', out);
}

static void report_text(FILE *out, const char *command, const struct error *err, const char *action,
			const char *request_id)
{
	fprintf(out, "edu%s%s: ", command ? " " : "", command ? command : "");
	put_safe(out, err->message);
	put_reason(out, err);
	put_violations(out, err);
	for (unsigned i = 0; i < err->n_metadata; i++)
		put_line(out, err->metadata[i].key, err->metadata[i].value);
	put_line(out, err->resource_type, err->resource_name);
	put_retry(out, err);
	put_line(out, "what to do", action);
	if (exit_code_of(err) == EXIT_SIGN_IN)
		fputs("  to sign in: edu login --login NAME\n", out);
	if (request_id)
		fprintf(out, "  to repeat it safely: --request-id %s\n", request_id);
}

static json_t *json_violations(const struct error *err)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < listed_violations(err); i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "field", err->violations[i].field,
						      "description", err->violations[i].description));
	return list;
}

static json_t *json_metadata(const struct error *err)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < err->n_metadata; i++)
		json_object_set_new(object, err->metadata[i].key, json_string(err->metadata[i].value));
	return object;
}

static void report_json(FILE *out, const struct error *err, const char *action, const char *request_id)
{
	json_t *json =
		json_pack("{s:s, s:s, s:s, s:o, s:o, s:s}", "code", status_code_name(err->code), "reason",
			  err->reason ? err->reason->name : "", "message", err->message, "violations",
			  json_violations(err), "metadata", json_metadata(err), "action", action);

	if (json && err->retry_delay_ms >= 0)
		json_object_set_new(json, "retryDelayMs", json_integer(err->retry_delay_ms));
	if (json && err->resource_type[0])
		json_object_set_new(
			json, "resource",
			json_pack("{s:s, s:s}", "type", err->resource_type, "name", err->resource_name));
	if (json && request_id)
		json_object_set_new(json, "requestId", json_string(request_id));
	if (json)
		json_dumpf(json, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(json);
}

void report_error(FILE *out, const char *command, const struct error *err, const struct docs *docs,
		  const char *request_id, bool json)
{
	struct arena arena;

	arena_init(&arena, REPORT_ARENA_MAX);
	const char *action = report_action(err, docs, &arena);
	if (json)
		report_json(out, err, action, request_id);
	else
		report_text(out, command, err, action, request_id);
	arena_done(&arena);
}

void report_usage(FILE *out, const char *command, const struct error *err)
{
	for (unsigned i = 0; i < listed_violations(err); i++) {
		fprintf(out, "edu%s%s: --", command ? " " : "", command ? command : "");
		put_safe(out, err->violations[i].field);
		fputc(' ', out);
		put_safe(out, err->violations[i].description);
		fputc('\n', out);
	}
	if (err->n_violations > 0)
		return;
	fprintf(out, "edu%s%s: ", command ? " " : "", command ? command : "");
	put_safe(out, err->message);
	fputc('\n', out);
}
