/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <jansson.h>
#include <stddef.h>

#include "proto/runtime/error.h"

/*
 * JSON objects, one after the other, from a file that may be a terminal or a pipe: another thread can end the
 * reading while nothing comes. One thread reads.
 */
struct input {
	const char *path; /* as given; "-" is stdin */
	int fd, wake[2];
	size_t at, n;
	char bytes[4096];
};

int input_open(struct input *in, const char *path, struct error *err) __attribute__((warn_unused_result));

/* 1 and *ret (owned); 0 at the end of the file, or once stopped; negative for what is no JSON object. */
int input_next(struct input *in, json_t **ret, struct error *err) __attribute__((warn_unused_result));

/* Ends the reading of an open input. Any thread. */
void input_stop(struct input *in);
void input_close(struct input *in);

#endif
