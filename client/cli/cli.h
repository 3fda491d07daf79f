/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "client/cli/docs.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"
#include "client/cli/output.h"
#include "client/cli/session_file.h"
#include "client/client.h"

enum { CLI_ARENA_MAX = 64 << 20 };

/* One run of the program. */
struct cli {
	const struct service_desc *service;
	struct docs *docs;
	struct invocation invocation;
	struct output output;
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

/* --- request.c --- */

/* What the request is before its flags: the file of --json. An invocation_base. */
int request_base(const struct options *options, const struct method_desc *method, json_t **ret,
		 struct error *err) __attribute__((warn_unused_result));

/*
 * Adds what the flags left to us: the password, asked for or from a file; the request_id, made; the
 * update_mask; large pages for --all. *request_id is the one that is sent, NULL when the method takes none;
 * it belongs to the invocation.
 */
int request_complete(struct invocation *invocation, const char **request_id, struct error *err)
	__attribute__((warn_unused_result));

/* True for methods that answer lists in pages; and asks for the page after. */
bool request_has_pages(const struct method_desc *method);
void request_set_page(struct invocation *invocation, const char *token);

/* True for requests that prove by themselves who calls: they go without a token. */
bool request_has_secret(const struct method_desc *method);

/* --- connect.c --- */

/* Makes the channel, with the kept session unless a token is given or the method needs none. */
int cli_connect(struct cli *cli, struct error *err) __attribute__((warn_unused_result));

/* Keeps an answered session for the commands that follow. */
int cli_keep_session(struct cli *cli, const Session *session, struct error *err)
	__attribute__((warn_unused_result));

/* --- refresh.c --- */

/*
 * Before any call: one that exchanges the kept session's refresh token, named or not, keeps other commands
 * from doing the same until refresh_end(), which may always be called. Then refresh_keep() keeps what was
 * answered.
 */
enum refresh {
	REFRESH_OTHER, /* no exchange, or of a token that is not kept here */
	REFRESH_KEPT,  /* of the kept one: it is nobody else's business */
	REFRESH_SHOWN, /* of the kept one, which the command line names: so its owner wants to see the next */
};
int refresh_begin(struct cli *cli, enum refresh *ret, struct error *err) __attribute__((warn_unused_result));
int refresh_keep(struct cli *cli, const ProtobufCMessage *reply, struct error *err)
	__attribute__((warn_unused_result));
void refresh_end(struct cli *cli);

/* --- streaming.c --- */

int streaming_run(struct cli *cli, const struct client_call_options *options, struct error *err,
		  struct arena *arena) __attribute__((warn_unused_result));

#endif
