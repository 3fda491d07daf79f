/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/reflection.h"

#include <stdlib.h>

#include "grpc/health/v1/health.tables.h"
#include "grpc/reflection/v1/reflection.server.h"
#include "grpc/reflection/v1alpha/reflection.tables.h"
#include "proto/runtime/array.h"
#include "proto/runtime/codec.h"
#include "server/rpc/call_state.h"
#include "server/rpc/descriptor_index.h"
#include "server/rpc/server_state.h"

#define ALPHA_DESC grpc_reflection_v1alpha_server_reflection_desc

#define REQUEST(member) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##member
#define RESPONSE(member) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##member

struct reflection {
	struct descriptor_index *index;
	const struct service_desc **services; /* all that are listed */
	unsigned n_services;
};

/* One stream; lives in the call's arena. */
struct reflection_stream {
	struct standing_stream standing;
	struct arena arena;                     /* of the request that waits for its answer */
	const ServerReflectionRequest *request; /* NULL: none waits */
	bool half_closed;
};

/* --- the tables --- */

int reflection_new(const struct service_desc *const *services, struct reflection **ret, struct error *err)
{
	static const struct service_desc *const own[] = {&health_desc, &server_reflection_desc, &ALPHA_DESC};
	const unsigned n_own = ARRAY_SIZE(own);
	struct reflection *reflection = calloc(1, sizeof(*reflection));
	unsigned n = 0;

	while (services[n])
		n++;
	if (reflection)
		reflection->services = calloc(n + n_own + 1, sizeof(*reflection->services));
	if (!reflection || !reflection->services) {
		free(reflection);
		return error_internal(err, "out of memory");
	}
	memcpy(reflection->services, services, n * sizeof(*services));
	memcpy(reflection->services + n, own, sizeof(own));
	reflection->n_services = n + n_own;
	int r = descriptor_index_new(reflection->services, &reflection->index, err);
	if (r < 0)
		reflection_free(reflection);
	else
		*ret = reflection;
	return r;
}

void reflection_free(struct reflection *reflection)
{
	if (!reflection)
		return;
	descriptor_index_free(reflection->index);
	free(reflection->services);
	free(reflection);
}

/* --- answers; each returns false when the arena is full --- */

static bool answer_error(ServerReflectionResponse *ret, struct arena *arena, int code, const char *message)
{
	ErrorResponse *error = codec_new(ERROR_RESPONSE_DESC, arena);

	if (!error)
		return false;
	error->error_code = code;
	error->error_message = (char *)message;
	ret->message_response_case = RESPONSE(ERROR_RESPONSE);
	ret->error_response = error;
	return true;
}

/* The file, then what it imports, each once. */
static void files_collect(const struct descriptor_file *file, bool *seen, FileDescriptorResponse *files)
{
	if (seen[file->index])
		return;
	seen[file->index] = true;
	files->file_descriptor_proto[files->n_file_descriptor_proto++] = (ProtobufCBinaryData){
		.data = (uint8_t *)file->bytes.data,
		.len = file->bytes.len,
	};
	for (const struct descriptor_file *const *import = file->imports; *import; import++)
		files_collect(*import, seen, files);
}

static bool answer_file(const struct reflection *reflection, ServerReflectionResponse *ret,
			struct arena *arena, const struct descriptor_file *file)
{
	const unsigned n = descriptor_index_files(reflection->index);
	FileDescriptorResponse *files = codec_new(FILE_DESCRIPTOR_RESPONSE_DESC, arena);
	bool *seen = arena_array(arena, n, sizeof(*seen));

	if (!file)
		return answer_error(ret, arena, STATUS_NOT_FOUND, "no file of this server has that");
	if (files)
		files->file_descriptor_proto = arena_array(arena, n, sizeof(*files->file_descriptor_proto));
	if (!files || !seen || !files->file_descriptor_proto)
		return false;
	files_collect(file, seen, files);
	ret->message_response_case = RESPONSE(FILE_DESCRIPTOR_RESPONSE);
	ret->file_descriptor_response = files;
	return true;
}

static bool answer_extension(const struct reflection *reflection, ServerReflectionResponse *ret,
			     struct arena *arena, const ExtensionRequest *extension)
{
	const struct descriptor_file *file = descriptor_index_extension(
		reflection->index, extension->containing_type, extension->extension_number);

	return answer_file(reflection, ret, arena, file);
}

static bool answer_numbers(const struct reflection *reflection, ServerReflectionResponse *ret,
			   struct arena *arena, const char *type)
{
	ExtensionNumberResponse *numbers = codec_new(EXTENSION_NUMBER_RESPONSE_DESC, arena);

	if (!numbers)
		return false;
	if (!descriptor_index_extensions(reflection->index, type, arena, &numbers->extension_number,
					 &numbers->n_extension_number))
		return answer_error(ret, arena, STATUS_NOT_FOUND, "this server has no such type");
	numbers->base_type_name = (char *)type;
	ret->message_response_case = RESPONSE(ALL_EXTENSION_NUMBERS_RESPONSE);
	ret->all_extension_numbers_response = numbers;
	return true;
}

static bool answer_services(const struct reflection *reflection, ServerReflectionResponse *ret,
			    struct arena *arena)
{
	ListServiceResponse *list = codec_new(LIST_SERVICE_RESPONSE_DESC, arena);

