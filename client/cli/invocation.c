/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/invocation.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/flags.h"
#include "client/cli/names.h"

const struct own_command own_commands[] = {
	{"help", "Explain edu, or one command: edu help create-course."},
	{"forget",
	 "Forget the kept session of this target and profile. It goes on at the server until it ends."},
	{"service-config", "Print the gRPC service config (JSON) with the retry policy of the contract."},
	{"version", "Print the version."},
	{NULL, NULL},
};

/* One flag of the request, kept until the base is known. */
struct given {
	struct flag_path path;
	const char *name, *value;
	char name_copy[NAME_SIZE];
};

struct reader {
	const struct service_desc *service;
	char **argv;
	int argc, at;
	struct given *given;
	struct invocation *out;
};

const struct method_desc *invocation_method(const struct service_desc *service, const char *command)
{
	char kebab[NAME_SIZE];

	for (unsigned i = 0; i < service->n_methods; i++) {
		name_kebab(service->methods[i].name, kebab);
		if (strcmp(kebab, command) == 0)
			return &service->methods[i];
	}
	return NULL;
}

static bool command_is_own(const char *command)
{
	for (const struct own_command *own = own_commands; own->name; own++) {
		if (strcmp(own->name, command) == 0)
			return true;
	}
	return false;
}

/* --- what was probably meant --- */

static int unknown_command(const struct reader *r, const char *command, struct error *err)
{
	struct name_guess guess;
	char kebab[NAME_SIZE];

	name_guess_begin(&guess, command);
	for (unsigned i = 0; i < r->service->n_methods; i++) {
		name_kebab(r->service->methods[i].name, kebab);
		name_guess_offer(&guess, kebab);
	}
	for (const struct own_command *own = own_commands; own->name; own++)
		name_guess_offer(&guess, own->name);
	const char *near = name_guess_end(&guess);
	return error_raise(err, &RPC_REASON_FIELD_INVALID, "there is no command \"%s\"; %s%s%s", command,
			   near ? "did you mean \"edu " : "see edu help", near ? near : "",
			   near ? "\"?" : "");
}

static void offer_flag(void *arg, const char *name, const ProtobufCMessageDescriptor *message,
		       const ProtobufCFieldDescriptor *field)
{
	const char *last = strrchr(name, '.');

	name_guess_offer(arg, name);
	if (last)
		name_guess_offer(arg, last + 1);
}

static void offer_option(void *arg, const char *name, const char *shape, const char *help)
{
	name_guess_offer(arg, name);
}

static int unknown_flag(const struct reader *r, const char *name, struct error *err)
{
	const struct method_desc *method = r->out->method;
	struct name_guess guess;

	name_guess_begin(&guess, name);
	options_visit(offer_option, &guess);
	if (method)
		flags_visit(method->request, offer_flag, &guess);
	const char *near = name_guess_end(&guess);
	return error_raise(err, &RPC_REASON_FIELD_INVALID, "there is no flag --%s; %s%s%s", name,
			   near              ? "did you mean --"
			   : r->out->command ? "see edu help "
					     : "see edu help",
			   near              ? near
			   : r->out->command ? r->out->command
					     : "",
			   near ? "?" : "");
}

/* --- words --- */

/* True for "--NAME" and "--NAME=VALUE" of a flag there is: no value, but what follows an empty variable of a
 * shell. */
static bool names_flag(const struct reader *r, const char *word)
{
	char name[NAME_SIZE];
	struct flag_path path;
	bool takes_value;
	size_t n = strcspn(word, "=");

	if (strncmp(word, "--", 2) != 0 || n - 2 >= sizeof(name))
		return false;
	memcpy(name, word + 2, n - 2);
	name[n - 2] = '\0';
	return option_find(name, &takes_value) ||
	       (r->out->method && flag_find(r->out->method->request, name, &path));
}

/* The word after the flag. */
static int take_value(struct reader *r, const char *name, const char **ret, struct error *err)
{
	if (r->at == r->argc)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "--%s needs a value", name);
	if (names_flag(r, r->argv[r->at]))
		return error_raise(err, &RPC_REASON_FIELD_INVALID,
				   "--%s needs a value; if %.64s is meant to be it, write --%s=%.64s", name,
				   r->argv[r->at], name, r->argv[r->at]);
	*ret = r->argv[r->at++];
	return 0;
}

