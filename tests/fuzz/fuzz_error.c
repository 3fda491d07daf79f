/* SPDX-License-Identifier: Apache-2.0 */
/* What a server sends a client as the details of a failure: read, written and read again it says the same. */
#include <string.h>

#include "proto/runtime/error_details.h"
#include "proto/runtime/utf8.h"
#include "tests/fuzz/must.h"

enum {
	ARENA_CAP = 1 << 20,
	NAME_MAX_SENT = 64, /* of a reason; the server's are constants */
};

/* A delay that long is cut when it is read. */
#define YEAR_MS INT64_C(31536000000)

static void must_be_text(const char *text)
{
	must(utf8_valid(span_str(text)));
}

static unsigned listed(const struct error *err)
{
	return err->n_violations < ERROR_VIOLATIONS_MAX ? err->n_violations : ERROR_VIOLATIONS_MAX;
}

static void check_texts(const struct error *err)
{
	must_be_text(err->message);
	must_be_text(err->resource_type);
	must_be_text(err->resource_name);
	must_be_text(err->correlation_id);
	must(err->n_metadata <= ERROR_METADATA_MAX);
	for (unsigned i = 0; i < err->n_metadata; i++) {
		must_be_text(err->metadata[i].key);
		must_be_text(err->metadata[i].value);
	}
	for (unsigned i = 0; i < listed(err); i++) {
		must_be_text(err->violations[i].field);
		must_be_text(err->violations[i].description);
	}
}

/* The list may lose its end, where the rest of it is empty. */
static void check_violations(const struct error *err, const struct error *again)
{
	bool dropped = false;

	must(again->n_violations <= err->n_violations);
	must(!err->reason || again->n_violations == err->n_violations);
	for (unsigned i = 0; i < listed(again); i++) {
		const struct error_violation *a = &err->violations[i], *b = &again->violations[i];

		dropped = dropped || (!b->field[0] && !b->description[0]);
		must(dropped ? !b->field[0] && !b->description[0]
			     : strcmp(a->field, b->field) == 0 &&
				       strcmp(a->description, b->description) == 0);
	}
}

static void check_same(const struct error *err, const struct error *again)
{
	must(again->code == err->code);
	must(!again->reason == !err->reason);
	must(!err->reason || strcmp(again->reason->name, err->reason->name) == 0);
	must(again->retry_delay_ms == err->retry_delay_ms || err->retry_delay_ms > YEAR_MS);
	must(strcmp(again->resource_type, err->resource_type) == 0);
	must(!err->resource_type[0] || strcmp(again->resource_name, err->resource_name) == 0);
	must(!err->reason || strcmp(again->correlation_id, err->correlation_id) == 0);
	if (err->code == STATUS_INTERNAL) {
		must(again->n_violations == 0 && again->n_metadata == 0);
		return;
	}
	must(strcmp(again->message, err->message) == 0);
	must(again->n_metadata == (err->reason ? err->n_metadata : 0));
	check_violations(err, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err, again;
	struct arena arena;
	struct span bytes;

	arena_init(&arena, ARENA_CAP);
	if (error_decode(span_of(data, size), &arena, &err) == 0) {
		check_texts(&err);
		must(error_encode(&err, "edu.example", &arena, &bytes) == 0 || arena.exhausted);
		if (!arena.exhausted && (!err.reason || strlen(err.reason->name) <= NAME_MAX_SENT)) {
			must(bytes.len <= ERROR_DETAILS_MAX);
			must(error_decode(bytes, &arena, &again) == 0 || arena.exhausted);
			if (!arena.exhausted)
				check_same(&err, &again);
		}
	}
	arena_done(&arena);
	return 0;
}
