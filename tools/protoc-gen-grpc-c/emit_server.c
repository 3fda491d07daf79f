/* SPDX-License-Identifier: Apache-2.0 */
#include "emit.h"

/*
 * The server's side. A handler is called through a thunk that knows its real type: calling a function through
 * a pointer of another type is undefined, and a generic handler type would check nothing.
 */

/* --- the header --- */

static void put_unary_declarations(struct writer *w)
{
	writer_put(
		w,
		"typedef int $prefix$_$method$_fn(struct rpc_call *call, const $request$ *req, $response$ "
		"*ret,\n"
		"\tstruct error *err);\n"
		"int $prefix$_$method$_thunk(const struct rpc_row *row, struct rpc_call *call,\n"
		"\tconst ProtobufCMessage *req, ProtobufCMessage *ret, struct error *err);\n"
		"extern const struct rpc_row $prefix$_row_$method$\n"
		"\t__asm__(\"$PREFIX$_$METHOD$__must_serve__$service$.$name$\");\n"
		"#define $PREFIX$_$METHOD$(handler_, place_, ...) \\\n"
		"\tconst struct rpc_row $prefix$_row_$method$ = { \\\n"
		"\t\t.method = &$prefix$_methods[$PREFIX$_METHOD_$METHOD$], \\\n"
		"\t\t.thunk = $prefix$_$method$_thunk, \\\n"
		"\t\t.handler = (rpc_function)_Generic((handler_), $prefix$_$method$_fn *: (handler_)), \\\n"
		"\t\t.place = (place_), __VA_ARGS__ \\\n"
		"\t}\n");
}

/* The callbacks of a kind, typed; server/rpc/call.h says when each is called. */
static void put_callbacks(struct writer *w, const struct method *method)
{
	bool from_client = method->proto->client_streaming, to_client = method->proto->server_streaming;

	writer_put(w, "struct $prefix$_$method$_stream {\n");
	writer_put(
		w,
		from_client
			? "\tint (*open)(struct rpc_call *call, struct error *err);\n"
			: "\tint (*open)(struct rpc_call *call, const $request$ *req, struct error *err);\n");
	if (from_client)
		writer_put(w, "\tint (*message)(struct rpc_call *call, const $request$ *message, struct "
			      "error *err);\n");
	if (from_client)
		writer_put(w, to_client ? "\tint (*half_closed)(struct rpc_call *call, struct error *err);\n"
					: "\tint (*half_closed)(struct rpc_call *call, $response$ *ret, "
					  "struct error *err);\n");
	if (to_client)
		writer_put(w, "\tint (*next)(struct rpc_call *call, $response$ *ret, struct error *err);\n");
	writer_put(w, "\tvoid (*closed)(struct rpc_call *call);\n"
		      "};\n");
}

static void put_stream_declarations(struct writer *w, const struct method *method)
{
	put_callbacks(w, method);
	writer_put(w, "extern const struct rpc_stream $prefix$_$method$_thunks;\n"
		      "extern const struct rpc_row $prefix$_row_$method$\n"
		      "\t__asm__(\"$PREFIX$_$METHOD$__must_serve__$service$.$name$\");\n"
		      "#define $PREFIX$_$METHOD$(callbacks_, place_, ...) \\\n"
		      "\tconst struct rpc_row $prefix$_row_$method$ = { \\\n"
		      "\t\t.method = &$prefix$_methods[$PREFIX$_METHOD_$METHOD$], \\\n"
		      "\t\t.stream = &$prefix$_$method$_thunks, \\\n"
		      "\t\t.callbacks = _Generic((callbacks_), \\\n"
		      "\t\t\tconst struct $prefix$_$method$_stream *: (callbacks_), \\\n"
		      "\t\t\tstruct $prefix$_$method$_stream *: (callbacks_)), \\\n"
		      "\t\t.place = (place_), __VA_ARGS__ \\\n"
		      "\t}\n");
}

static void put_rows(struct writer *w, const struct service *service)
{
	writer_put(w, "\n/* Every row of $service$: a method that nobody serves is missing when the program "
		      "is linked. */\n"
		      "#define $PREFIX$_ROWS \\\n"
		      "\t{ \\\n");
	for (size_t i = 0; i < service->n_methods; i++) {
		emit_set_method(w, &service->methods[i]);
		writer_put(w, "\t\t&$prefix$_row_$method$, \\\n");
	}
	writer_put(w, "\t\tNULL, \\\n"
		      "\t}\n");
}

