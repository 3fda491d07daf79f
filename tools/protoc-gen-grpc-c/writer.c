/* SPDX-License-Identifier: Apache-2.0 */
#include "writer.h"

#include <string.h>

#include "memory.h"
#include "proto/runtime/array.h"

void writer_init(struct writer *w)
{
	*w = (struct writer){0};
	w->out = gen_must(open_memstream(&w->text, &w->size));
}

void writer_set(struct writer *w, const char *name, const char *value)
{
	unsigned i = 0;

	while (i < w->n_vars && strcmp(w->vars[i].name, name) != 0)
		i++;
	if (i == ARRAY_SIZE(w->vars))
		abort();
	w->vars[i].name = name;
	w->vars[i].value = value;
	if (i == w->n_vars)
		w->n_vars++;
}

static const char *look_up(const struct writer *w, const char *name, size_t len)
{
	for (unsigned i = 0; i < w->n_vars; i++) {
		if (strlen(w->vars[i].name) == len && memcmp(w->vars[i].name, name, len) == 0)
			return w->vars[i].value;
	}
	fprintf(stderr, "protoc-gen-grpc-c: no value for $%.*s$\n", (int)len, name);
	abort();
}

void writer_put(struct writer *w, const char *template)
{
	const char *dollar;

	while ((dollar = strchr(template, '$'))) {
		size_t len = strcspn(dollar + 1, "$");

		fwrite(template, 1, (size_t)(dollar - template), w->out);
		fputs(look_up(w, dollar + 1, len), w->out);
		template = dollar + len + 2;
	}
	fputs(template, w->out);
}

char *writer_take(struct writer *w, struct arena *a)
{
	if (fclose(w->out) != 0)
		gen_must(NULL);
	char *text = gen_strndup(a, w->text, w->size);
	free(w->text);
	return text;
}
