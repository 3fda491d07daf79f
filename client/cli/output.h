/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdio.h>

#include "proto/runtime/error.h"

/*
 * Prints a response. As JSON: indented, or with `line` on one line, for streams. As a table: a response that
 * holds a list is one row an element, any other one row a field, with its lists of messages below; a page
 * token is a note on stderr, because it is no row.
 */
int output_json(FILE *out, const ProtobufCMessage *message, bool line, struct error *err)
	__attribute__((warn_unused_result));
int output_table(FILE *out, const ProtobufCMessage *message, struct error *err)
	__attribute__((warn_unused_result));

#endif
