/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns messages of sample.Sample into JSON and back, one a line, so that another implementation can be
 * compared: `to-json [--defaults]` reads hexadecimal wire bytes, `from-json` reads JSON; each writes the
 * other. A line that is refused becomes "error: ..." and the exit code 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/codec.h"
#include "proto/runtime/json.h"
#include "tests/lib/json_sample.pb-c.h"

static const struct wire_limits limits = {.bytes = 16 << 20, .depth = 32, .fields = 1000000};

static size_t hex_read(char *text)
{
	size_t n = 0;
	unsigned byte;

	for (; sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
		text[n] = (char)byte;
	return n;
}

static int to_json(char *line, bool defaults, struct arena *arena, struct error *err)
{
	json_auto_t *json = NULL;
	ProtobufCMessage *message;
	int r;

	r = codec_unpack(&sample__sample__descriptor, span_of(line, hex_read(line)), &limits, arena, &message,
			 err);
	if (r == 0)
		r = json_from_message(message, defaults, &json, err);
	if (r == 0) {
		json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
		putchar('\n');
	}
	return r;
}

static int from_json(const char *line, struct arena *arena, struct error *err)
{
	json_auto_t *json = json_loads(line, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	ProtobufCMessage *message;
	struct span bytes;
	int r;

	if (!json)
		return error_field(err, "line", "must be JSON");
	r = json_to_message(&sample__sample__descriptor, json, arena, &message, err);
	if (r == 0)
		r = codec_pack(message, arena, &bytes, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < bytes.len; i++)
		printf("%02x", bytes.data[i]);
	putchar('\n');
	return 0;
}

static int convert(char *line, int argc, char **argv)
{
	struct arena arena;
	struct error err;
	int r;

	arena_init(&arena, 256 << 20);
	if (strcmp(argv[1], "to-json") == 0)
		r = to_json(line, argc > 2 && strcmp(argv[2], "--defaults") == 0, &arena, &err);
	else
		r = from_json(line, &arena, &err);
	if (r < 0)
		printf("error: %s\n", err.message);
	arena_done(&arena);
	return r;
}

int main(int argc, char **argv)
{
	int status = EXIT_SUCCESS;
	char *line = NULL;
	size_t size = 0;

	if (argc < 2 || (strcmp(argv[1], "to-json") != 0 && strcmp(argv[1], "from-json") != 0)) {
		fprintf(stderr, "usage: json_convert to-json [--defaults] | from-json\n");
		return 2;
	}
	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (convert(line, argc, argv) < 0)
			status = EXIT_FAILURE;
	}
	free(line);
	return status;
}