static void put_service_header(struct writer *w, const struct service *service)
{
	emit_set_service(w, service);
	for (size_t i = 0; i < service->n_methods; i++) {
		emit_set_method(w, &service->methods[i]);
		writer_put(w, "\n/* $service$.$name$ */\n");
		if (emit_is_unary(&service->methods[i]))
			put_unary_declarations(w);
		else
			put_stream_declarations(w, &service->methods[i]);
	}
	put_rows(w, service);
}

void emit_server_header(struct model *m, const struct file *file, struct output *ret)
{
	struct writer w;

	emit_header_start(m, &w, file, "server");
	writer_put(&w, "#include \"$stem$.tables.h\"\n"
		       "#include \"server/rpc/call.h\"\n");
	for (size_t i = 0; i < file->n_services; i++)
		put_service_header(&w, &file->services[i]);
	emit_header_end(&w);
	emit_finish(m, &w, file, "server", "h", ret);
}

/* --- the source --- */

static void put_unary_thunk(struct writer *w)
{
	writer_put(w, "int $prefix$_$method$_thunk(const struct rpc_row *row, struct rpc_call *call,\n"
		      "\tconst ProtobufCMessage *req, ProtobufCMessage *ret, struct error *err)\n"
		      "{\n"
		      "\treturn (($prefix$_$method$_fn *)row->handler)(call, (const $request$ *)req, "
		      "($response$ *)ret, "
		      "err);\n"
		      "}\n\n");
}

static void put_callback_thunk(struct writer *w, const char *callback, const char *generic,
			       const char *arguments, const char *otherwise)
{
	writer_set(w, "callback", callback);
	writer_set(w, "generic", generic);
	writer_set(w, "arguments", arguments);
	writer_set(w, "otherwise", otherwise);
	writer_put(
		w,
		"static int $prefix$_$method$__$callback$(const struct rpc_row *row, struct rpc_call *call,\n"
		"\t$generic$, struct error *err)\n"
		"{\n"
		"\tconst struct $prefix$_$method$_stream *s = row->callbacks;\n"
		"\n"
		"\treturn s->$callback$ ? s->$callback$(call");
	writer_put(w, arguments);
	writer_put(w, ", err) : $otherwise$;\n"
		      "}\n\n");
}

static void put_stream_thunks(struct writer *w, const struct method *method)
{
	bool from_client = method->proto->client_streaming, to_client = method->proto->server_streaming;

	put_callback_thunk(w, "open", "const ProtobufCMessage *req",
			   from_client ? "" : ", (const $request$ *)req", "0");
	if (from_client)
		put_callback_thunk(w, "message", "const ProtobufCMessage *message",
				   ", (const $request$ *)message", "0");
	if (from_client)
		put_callback_thunk(w, "half_closed", "ProtobufCMessage *ret",
				   to_client ? "" : ", ($response$ *)ret", "0");
	if (to_client)
		put_callback_thunk(w, "next", "ProtobufCMessage *ret", ", ($response$ *)ret", "RPC_END");
	writer_put(w,
		   "static void $prefix$_$method$__closed(const struct rpc_row *row, struct rpc_call *call)\n"
		   "{\n"
		   "\tconst struct $prefix$_$method$_stream *s = row->callbacks;\n"
		   "\n"
		   "\tif (s->closed)\n"
		   "\t\ts->closed(call);\n"
		   "}\n\n"
		   "const struct rpc_stream $prefix$_$method$_thunks = {\n"
		   "\t.open = $prefix$_$method$__open,\n");
	if (from_client)
		writer_put(w, "\t.message = $prefix$_$method$__message,\n"
			      "\t.half_closed = $prefix$_$method$__half_closed,\n");
	if (to_client)
		writer_put(w, "\t.next = $prefix$_$method$__next,\n");
	writer_put(w, "\t.closed = $prefix$_$method$__closed,\n"
		      "};\n\n");
}

void emit_server_source(struct model *m, const struct file *file, struct output *ret)
{
	emit_methods_source(m, file, "server", put_unary_thunk, put_stream_thunks, ret);
}