	if (list)
		list->service = arena_array(arena, reflection->n_services, sizeof(*list->service));
	if (!list || !list->service)
		return false;
	for (unsigned i = 0; i < reflection->n_services; i++) {
		ServiceResponse *service = codec_new(SERVICE_RESPONSE_DESC, arena);

		if (!service)
			return false;
		service->name = (char *)reflection->services[i]->name;
		list->service[list->n_service++] = service;
	}
	ret->message_response_case = RESPONSE(LIST_SERVICES_RESPONSE);
	ret->list_services_response = list;
	return true;
}

static bool reflection_answer(const struct reflection *reflection, const ServerReflectionRequest *req,
			      ServerReflectionResponse *ret, struct arena *arena)
{
	const struct descriptor_index *index = reflection->index;

	ret->valid_host = req->host;
	ret->original_request = (ServerReflectionRequest *)req;
	switch (req->message_request_case) {
	case REQUEST(FILE_BY_FILENAME):
		return answer_file(reflection, ret, arena,
				   descriptor_index_file(index, req->file_by_filename));
	case REQUEST(FILE_CONTAINING_SYMBOL):
		return answer_file(reflection, ret, arena,
				   descriptor_index_symbol(index, req->file_containing_symbol));
	case REQUEST(FILE_CONTAINING_EXTENSION):
		return answer_extension(reflection, ret, arena, req->file_containing_extension);
	case REQUEST(ALL_EXTENSION_NUMBERS_OF_TYPE):
		return answer_numbers(reflection, ret, arena, req->all_extension_numbers_of_type);
	case REQUEST(LIST_SERVICES):
		return answer_services(reflection, ret, arena);
	default:
		return answer_error(ret, arena, STATUS_INVALID_ARGUMENT, "the request asks for nothing");
	}
}

/* --- the stream --- */

static int info_open(struct rpc_call *call, struct error *err)
{
	struct reflection_stream *s = arena_zalloc(rpc_arena(call), sizeof(*s));

	if (!s)
		return error_internal(err, "no memory for a reflection stream");
	arena_init(&s->arena, call->server->config.arena_cap);
	arena_share(&s->arena, &call->server->memory);
	int r = standing_add(&call->server->standing, &s->standing, call, err);
	if (r == 0)
		rpc_set_state(call, s);
	return r;
}

/* The message is gone when its answer is asked for: a copy of it, made the way it came. */
static int info_message(struct rpc_call *call, const ServerReflectionRequest *message, struct error *err)
{
	struct reflection_stream *s = rpc_state(call);
	ProtobufCMessage *copy;
	struct span packed;

	arena_reset(&s->arena);
	s->request = NULL;
	int r = codec_pack(&message->base, &s->arena, &packed, err);
	if (r == 0)
		r = codec_unpack(SERVER_REFLECTION_REQUEST_DESC, packed, &call->server->config.limits,
				 &s->arena, &copy, err);
	if (r == 0)
		s->request = (const ServerReflectionRequest *)copy;
	return r;
}

static int info_half_closed(struct rpc_call *call, struct error *err)
{
	struct reflection_stream *s = rpc_state(call);

	s->half_closed = true;
	return 0;
}

static int info_next(struct rpc_call *call, ServerReflectionResponse *ret, struct error *err)
{
	struct reflection_stream *s = rpc_state(call);
	const ServerReflectionRequest *request = s->request;

	s->request = NULL;
	if (request) {
		if (reflection_answer(call->server->reflection, request, ret, rpc_message_arena(call)))
			return RPC_SEND;
		return arena_full(err);
	}
	if (s->half_closed)
		return RPC_END;
	return server_draining(call->server) ? standing_drained(err) : RPC_WAIT;
}

static void info_closed(struct rpc_call *call)
{
	struct reflection_stream *s = rpc_state(call);

	if (!s)
		return;
	standing_remove(&call->server->standing, &s->standing);
	arena_done(&s->arena);
}

static const struct server_reflection_server_reflection_info_stream info = {
	.open = info_open,
	.message = info_message,
	.half_closed = info_half_closed,
	.next = info_next,
	.closed = info_closed,
};

SERVER_REFLECTION_SERVER_REFLECTION_INFO(&info, RPC_ON_POLLER);

/* v1alpha's path with v1's messages. */
static const struct method_desc alpha_method = {
	.name = "ServerReflectionInfo",
	.path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
	.service = &ALPHA_DESC,
	.kind = METHOD_BIDI,
	.request = SERVER_REFLECTION_REQUEST_DESC,
	.response = SERVER_REFLECTION_RESPONSE_DESC,
	.policy = {.access = METHOD_ACCESS_PUBLIC,
		   .rate_class = "",
		   .max_request_bytes = 16 * 1024,
		   .subject = {.source = METHOD_SUBJECT_NONE}},
	.request_id_field = -1,
};

static const struct rpc_row alpha_row = {
	.method = &alpha_method,
	.stream = &server_reflection_server_reflection_info_thunks,
	.callbacks = &info,
	.place = RPC_ON_POLLER,
};

const struct rpc_row *const reflection_rows[] = {
	&server_reflection_row_server_reflection_info,
	&alpha_row,
	NULL,
};
