/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A protoc plugin: gRPC services in C over protobuf-c. protoc gives it a CodeGeneratorRequest on stdin and
 * takes a CodeGeneratorResponse from stdout. Parameters, joined by commas in --grpc-c_opt:
 *
 *   policy=required   every method says who may call it, and no message contains itself (the default)
 *   policy=none       for a .proto that knows nothing of our options: a method without a policy is open
 *   names=short       messages of edu.v1 are also called Course, COURSE_INIT, ..., and what their rules
 *                     allow COURSE_TITLE_MAX_LENGTH, COURSE_INSTRUCTORS_MAX_ITEMS; an enum's values
 *                     are COURSE_STATE_DRAFT, ..., which CourseState_name() names (the default)
 *   names=long        only protobuf-c's names, and identifiers with the package in them
 *
 * Made by each run, beside protobuf-c's X.pb-c.h: X.tables.{h,c}, X.server.{h,c} and X.client.{h,c}. The last
 * four declare nothing where X.proto has no services: what is made follows from the names alone, and a build
 * need not look into a .proto to know it. Files under google/ have no tables, nobody asks for them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "emit.h"
#include "memory.h"
#include "model.h"

typedef Google__Protobuf__Compiler__CodeGeneratorRequest Request;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse Response;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse__File ResponseFile;

enum { FILES_PER_PROTO = 6 };

static Request *read_request(struct arena *a)
{
	size_t len = 0, size = 0;
	uint8_t *bytes = NULL;

	do {
		size = size ? 2 * size : 1 << 16;
		bytes = gen_must(realloc(bytes, size));
		len += fread(bytes + len, 1, size - len, stdin);
	} while (len == size);
	Request *request =
		google__protobuf__compiler__code_generator_request__unpack(arena_allocator(a), len, bytes);
	free(bytes);
	return request;
}

/* NULL, or what is wrong. */
static char *read_settings(struct arena *a, const char *parameter, struct settings *ret)
{
	*ret = (struct settings){.require_policy = true};
	while (*parameter) {
		size_t len = strcspn(parameter, ",");
		const char *p = gen_strndup(a, parameter, len);

		parameter += len;
		parameter += *parameter == ',';
		if (strcmp(p, "policy=required") == 0)
			ret->require_policy = true;
		else if (strcmp(p, "policy=none") == 0)
			ret->require_policy = false;
		else if (strcmp(p, "names=short") == 0)
			ret->long_names = false;
		else if (strcmp(p, "names=long") == 0)
			ret->long_names = true;
		else if (*p)
			return gen_printf(
				a, "unknown parameter \"%s\"; use policy=required|none and names=short|long",
				p);
	}
	return NULL;
}

static char *check(struct model *m)
{
	check_rules(m);
	check_policies(m);
	check_recursion(m);
	check_names(m);
	return problems_text(&m->problems);
}

static void add_file(struct arena *a, Response *response, const struct output *output)
{
	ResponseFile *file = gen_alloc(a, sizeof(*file));

	google__protobuf__compiler__code_generator_response__file__init(file);
	file->name = (char *)output->path;
	file->content = output->text;
	response->file[response->n_file++] = file;
}

static void generate(struct model *m, const struct file *file, Response *response)
{
	static void (*const emit[FILES_PER_PROTO])(struct model *, const struct file *, struct output *) = {
		emit_tables_header, emit_tables_source, emit_server_header,
		emit_server_source, emit_client_header, emit_client_source,
	};
	struct output output;

	for (size_t i = 0; i < FILES_PER_PROTO; i++) {
		emit[i](m, file, &output);
		add_file(m->arena, response, &output);
	}
}

static void answer(struct arena *a, const Request *request, Response *response)
{
	struct settings settings;
	struct model model;

	response->error = read_settings(a, request->parameter ? request->parameter : "", &settings);
	if (response->error)
		return;
	model_build(&model, a, &settings, request);
	response->error = check(&model);
	if (response->error)
		return;
	response->file = gen_array(a, FILES_PER_PROTO * model.n_files, sizeof(*response->file));
	for (size_t i = 0; i < model.n_files; i++) {
		if (model.files[i].generate)
			generate(&model, &model.files[i], response);
	}
}

static int write_response(struct arena *a, const Response *response)
{
	size_t len = google__protobuf__compiler__code_generator_response__get_packed_size(response);
	uint8_t *bytes = gen_array(a, len, 1);

	google__protobuf__compiler__code_generator_response__pack(response, bytes);
	if (fwrite(bytes, 1, len, stdout) != len || fflush(stdout) != 0) {
		perror("protoc-gen-grpc-c");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int main(void)
{
	Response response = GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__INIT;
	struct arena arena;
	int status = EXIT_FAILURE;

	arena_init(&arena, SIZE_MAX);
	Request *request = read_request(&arena);
	if (request) {
		response.has_supported_features = true;
		response.supported_features =
			GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__FEATURE__FEATURE_PROTO3_OPTIONAL;
		answer(&arena, request, &response);
		status = write_response(&arena, &response);
	} else {
		fputs("protoc-gen-grpc-c: stdin holds no CodeGeneratorRequest; protoc runs this program\n",
		      stderr);
	}
	arena_done(&arena);
	return status;
}
