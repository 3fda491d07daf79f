/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/flags.h"
#include "client/cli/secret.h"
#include "proto/runtime/uuid.h"

enum { PAGE_LARGE = 1000 };

static const ProtobufCFieldDescriptor *string_field(const struct method_desc *method, const char *name)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(method->request, name);

	return field && field->type == PROTOBUF_C_TYPE_STRING ? field : NULL;
}

static bool takes_stream(const struct method_desc *method)
{
	return method->kind == METHOD_CLIENT_STREAM || method->kind == METHOD_BIDI;
}

int request_base(const struct options *options, const struct method_desc *method, json_t **ret,
		 struct error *err)
{
	json_error_t problem;

	*ret = NULL;
	if (!options->json || takes_stream(method))
		return 0;
	bool is_stdin = strcmp(options->json, "-") == 0;
	if (is_stdin && options->password_file && strcmp(options->password_file, "-") == 0)
		return error_field(err, "password-file",
				   "cannot be standard input, from which --json - reads the request");
	FILE *in = is_stdin ? stdin : fopen(options->json, "re");
	if (!in)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s cannot be read: %s", options->json,
				   strerror(errno));
	*ret = json_loadf(in, JSON_REJECT_DUPLICATES, &problem);
	if (!is_stdin)
		fclose(in);
	if (json_is_object(*ret))
		return 0;
	json_decref(*ret);
	*ret = NULL;
	return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s holds no JSON object: line %d: %s",
			   options->json, problem.line,
			   problem.text[0] ? problem.text : "it is another value");
}

bool request_has_secret(const struct method_desc *method)
{
	return string_field(method, "password") || string_field(method, "refresh_token");
}

/* A file that is the terminal is asked like it: else what is typed would be shown. */
static int read_password(const struct invocation *i, char secret[SECRET_MAX], struct error *err)
{
	const char *file = i->options.password_file;
	bool known = i->method->response == LOGIN_RESPONSE_DESC;

	if (file && !(strcmp(file, "-") == 0 && isatty(STDIN_FILENO)))
		return secret_read_file(file, secret, err);
	return known ? secret_ask("password", secret, err) : secret_ask_new("password", secret, err);
}

/* True when there is one to read; false when there is none in this request, or it is given. */
static int wants_password(const struct invocation *i, bool *ret, struct error *err)
{
	bool takes = string_field(i->method, "password"), given = json_object_get(i->request, "password");

	*ret = takes && !given;
	if (i->options.password_file && !takes)
		return error_field(err, "password-file",
				   "is for requests with a password, which this is not");
	if (i->options.password_file && given)
		return error_field(err, "password-file",
				   "is given besides the password itself: leave out one");
	return 0;
}

static int complete_password(struct invocation *i, struct error *err)
{
	char secret[SECRET_MAX];
	bool wanted;
	int r = wants_password(i, &wanted, err);

	if (r < 0 || !wanted)
		return r;
	r = read_password(i, secret, err);
	if (r < 0)
		return r;
	json_t *value = json_string(secret);
	explicit_bzero(secret, sizeof(secret));
	if (!value)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "the password is not valid UTF-8");
	json_object_set_new(i->request, "password", value);
	return 0;
}

/* A random UUID (RFC 9562, version 4). */
static bool uuid_make(char out[UUID_TEXT_MAX])
{
	uint8_t bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	uuid_format(bytes, out);
	return true;
}

static int complete_request_id(struct invocation *i, const char **ret, struct error *err)
{
	char uuid[UUID_TEXT_MAX];
	json_t *given = json_object_get(i->request, "requestId");

	*ret = NULL;
	if (i->method->request_id_field < 0)
		return 0;
	if (!given)
		given = json_object_get(i->request, "request_id");
	if (!given) {
		if (!uuid_make(uuid))
			return error_internal(err, "there is no randomness for a request id: %s",
					      strerror(errno));
		given = json_string(uuid);
		json_object_set_new(i->request, "requestId", given);
	}
	*ret = json_string_value(given);
	return 0;
}

/* --- pages --- */

bool request_has_pages(const struct method_desc *method)
{
	return method->kind == METHOD_UNARY && string_field(method, "page_token") &&
	       protobuf_c_message_descriptor_get_field_by_name(method->response, "next_page_token");
}

void request_set_page(struct invocation *invocation, const char *token)
{
	json_object_del(invocation->request, "page_token");
	json_object_set_new(invocation->request, "pageToken", json_string(token));
}

/* Who wants every page wants few of them: a server gives what it can of a page that is too large. */
static int complete_pages(struct invocation *i, struct error *err)
{
	const bool sized =
		json_object_get(i->request, "pageSize") || json_object_get(i->request, "page_size");

	if (!i->options.all)
		return 0;
	if (!request_has_pages(i->method))
		return error_field(err, "all", "is for lists that come in pages, which this is not");
	if (!sized && protobuf_c_message_descriptor_get_field_by_name(i->method->request, "page_size"))
		json_object_set_new(i->request, "pageSize", json_integer(PAGE_LARGE));
	return 0;
}

int request_complete(struct invocation *invocation, const char **request_id, struct error *err)
{
	int r = complete_password(invocation, err);

	if (r == 0)
		r = complete_pages(invocation, err);

	if (r == 0)
		r = complete_request_id(invocation, request_id, err);
	flags_fill_mask(invocation->method, invocation->request);
	return r;
}
