/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QUIZ_QUIZ_TEXT_H
#define QUIZ_QUIZ_TEXT_H

#include "proto/runtime/arena.h"

/*
 * A text as the answers to a TextQuestion are compared: NFKC_Casefold, without white space at its ends, and
 * one space where there was any inside. In the arena; NULL as utf8_fold() says it.
 */
char *quiz_text_fold(struct arena *arena, const char *text) __attribute__((warn_unused_result));

#endif
