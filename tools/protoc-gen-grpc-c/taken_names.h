/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_TAKEN_NAMES_H
#define GEN_TAKEN_NAMES_H

#include <stddef.h>

/*
 * The identifiers of the headers that generated code includes, ours, protobuf-c's and C's: a name of ours
 * that is one of them would change what they mean. Made by taken_names.sh when the generator is built; by
 * name.
 */
struct taken_name {
	const char *name, *header;
};

extern const struct taken_name taken_names[];
extern const size_t n_taken_names;

#endif
