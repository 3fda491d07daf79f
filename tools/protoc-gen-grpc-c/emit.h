/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_EMIT_H
#define GEN_EMIT_H

#include "model.h"
#include "writer.h"

/* A generated file. */
struct output {
	const char *path;
	char *text;
};

/* X.tables.h and X.tables.c: names, rules, methods, descriptors. */
void emit_tables_header(struct model *m, const struct file *file, struct output *ret);
void emit_tables_source(struct model *m, const struct file *file, struct output *ret);

/* X.server.h and X.server.c: typed handlers and their rows. */
void emit_server_header(struct model *m, const struct file *file, struct output *ret);
void emit_server_source(struct model *m, const struct file *file, struct output *ret);

/* X.client.h and X.client.c: typed stubs. */
void emit_client_header(struct model *m, const struct file *file, struct output *ret);
void emit_client_source(struct model *m, const struct file *file, struct output *ret);

/* --- shared by the emitters --- */

/* The macro that keeps a header from being read twice. */
char *emit_guard(struct model *m, const struct file *file, const char *part);

/* Starts a header `stem`.`part`.h: licence, origin, include guard. */
void emit_header_start(struct model *m, struct writer *w, const struct file *file, const char *part);
void emit_header_end(struct writer *w);

/* Starts a source: licence, origin, and the include of its own header. */
void emit_source_start(struct writer *w, const struct file *file, const char *part);

/* Ends a writer into an output called `stem`.`part`.`extension`. */
void emit_finish(struct model *m, struct writer *w, const struct file *file, const char *part,
		 const char *extension, struct output *ret);

bool emit_is_unary(const struct method *method);

/* The whole source `stem`.`part`.c: for each method what `unary` or `stream` writes, by its kind. */
void emit_methods_source(struct model *m, const struct file *file, const char *part,
			 void (*unary)(struct writer *w),
			 void (*stream)(struct writer *w, const struct method *method), struct output *ret);

/* Includes that the types this file speaks of need: tables of ours, protobuf-c headers of the others. */
void emit_includes(struct model *m, struct writer *w, const struct file *file);

/* Sets prefix, PREFIX, service, method, METHOD, name, request, response. */
void emit_set_service(struct writer *w, const struct service *service);
void emit_set_method(struct writer *w, const struct method *method);

/* "{1,2,...}" of the packed FileDescriptorSet of the file and all it imports, dependencies first; and its
 * length. */
void emit_descriptor_set(struct model *m, struct writer *w, const struct file *file);

/* A C string literal. */
char *emit_quoted(struct model *m, const char *text);

#endif
