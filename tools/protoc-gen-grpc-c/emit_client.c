/* SPDX-License-Identifier: Apache-2.0 */
#include "emit.h"

/*
 * The client's side: stubs that give client/client.h the types of one method. A stub's declaration and its
 * definition start with the same text, so that each is written once.
 */

/* --- unary --- */

static const char call_prototype[] =
	"int $prefix$_$method$_call(struct client_channel *channel, const $request$ *request,\n"
	"\tconst struct client_call_options *options, struct arena *arena, $response$ **ret, struct error "
	"*err)";

static const char start_prototype[] =
	"int $prefix$_$method$_start(struct client_channel *channel, const $request$ *request,\n"
	"\tconst struct client_call_options *options, struct arena *arena, $prefix$_$method$_done *done, "
	"void *arg,\n"
	"\tstruct error *err)";

static void put_unary_declarations(struct writer *w)
{
	writer_put(w, call_prototype);
	writer_put(w, "\n\t__attribute__((warn_unused_result));\n"
		      "typedef void $prefix$_$method$_done(void *arg, int r, const $response$ *reply, const "
		      "struct error "
		      "*err);\n");
	writer_put(w, start_prototype);
	writer_put(w, "\n\t__attribute__((warn_unused_result));\n");
}

static void put_unary_definitions(struct writer *w)
{
	writer_put(w, call_prototype);
	writer_put(w, "\n{\n"
		      "\tProtobufCMessage *reply = NULL;\n"
		      "\tint r = client_unary(channel, &$prefix$_methods[$PREFIX$_METHOD_$METHOD$], "
		      "&request->base, "
		      "options,\n"
		      "\t\tarena, &reply, err);\n"
		      "\n"
		      "\tif (r >= 0)\n"
		      "\t\t*ret = ($response$ *)reply;\n"
		      "\treturn r;\n"
		      "}\n\n"
		      "struct $prefix$_$method$_started {\n"
		      "\t$prefix$_$method$_done *done;\n"
		      "\tvoid *arg;\n"
		      "};\n\n"
		      "static void $prefix$_$method$__done(void *arg, int r, const ProtobufCMessage *reply,\n"
		      "\tconst struct error *err)\n"
		      "{\n"
		      "\tstruct $prefix$_$method$_started *s = arg;\n"
		      "\n"
		      "\ts->done(s->arg, r, (const $response$ *)reply, err);\n"
		      "}\n\n");
	writer_put(w, start_prototype);
	writer_put(
		w,
		"\n{\n"
		"\tstruct $prefix$_$method$_started *s = arena_zalloc(arena, sizeof(*s));\n"
		"\n"
		"\tif (!s)\n"
		"\t\treturn error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE, \"the call's arena is full\");\n"
		"\ts->done = done;\n"
		"\ts->arg = arg;\n"
		"\treturn client_call_start(channel, &$prefix$_methods[$PREFIX$_METHOD_$METHOD$], "
		"&request->base,\n"
		"\t\toptions, arena, $prefix$_$method$__done, s, err);\n"
		"}\n\n");
}

/* --- streams --- */

static const char open_prototype[] = "int $prefix$_$method$_open(struct client_channel *channel,\n"
				     "\tconst struct client_call_options *options, struct "
				     "$prefix$_$method$_client **ret, struct error *err)";

/* A server stream takes its one request as it opens. */
static const char open_request_prototype[] =
	"int $prefix$_$method$_open(struct client_channel *channel, const $request$ *request,\n"
	"\tconst struct client_call_options *options, struct $prefix$_$method$_client **ret, struct error "
	"*err)";

static const char send_prototype[] = "int $prefix$_$method$_send(struct $prefix$_$method$_client *stream,\n"
				     "\tconst $request$ *message, struct error *err)";

static const char half_close_prototype[] =
	"int $prefix$_$method$_half_close(struct $prefix$_$method$_client *stream, struct error *err)";

static const char receive_prototype[] =
	"int $prefix$_$method$_receive(struct $prefix$_$method$_client *stream, struct arena *arena,\n"
	"\t$response$ **ret, struct error *err)";

static const char finish_prototype[] =
	"int $prefix$_$method$_finish(struct $prefix$_$method$_client *stream, struct arena *arena,\n"
	"\t$response$ **ret, struct error *err)";

static const char cancel_prototype[] =
	"void $prefix$_$method$_cancel(struct $prefix$_$method$_client *stream)";

static const char free_prototype[] = "void $prefix$_$method$_free(struct $prefix$_$method$_client *stream)";

static void put_declaration(struct writer *w, const char *prototype)
{
	writer_put(w, prototype);
	writer_put(w, "\n\t__attribute__((warn_unused_result));\n");
}

static void put_stream_declarations(struct writer *w, const struct method *method)
{
	bool from_client = method->proto->client_streaming, to_client = method->proto->server_streaming;

	writer_put(w, "struct $prefix$_$method$_client;\n");
	put_declaration(w, from_client ? open_prototype : open_request_prototype);
	if (from_client)
		put_declaration(w, send_prototype);
	if (from_client && to_client)
		put_declaration(w, half_close_prototype);
	if (to_client) {
		writer_put(w,
			   "/* 1 and *ret; 0 when the server ended with OK; negative with its error. */\n");
		put_declaration(w, receive_prototype);
	} else {
		writer_put(w, "/* Half-closes and waits for the answer. */\n");
		put_declaration(w, finish_prototype);
	}
	writer_put(w, cancel_prototype);
	writer_put(w, ";\n");
	writer_put(w, free_prototype);
	writer_put(w, ";\n");
}

