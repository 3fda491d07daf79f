/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/descriptor_index.h"

#include <stdlib.h>

#include "google/protobuf/descriptor.pb-c.h"
#include "proto/runtime/array.h"

enum { INDEX_ARENA_CAP = 64 * 1024 * 1024, FILES_MAX = 256 };

typedef Google__Protobuf__FileDescriptorProto file_proto;
typedef Google__Protobuf__DescriptorProto message_proto;
typedef Google__Protobuf__EnumDescriptorProto enum_proto;
typedef Google__Protobuf__FieldDescriptorProto field_proto;
typedef Google__Protobuf__ServiceDescriptorProto service_proto;

struct symbol {
	const char *name;
	const struct descriptor_file *file;
};

struct extension {
	const char *type;
	int32_t number;
	const struct descriptor_file *file;
};

struct descriptor_index {
	struct arena arena; /* all names and files */
	struct descriptor_file *files[FILES_MAX];
	unsigned n_files;
	struct symbol *symbols; /* by name */
	size_t n_symbols, symbols_room;
	struct extension *extensions; /* by type, then number */
	size_t n_extensions, extensions_room;
	bool failed; /* something did not fit: the index is not to be used */
};

/* --- gathering --- */

/* Room for one more item; NULL when out of memory. */
static void *array_more(void *array, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 64;

	if (n < *room)
		return array;
	array = reallocarray(array, more, size);
	if (array)
		*room = more;
	return array;
}

static void symbol_add(struct descriptor_index *ix, const struct descriptor_file *file, const char *name)
{
	struct symbol *symbols = array_more(ix->symbols, ix->n_symbols, &ix->symbols_room, sizeof(*symbols));

	if (!symbols || !name) {
		ix->failed = true;
		return;
	}
	ix->symbols = symbols;
	symbols[ix->n_symbols++] = (struct symbol){.name = name, .file = file};
}

/* Adds scope.name and returns it. */
static const char *symbol_in(struct descriptor_index *ix, const struct descriptor_file *file,
			     const char *scope, const char *name)
{
	const char *full =
		*scope ? arena_printf(&ix->arena, "%s.%s", scope, name) : arena_strdup(&ix->arena, name);

	symbol_add(ix, file, full);
	return full ? full : "";
}

static void extension_add(struct descriptor_index *ix, const struct descriptor_file *file,
			  const field_proto *field)
{
	struct extension *extensions =
		array_more(ix->extensions, ix->n_extensions, &ix->extensions_room, sizeof(*extensions));
	const char *type = field->extendee ? field->extendee : "";

	type = arena_strdup(&ix->arena, *type == '.' ? type + 1 : type);
	if (!extensions || !type) {
		ix->failed = true;
		return;
	}
	ix->extensions = extensions;
	extensions[ix->n_extensions++] =
		(struct extension){.type = type, .number = field->number, .file = file};
}

/* An enum's values stand beside it, not in it (C++ scoping rules). */
static void enum_add(struct descriptor_index *ix, const struct descriptor_file *file, const char *scope,
		     const enum_proto *proto)
{
	symbol_in(ix, file, scope, proto->name);
	for (size_t i = 0; i < proto->n_value; i++)
		symbol_in(ix, file, scope, proto->value[i]->name);
}

static void extensions_add(struct descriptor_index *ix, const struct descriptor_file *file, const char *scope,
			   field_proto *const *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		symbol_in(ix, file, scope, fields[i]->name);
		extension_add(ix, file, fields[i]);
	}
}

/* Recurses as deep as the contract's own messages are nested. */
static void message_add(struct descriptor_index *ix, const struct descriptor_file *file, const char *scope,
			const message_proto *proto)
{
	const char *name = symbol_in(ix, file, scope, proto->name);

	for (size_t i = 0; i < proto->n_field; i++)
		symbol_in(ix, file, name, proto->field[i]->name);
	for (size_t i = 0; i < proto->n_oneof_decl; i++)
		symbol_in(ix, file, name, proto->oneof_decl[i]->name);
	for (size_t i = 0; i < proto->n_enum_type; i++)
		enum_add(ix, file, name, proto->enum_type[i]);
	for (size_t i = 0; i < proto->n_nested_type; i++)
		message_add(ix, file, name, proto->nested_type[i]);
	extensions_add(ix, file, name, proto->extension, proto->n_extension);
}

static void service_add(struct descriptor_index *ix, const struct descriptor_file *file, const char *scope,
			const service_proto *proto)
{
	const char *name = symbol_in(ix, file, scope, proto->name);

	for (size_t i = 0; i < proto->n_method; i++)
		symbol_in(ix, file, name, proto->method[i]->name);
}

static void symbols_add(struct descriptor_index *ix, const struct descriptor_file *file,
			const file_proto *proto)
{
	const char *package = proto->package ? proto->package : "";

	for (size_t i = 0; i < proto->n_message_type; i++)
		message_add(ix, file, package, proto->message_type[i]);
	for (size_t i = 0; i < proto->n_enum_type; i++)
		enum_add(ix, file, package, proto->enum_type[i]);
	for (size_t i = 0; i < proto->n_service; i++)
		service_add(ix, file, package, proto->service[i]);
	extensions_add(ix, file, package, proto->extension, proto->n_extension);
}

/* Imports come before the file that imports them; what is missing in the set is left out. */
static const struct descriptor_file *const *imports_find(struct descriptor_index *ix, const file_proto *proto)
{
	const struct descriptor_file **imports =
		arena_array(&ix->arena, proto->n_dependency + 1, sizeof(*imports));
	size_t n = 0;

	for (size_t i = 0; imports && i < proto->n_dependency; i++) {
		const struct descriptor_file *file = descriptor_index_file(ix, proto->dependency[i]);

		if (file)
			imports[n++] = file;
	}
	return imports;
}

