/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* How names of the contract are written on a command line, and which one was meant. Nothing here fails: all
 * truncate. */

enum { NAME_SIZE = 128 };

/* "create-course" for CreateCourse and for create_course. */
void name_kebab(const char *name, char out[NAME_SIZE]);

/* "create_course" for create-course, in lower case. */
void name_snake(const char *kebab, char out[NAME_SIZE]);

/* "COURSE_STATE" for CourseState and for course-state. */
void name_upper_snake(const char *name, char out[NAME_SIZE]);

/* Offers names one by one and keeps the one nearest to what was typed. */
struct name_guess {
	const char *typed;
	char nearest[NAME_SIZE];
	size_t distance;
};
void name_guess_begin(struct name_guess *g, const char *typed);
void name_guess_offer(struct name_guess *g, const char *name);

/* The nearest name, or NULL when none is near enough to be worth saying. */
const char *name_guess_end(const struct name_guess *g);

#endif
