/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "client/cli/docs.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"
#include "client/cli/session_file.h"
#include "client/client.h"

enum { CLI_ARENA_MAX = 64 << 20 };

/* One run of the program. */
struct cli {
	const struct service_desc *service;
	struct docs *docs;
	struct invocation invocation;
	struct client_channel *channel;
	struct session_file session_file;
	struct client_session *session; /* NULL: none is kept, or none is needed */
	bool session_failed;            /* a public call went without a token, because of: */
	struct error session_err;
	char session_reason[64];
};

/* --- program.c --- */

/* The whole program, for any service. */
enum exit_code cli_main(const struct service_desc *service, int argc, char **argv);

/* --- command.c --- */

/* Calls the method of the invocation and prints what it answers. */
enum exit_code command_run(struct cli *cli);

/* Prints one message as the options say. */
int command_print(const struct cli *cli, const ProtobufCMessage *message, bool of_stream, struct error *err)
	__attribute__((warn_unused_result));

/* --- request.c --- */

/* What the request is before its flags: the file of --json. An invocation_base. */
int request_base(const struct options *options, const struct method_desc *method, json_t **ret,
		 struct error *err) __attribute__((warn_unused_result));

/*
 * Adds what the flags left to us: the password, asked for or from a file; the request_id, made; the
 * update_mask. *request_id is the one that is sent, NULL when the method takes none; it belongs to the
 * invocation.
 */
int request_complete(struct invocation *invocation, const char **request_id, struct error *err)
	__attribute__((warn_unused_result));

/* True for requests that prove by themselves who calls: they go without a token. */
bool request_has_secret(const struct method_desc *method);

/* --- connect.c --- */

/* Makes the channel, with the kept session unless a token is given or the method needs none. */
int cli_connect(struct cli *cli, struct error *err) __attribute__((warn_unused_result));

/* Keeps the session that Login answered, for the commands that follow. */
int cli_keep_session(struct cli *cli, const ProtobufCMessage *login_response, struct error *err)
	__attribute__((warn_unused_result));

/* --- streaming.c --- */

int streaming_run(struct cli *cli, const struct client_call_options *options, struct error *err,
		  struct arena *arena) __attribute__((warn_unused_result));

#endif