static int read_option(struct reader *r, const char *name, const char *value, bool takes_value,
		       struct error *err)
{
	if (!takes_value && value)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "--%s takes no value", name);
	int e = takes_value && !value ? take_value(r, name, &value, err) : 0;
	return e < 0 ? e : option_set(&r->out->options, name, value, err);
}

/* A switch takes a value only after "=", or else it would swallow the next flag's command. */
static int read_field(struct reader *r, const struct flag_path *path, const char *name, const char *value,
		      struct error *err)
{
	if (!value && !flag_is_switch(path)) {
		int e = take_value(r, name, &value, err);
		if (e < 0)
			return e;
	}
	struct given *given = &r->given[r->out->n_flags++];
	given->path = *path;
	given->value = value;
	memcpy(given->name_copy, name, strlen(name) + 1);
	given->name = given->name_copy;
	return 0;
}

/* A field of the request wins over an option of the same name. */
static int read_flag(struct reader *r, const char *word, struct error *err)
{
	const char *equals = strchr(word, '=');
	size_t n = equals ? (size_t)(equals - word) : strlen(word);
	char name[NAME_SIZE];
	struct flag_path path;
	bool takes_value;

	if (n == 0 || n >= sizeof(name))
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "\"--%.64s\" is no flag", word);
	memcpy(name, word, n);
	name[n] = '\0';
	const char *value = equals ? equals + 1 : NULL;
	if (r->out->method && flag_find(r->out->method->request, name, &path))
		return read_field(r, &path, name, value, err);
	if (option_find(name, &takes_value))
		return read_option(r, name, value, takes_value, err);
	return unknown_flag(r, name, err);
}

static int read_word(struct reader *r, const char *word, struct error *err)
{
	struct invocation *out = r->out;

	if (out->command && strcmp(out->command, "help") == 0 && !out->topic) {
		out->topic = word;
		return 0;
	}
	if (out->command)
		return error_raise(
			err, &RPC_REASON_FIELD_INVALID,
			"\"%.64s\" is not expected here: values come after the flag of their field", word);
	out->command = word;
	out->method = invocation_method(r->service, word);
	if (!out->method && !command_is_own(word))
		return unknown_command(r, word, err);
	return 0;
}

static int read_words(struct reader *r, struct error *err)
{
	int e = 0;

	while (e == 0 && r->at < r->argc) {
		const char *word = r->argv[r->at++];

		if (strncmp(word, "--", 2) == 0)
			e = read_flag(r, word + 2, err);
		else if (strcmp(word, "-h") == 0)
			r->out->options.help = true;
		else if (word[0] == '-' && word[1])
			e = error_raise(err, &RPC_REASON_FIELD_INVALID, "flags have two dashes: -%s", word);
		else
			e = read_word(r, word, err);
	}
	return e;
}

static int request_set(const struct reader *r, bool amounts, struct error *err)
{
	int e = 0;

	for (unsigned i = 0; e == 0 && i < r->out->n_flags; i++) {
		const struct given *given = &r->given[i];
		if (flag_is_amount(&given->path) == amounts)
			e = flag_set(r->out->request, &given->path, given->name, given->value, err);
	}
	return e;
}

static int request_build(struct reader *r, invocation_base base, struct error *err)
{
	struct invocation *out = r->out;
	int e = 0;

	if (base)
		e = base(&out->options, out->method, &out->request, err);
	if (e == 0 && !out->request)
		out->request = json_object();
	if (e == 0)
		e = request_set(r, false, err);
	return e == 0 ? request_set(r, true, err) : e;
}

int invocation_read(const struct service_desc *service, int argc, char **argv, invocation_base base,
		    struct invocation *ret, struct error *err)
{
	struct reader r = {.service = service, .argv = argv, .argc = argc, .at = 1, .out = ret};

	error_clear(err);
	*ret = (struct invocation){.command = NULL};
	r.given = calloc((size_t)argc + 1, sizeof(*r.given));
	if (!r.given)
		return error_internal(err, "no memory for the command line");
	int e = read_words(&r, err);
	if (e == 0)
		e = options_complete(&ret->options, err);
	if (e == 0 && ret->method && !ret->options.help)
		e = request_build(&r, base, err);
	free(r.given);
	if (e < 0)
		invocation_done(ret);
	return e;
}

void invocation_done(struct invocation *i)
{
	json_decref(i->request);
	i->request = NULL;
}
