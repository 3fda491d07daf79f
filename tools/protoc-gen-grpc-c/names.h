/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_NAMES_H
#define GEN_NAMES_H

#include <stdbool.h>

#include "proto/runtime/arena.h"

/*
 * The C identifiers protobuf-c 1.4 makes from the names of a .proto, and the shorter ones we add. A full name
 * is "edu.v1.GetCourseRequest", without a leading dot. Every result lives in the arena.
 */

/* "Edu__V1__GetCourseRequest": the type. */
char *name_c_type(struct arena *a, const char *full_name);

/* "edu__v1__get_course_request", "EDU__V1__GET_COURSE_REQUEST": prefixes of functions and of macros. */
char *name_c_lower(struct arena *a, const char *full_name);
char *name_c_upper(struct arena *a, const char *full_name);

/* The same with single underscores between the pieces: "edu_v1_get_course_request". */
char *name_flat_lower(struct arena *a, const char *full_name);
char *name_flat_upper(struct arena *a, const char *full_name);

/* "Outer_Inner" for "Outer.Inner": a type's name within its package. */
char *name_short_type(struct arena *a, const char *name);

/* True for what a short name may not be: words of C and of its headers. */
bool name_is_taken(const char *name);

/*
 * True when a value of an enum may be a macro by this name. "COURSE_STATE_DRAFT" and "Outer_DRAFT" may; a
 * plain word
 * ("X", "name") would replace members and variables of whoever includes the header.
 */
bool name_may_be_macro(const char *name);

/* The path of a .proto without its extension. */
char *name_stem(struct arena *a, const char *path);

#endif