static void proto_add(struct descriptor_index *ix, const file_proto *proto, struct span bytes)
{
	if (!proto->name || descriptor_index_file(ix, proto->name))
		return;
	struct descriptor_file *file =
		ix->n_files < FILES_MAX ? arena_zalloc(&ix->arena, sizeof(*file)) : NULL;
	if (!file) {
		ix->failed = true;
		return;
	}
	file->name = arena_strdup(&ix->arena, proto->name);
	file->bytes = bytes;
	file->imports = imports_find(ix, proto);
	file->index = ix->n_files;
	if (!file->name || !file->imports) {
		ix->failed = true;
		return;
	}
	ix->files[ix->n_files++] = file;
	symbols_add(ix, file, proto);
}

static void file_add(struct descriptor_index *ix, struct span bytes)
{
	file_proto *proto = google__protobuf__file_descriptor_proto__unpack(NULL, bytes.len, bytes.data);

	if (!proto) {
		ix->failed = true;
		return;
	}
	proto_add(ix, proto, bytes);
	google__protobuf__file_descriptor_proto__free_unpacked(proto, NULL);
}

/* Takes "field 1, length, bytes" off a FileDescriptorSet, so that each file's bytes are served exactly as
 * they are. */
static bool set_next(struct span *set, struct span *ret)
{
	uint64_t len = 0;
	size_t at = 1;

	if (set->len < 2 || set->data[0] != 0x0a)
		return false;
	for (unsigned shift = 0; shift < 35; shift += 7) {
		if (at == set->len)
			return false;
		len |= (uint64_t)(set->data[at] & 0x7f) << shift;
		if (!(set->data[at++] & 0x80))
			break;
	}
	if (len > set->len - at)
		return false;
	*ret = span_of(set->data + at, (size_t)len);
	*set = span_of(set->data + at + len, set->len - at - (size_t)len);
	return true;
}

static void set_add(struct descriptor_index *ix, struct span set)
{
	struct span file;

	while (set.len > 0 && !ix->failed) {
		if (!set_next(&set, &file))
			ix->failed = true;
		else
			file_add(ix, file);
	}
}

/* --- order --- */

static int symbol_order(const void *a, const void *b)
{
	return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

static int extension_order(const void *a, const void *b)
{
	const struct extension *x = a, *y = b;
	int order = strcmp(x->type, y->type);

	return order ? order : ORDER(x->number, y->number);
}

static void index_sort(struct descriptor_index *ix)
{
	if (ix->n_symbols > 0)
		qsort(ix->symbols, ix->n_symbols, sizeof(*ix->symbols), symbol_order);
	if (ix->n_extensions > 0)
		qsort(ix->extensions, ix->n_extensions, sizeof(*ix->extensions), extension_order);
}

int descriptor_index_new(const struct service_desc *const *services, struct descriptor_index **ret,
			 struct error *err)
{
	struct descriptor_index *ix = calloc(1, sizeof(*ix));

	if (!ix)
		return error_internal(err, "out of memory");
	arena_init(&ix->arena, INDEX_ARENA_CAP);
	for (; *services; services++)
		set_add(ix, (*services)->descriptor_set);
	set_add(ix, status_descriptor_set);
	if (ix->failed) {
		descriptor_index_free(ix);
		return error_internal(err, "an embedded descriptor set cannot be read");
	}
	index_sort(ix);
	*ret = ix;
	return 0;
}

void descriptor_index_free(struct descriptor_index *ix)
{
	if (!ix)
		return;
	free(ix->symbols);
	free(ix->extensions);
	arena_done(&ix->arena);
	free(ix);
}

/* --- asking --- */

unsigned descriptor_index_files(const struct descriptor_index *ix)
{
	return ix->n_files;
}

const struct descriptor_file *descriptor_index_file(const struct descriptor_index *ix, const char *name)
{
	for (unsigned i = 0; i < ix->n_files; i++) {
		if (strcmp(ix->files[i]->name, name) == 0)
			return ix->files[i];
	}
	return NULL;
}

const struct descriptor_file *descriptor_index_symbol(const struct descriptor_index *ix, const char *symbol)
{
	const struct symbol key = {.name = symbol}, *found = NULL;

	if (ix->n_symbols > 0)
		found = bsearch(&key, ix->symbols, ix->n_symbols, sizeof(key), symbol_order);
	return found ? found->file : NULL;
}

const struct descriptor_file *descriptor_index_extension(const struct descriptor_index *ix, const char *type,
							 int32_t number)
{
	const struct extension key = {.type = type, .number = number}, *found = NULL;

	if (ix->n_extensions > 0)
		found = bsearch(&key, ix->extensions, ix->n_extensions, sizeof(key), extension_order);
	return found ? found->file : NULL;
}

bool descriptor_index_extensions(const struct descriptor_index *ix, const char *type, struct arena *arena,
				 int32_t **ret, size_t *ret_n)
{
	size_t n = 0;

	if (!descriptor_index_symbol(ix, type))
		return false;
	int32_t *numbers = arena_array(arena, ix->n_extensions + 1, sizeof(*numbers));
	if (!numbers)
		return false;
	for (size_t i = 0; i < ix->n_extensions; i++) {
		if (strcmp(ix->extensions[i].type, type) == 0)
			numbers[n++] = ix->extensions[i].number;
	}
	*ret = numbers;
	*ret_n = n;
	return true;
}
