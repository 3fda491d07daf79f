/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/docs.h"

#include <ctype.h>
#include <google/protobuf/descriptor.pb-c.h>
#include <stdlib.h>

#include "client/cli/names.h"

/* A comment is found by a path of field numbers and indices from the FileDescriptorProto (descriptor.proto).
 */
enum {
	FILE_MESSAGE = 4,
	FILE_ENUM = 5,
	FILE_SERVICE = 6,
	FILE_SYNTAX = 12,
	MESSAGE_FIELD = 2,
	MESSAGE_NESTED = 3,
	ENUM_VALUE = 2,
	SERVICE_METHOD = 2,
	PLACE_MAX = 16,
};

struct docs {
	Google__Protobuf__FileDescriptorSet *set;
};

struct place {
	const Google__Protobuf__FileDescriptorProto *file;
	int32_t at[PLACE_MAX];
	size_t n;
};

static void place_push(struct place *p, int32_t field, size_t index)
{
	if (p->n + 2 > PLACE_MAX)
		return;
	p->at[p->n++] = field;
	p->at[p->n++] = (int32_t)index;
}

int docs_new(const struct service_desc *service, struct docs **ret, struct error *err)
{
	struct docs *d = calloc(1, sizeof(*d));
	if (!d)
		return error_internal(err, "no memory for the contract's comments");
	/* The bytes are our own, so protobuf-c's lack of limits does no harm. */
	d->set = google__protobuf__file_descriptor_set__unpack(NULL, service->descriptor_set.len,
							       service->descriptor_set.data);
	if (!d->set) {
		free(d);
		return error_internal(err, "the descriptor set of %s cannot be read", service->name);
	}
	*ret = d;
	return 0;
}

void docs_free(struct docs *d)
{
	if (!d)
		return;
	google__protobuf__file_descriptor_set__free_unpacked(d->set, NULL);
	free(d);
}

/* --- a comment's text --- */

/* Lines that begin something new keep their own line. */
static bool line_begins(const char *line)
{
	return strncmp(line, "- ", 2) == 0 || strncmp(line, "Errors:", 7) == 0 || *line == '\n' ||
	       *line == '\0';
}

static const char *comment_unwrap(const char *comment, struct arena *arena)
{
	char *out = arena_alloc(arena, strlen(comment) + 1);
	size_t n = 0;

	if (!out)
		return "";
	while (*comment) {
		while (*comment == ' ')
			comment++;
		char joint = line_begins(comment) || (n > 0 && out[n - 1] == '\n') ? '\n' : ' ';
		if (n > 0)
			out[n++] = joint;
		while (*comment && *comment != '\n')
			out[n++] = *comment++;
		if (*comment)
			comment++;
	}
	while (n > 0 && isspace((unsigned char)out[n - 1]))
		n--;
	out[n] = '\0';
	return out;
}

static const char *place_comment(const struct place *p, struct arena *arena)
{
	const Google__Protobuf__SourceCodeInfo *info = p->file->source_code_info;

	for (size_t i = 0; info && i < info->n_location; i++) {
		const Google__Protobuf__SourceCodeInfo__Location *l = info->location[i];
		if (l->n_path == p->n && memcmp(l->path, p->at, p->n * sizeof(p->at[0])) == 0)
			return l->leading_comments ? comment_unwrap(l->leading_comments, arena) : "";
	}
	return "";
}

/* --- finding things --- */

/* What is left of a full name after "scope.", or NULL. */
static __attribute__((nonnull(1))) const char *name_within(const char *full, const char *scope)
{
	size_t n = scope ? strlen(scope) : 0;

	if (n == 0)
		return full;
	return strncmp(full, scope, n) == 0 && full[n] == '.' ? full + n + 1 : NULL;
}

static const Google__Protobuf__DescriptorProto *find_in(Google__Protobuf__DescriptorProto *const *list,
							size_t n, const char *rest, int32_t field,
							struct place *p)
{
	for (size_t i = 0; i < n; i++) {
		struct place deeper = *p;

		place_push(&deeper, field, i);
		if (strcmp(list[i]->name, rest) == 0) {
			*p = deeper;
			return list[i];
		}
		const char *inner = name_within(rest, list[i]->name);
		const Google__Protobuf__DescriptorProto *found =
			inner ? find_in(list[i]->nested_type, list[i]->n_nested_type, inner, MESSAGE_NESTED,
					&deeper)
			      : NULL;
		if (found) {
			*p = deeper;
			return found;
		}
	}
	return NULL;
}

