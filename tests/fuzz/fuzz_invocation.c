/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: each line of the input is a word, and a first word that starts with '{' is the JSON that
 * flags add to. What is understood becomes a request, or an error that can be shown.
 */
#include <string.h>

#include "client/cli/flags.h"
#include "client/cli/invocation.h"
#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/codec.h"
#include "tests/fuzz/message_check.h"
#include "tests/fuzz/must.h"

enum { WORDS_MAX = 64 };

static const char *base_text;
static char program[] = "edu";

static int base(const struct options *options, const struct method_desc *method, json_t **ret,
		struct error *err)
{
	*ret = base_text ? json_loads(base_text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	return 0;
}

/* Takes text apart in place. The number of words; argv[0] is the program. */
static int words_of(char *text, char *argv[WORDS_MAX + 1])
{
	int argc = 0;

	base_text = NULL;
	argv[argc++] = program;
	if (*text == '{')
		base_text = strsep(&text, "\n");
	while (text && argc < WORDS_MAX)
		argv[argc++] = strsep(&text, "\n");
	argv[argc] = NULL;
	return argc;
}

static void try_words(int argc, char **argv)
{
	struct invocation invocation;
	struct error err;

	if (invocation_read(&edu_service_desc, argc, argv, base, &invocation, &err) < 0) {
		message_check_error(&err);
		must(!invocation.request);
		return;
	}
	if (invocation.request) {
		const struct method_desc *method = invocation.method;

		must(json_is_object(invocation.request));
		flags_fill_mask(method, invocation.request);
		message_check_json(method->request, method->request_rules, invocation.request);
	}
	invocation_done(&invocation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *argv[WORDS_MAX + 1];

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	try_words(words_of(text, argv), argv);
	free(text);
	return 0;
}
