/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_DESCRIPTOR_INDEX_H
#define RPC_DESCRIPTOR_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/service.h"

/*
 * Which .proto file declares what, over the embedded descriptor sets of some services. Made once, then only
 * read, from any thread. Names are fully qualified, without a leading dot.
 */
struct descriptor_index;

struct descriptor_file {
	const char *name;
	struct span bytes;                            /* the packed FileDescriptorProto, as it was embedded */
	const struct descriptor_file *const *imports; /* NULL-terminated */
	unsigned index;                               /* among all files, from 0 */
};

/* The packed FileDescriptorSet of google.rpc.Status and its details, which travel in every error. */
extern const struct span status_descriptor_set;

/* `services` is NULL-terminated; the error details are indexed with them. INTERNAL when a descriptor set is
 * broken. */
int descriptor_index_new(const struct service_desc *const *services, struct descriptor_index **ret,
			 struct error *err) __attribute__((warn_unused_result));
void descriptor_index_free(struct descriptor_index *ix); /* NULL is fine */

unsigned descriptor_index_files(const struct descriptor_index *ix);

/* The file of this name, or that declares this symbol or extension; NULL when there is none. */
const struct descriptor_file *descriptor_index_file(const struct descriptor_index *ix, const char *name);
const struct descriptor_file *descriptor_index_symbol(const struct descriptor_index *ix, const char *symbol);
const struct descriptor_file *descriptor_index_extension(const struct descriptor_index *ix, const char *type,
							 int32_t number);

/* The numbers that extend a type, in the arena; how many in *ret_n. False when the type is unknown or memory
 * ran out. */
bool descriptor_index_extensions(const struct descriptor_index *ix, const char *type, struct arena *arena,
				 int32_t **ret, size_t *ret_n) __attribute__((warn_unused_result));

#endif
