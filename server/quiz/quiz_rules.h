/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QUIZ_QUIZ_RULES_H
#define QUIZ_QUIZ_RULES_H

#include "edu/v1/quiz.tables.h"
#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"

/* What a quiz must be beyond the contract's rules, which it is held against before. */

/* FIELD_INVALID with everything that goes against itself: keys, options and accepted texts that are there
 * twice, solutions that name no option, tolerances below zero. */
int quiz_check(const Quiz *quiz, struct arena *arena, struct error *err) __attribute__((warn_unused_result));

/* Sum of the questions' points. */
int quiz_points(const Quiz *quiz);

#endif