static void put_open(struct writer *w, bool from_client)
{
	writer_put(w, from_client ? open_prototype : open_request_prototype);
	writer_put(w, "\n{\n"
		      "\tstruct client_stream *s = NULL;\n"
		      "\tint r = client_stream_open(channel, &$prefix$_methods[$PREFIX$_METHOD_$METHOD$], "
		      "options, &s, "
		      "err);\n"
		      "\n");
	if (!from_client)
		writer_put(w, "\tif (r >= 0)\n"
			      "\t\tr = client_stream_send(s, &request->base, err);\n"
			      "\tif (r >= 0)\n"
			      "\t\tr = client_stream_half_close(s, err);\n");
	writer_put(w, "\tif (r < 0) {\n"
		      "\t\tclient_stream_free(s);\n"
		      "\t\treturn r;\n"
		      "\t}\n"
		      "\t*ret = (struct $prefix$_$method$_client *)s;\n"
		      "\treturn 0;\n"
		      "}\n\n");
}

static void put_receive(struct writer *w)
{
	writer_put(w, receive_prototype);
	writer_put(w,
		   "\n{\n"
		   "\tProtobufCMessage *message = NULL;\n"
		   "\tint r = client_stream_receive((struct client_stream *)stream, arena, &message, err);\n"
		   "\n"
		   "\tif (r > 0)\n"
		   "\t\t*ret = ($response$ *)message;\n"
		   "\treturn r;\n"
		   "}\n\n");
}

/* OK without a message, or with a second one, breaks gRPC's cardinality; the code for both is UNIMPLEMENTED.
 */
static void put_finish(struct writer *w)
{
	writer_put(w, finish_prototype);
	writer_put(
		w,
		"\n{\n"
		"\tstruct client_stream *s = (struct client_stream *)stream;\n"
		"\tProtobufCMessage *reply = NULL, *extra = NULL;\n"
		"\tint r = client_stream_half_close(s, err);\n"
		"\n"
		"\tif (r < 0)\n"
		"\t\treturn r;\n"
		"\tr = client_stream_receive(s, arena, &reply, err);\n"
		"\tif (r < 0)\n"
		"\t\treturn r;\n"
		"\tif (r > 0)\n"
		"\t\tr = client_stream_receive(s, arena, &extra, err);\n"
		"\tif (r < 0)\n"
		"\t\treturn r;\n"
		"\tif (r > 0 || !reply)\n"
		"\t\treturn error_raise(err, &RPC_REASON_METHOD_UNKNOWN,\n"
		"\t\t\t\"the server answered $name$ with %s message\", r > 0 ? \"more than one\" : \"no\");\n"
		"\t*ret = ($response$ *)reply;\n"
		"\treturn 0;\n"
		"}\n\n");
}

static void put_stream_definitions(struct writer *w, const struct method *method)
{
	bool from_client = method->proto->client_streaming, to_client = method->proto->server_streaming;

	put_open(w, from_client);
	if (from_client) {
		writer_put(w, send_prototype);
		writer_put(w, "\n{\n\treturn client_stream_send((struct client_stream *)stream, "
			      "&message->base, err);\n}\n\n");
	}
	if (from_client && to_client) {
		writer_put(w, half_close_prototype);
		writer_put(w, "\n{\n\treturn client_stream_half_close((struct client_stream *)stream, "
			      "err);\n}\n\n");
	}
	if (to_client)
		put_receive(w);
	else
		put_finish(w);
	writer_put(w, cancel_prototype);
	writer_put(w, "\n{\n\tclient_stream_cancel((struct client_stream *)stream);\n}\n\n");
	writer_put(w, free_prototype);
	writer_put(w, "\n{\n\tclient_stream_free((struct client_stream *)stream);\n}\n\n");
}

/* --- the files --- */

void emit_client_header(struct model *m, const struct file *file, struct output *ret)
{
	struct writer w;

	emit_header_start(m, &w, file, "client");
	writer_put(&w,
		   "#include \"$stem$.tables.h\"\n"
		   "#include \"client/client.h\"\n"
		   "\n"
		   "/* client/client.h says what each parameter means, who may call, and what blocks. */\n");
	for (size_t i = 0; i < file->n_services; i++) {
		const struct service *service = &file->services[i];

		emit_set_service(&w, service);
		for (size_t k = 0; k < service->n_methods; k++) {
			emit_set_method(&w, &service->methods[k]);
			writer_put(&w, "\n/* $service$.$name$ */\n");
			if (emit_is_unary(&service->methods[k]))
				put_unary_declarations(&w);
			else
				put_stream_declarations(&w, &service->methods[k]);
		}
	}
	emit_header_end(&w);
	emit_finish(m, &w, file, "client", "h", ret);
}

void emit_client_source(struct model *m, const struct file *file, struct output *ret)
{
	emit_methods_source(m, file, "client", put_unary_definitions, put_stream_definitions, ret);
}