static const Google__Protobuf__DescriptorProto *find_message(const struct docs *d, const char *full,
							     struct place *p)
{
	for (size_t i = 0; i < d->set->n_file; i++) {
		const Google__Protobuf__FileDescriptorProto *file = d->set->file[i];
		const char *rest = name_within(full, file->package);

		*p = (struct place){.file = file};
		const Google__Protobuf__DescriptorProto *found =
			rest ? find_in(file->message_type, file->n_message_type, rest, FILE_MESSAGE, p)
			     : NULL;
		if (found)
			return found;
	}
	return NULL;
}

static const Google__Protobuf__ServiceDescriptorProto *find_service(const struct docs *d, const char *full,
								    struct place *p)
{
	for (size_t i = 0; i < d->set->n_file; i++) {
		const Google__Protobuf__FileDescriptorProto *file = d->set->file[i];
		const char *rest = name_within(full, file->package);

		for (size_t j = 0; rest && j < file->n_service; j++) {
			if (strcmp(file->service[j]->name, rest) != 0)
				continue;
			*p = (struct place){.file = file};
			place_push(p, FILE_SERVICE, j);
			return file->service[j];
		}
	}
	return NULL;
}

const char *docs_method(const struct docs *d, const struct method_desc *method, struct arena *arena)
{
	struct place p;
	const Google__Protobuf__ServiceDescriptorProto *service = find_service(d, method->service->name, &p);

	for (size_t i = 0; service && i < service->n_method; i++) {
		if (strcmp(service->method[i]->name, method->name) == 0) {
			place_push(&p, SERVICE_METHOD, i);
			return place_comment(&p, arena);
		}
	}
	return "";
}

const char *docs_group(const struct docs *d, const char *message, struct arena *arena)
{
	struct place p;

	if (!find_message(d, message, &p))
		return "";
	p.at[0] = FILE_SYNTAX;
	p.n = 1;
	const char *text = place_comment(&p, arena);
	const char *title = arena_strndup(arena, text, strcspn(text, ".\n"));
	return title ? title : "";
}

const char *docs_field(const struct docs *d, const char *message, const char *field, struct arena *arena)
{
	struct place p;
	const Google__Protobuf__DescriptorProto *m = find_message(d, message, &p);

	for (size_t i = 0; m && i < m->n_field; i++) {
		if (strcmp(m->field[i]->name, field) == 0) {
			place_push(&p, MESSAGE_FIELD, i);
			return place_comment(&p, arena);
		}
	}
	return "";
}

/* --- error reasons --- */

/* By buf's style a value carries its enum's name: ERROR_REASON_COURSE_NOT_FOUND. */
static bool value_is_reason(const char *value, const char *enum_name, const char *reason)
{
	char prefix[NAME_SIZE];

	name_upper_snake(enum_name, prefix);
	size_t n = strlen(prefix);
	return strncmp(value, prefix, n) == 0 && value[n] == '_' && strcmp(value + n + 1, reason) == 0;
}

/* Only an enum called ErrorReason lists reasons; another enum's value may well have the same last words. */
static bool reason_find(const struct docs *d, const char *reason, struct place *p)
{
	for (size_t i = 0; i < d->set->n_file; i++) {
		const Google__Protobuf__FileDescriptorProto *file = d->set->file[i];

		for (size_t j = 0; j < file->n_enum_type; j++) {
			const Google__Protobuf__EnumDescriptorProto *e = file->enum_type[j];
			for (size_t k = 0; strcmp(e->name, "ErrorReason") == 0 && k < e->n_value; k++) {
				if (!value_is_reason(e->value[k]->name, e->name, reason))
					continue;
				*p = (struct place){.file = file};
				place_push(p, FILE_ENUM, j);
				place_push(p, ENUM_VALUE, k);
				return true;
			}
		}
	}
	return false;
}

const char *docs_reason(const struct docs *d, const char *reason, struct arena *arena)
{
	struct place p;

	if (!reason_find(d, reason, &p))
		return "";
	const char *text = place_comment(&p, arena);
	size_t status = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	return status > 2 && strncmp(text + status, ". ", 2) == 0 ? text + status + 2 : text;
}
