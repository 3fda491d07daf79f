/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_QUIZ_JSON_H
#define TESTS_QUIZ_JSON_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "edu/v1/quiz.tables.h"
#include "proto/runtime/json.h"

/* A quiz from JSON, with ' for ", in the arena. What is no quiz ends the program. */
static inline Quiz *quiz_of(struct arena *arena, const char *text)
{
	char *quoted = arena_strdup(arena, text);
	ProtobufCMessage *message;
	struct error err;

	for (char *p = quoted; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	json_t *json = json_loads(quoted, 0, NULL);
	if (!json || json_to_message(QUIZ_DESC, json, arena, &message, &err) < 0) {
		fprintf(stderr, "no quiz: %s\n", text);
		abort();
	}
	json_decref(json);
	return (Quiz *)message;
}

/* One question of each form. */
#define QUIZ_OF_EVERY_FORM                                                                                   \
	"{'scoring': 'QUIZ_SCORING_BEST', 'attemptLimit': 3, 'passBasisPoints': 5000, 'questions': ["        \
	"{'key': 'q1', 'prompt': 'One?', 'points': 1, 'singleChoice': {'options': ["                         \
	" {'key': 'a', 'text': 'A'}, {'key': 'b', 'text': 'B'}], 'solution': {'optionKey': 'b'}}},"          \
	"{'key': 'q2', 'prompt': 'Some?', 'points': 2, 'multipleChoice': {'options': ["                      \
	" {'key': 'a', 'text': 'A'}, {'key': 'b', 'text': 'B'}, {'key': 'c', 'text': 'C'}],"                 \
	" 'solution': {'optionKeys': ['a', 'c']}}},"                                                         \
	"{'key': 'q3', 'prompt': 'How much?', 'points': 4, 'numeric': {'unit': 'kg',"                        \
	" 'solution': {'value': '-41.5', 'tolerance': '0.25'}}},"                                            \
	"{'key': 'q4', 'prompt': 'Who?', 'points': 8, 'text': {'solution': {'accepted': ["                   \
	" 'Ada Lovelace', 'Lovelace']}}}]}"

#endif
