/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_IMPORT_H
#define IMPORT_IMPORT_H

#include "client/client.h"
#include "client/examples/import_oulad/keys.h"
#include "client/examples/import_oulad/options.h"
#include "client/examples/import_oulad/progress_bar.h"
#include "client/examples/import_oulad/tables.h"
#include "client/examples/import_oulad/tally.h"
#include "client/session/session.h"
#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/ids.h"
#include "proto/runtime/secret.h"

enum { IMPORT_ARENA_MAX = 16 << 20, IMPORT_SECTIONS_MAX = 64 };

/* One run. Filled by one stage after the other; from the learners on only the tally changes. */
struct import {
	const struct options *options;
	struct oulad data;
	char learner_secret[SECRET_MAX];
	struct progress_bar bar;
	struct tally tally;

	/* connection.c */
	struct client_channel *channel;
	struct client_session *session; /* of the importing account; NULL before it has signed in */
	char user_id[ID_TEXT_MAX];      /* that account */

	/* course.c */
	char course_key[KEY_EXTERNAL_ID_MAX], course_id[ID_TEXT_MAX];
	char (*lesson_ids)[ID_TEXT_MAX]; /* by material */

	/* sections.c */
	unsigned n_sections;
	struct import_section {
		char activity[sizeof(((struct oulad_material *)0)->activity)]; /* and its title */
		char id[ID_TEXT_MAX];
	} sections[IMPORT_SECTIONS_MAX];
};

/* --- connection.c --- */

/* Connects, and signs the importing account in; it must hold the roles the import needs. */
int connection_open(struct import *im, struct error *err) __attribute__((warn_unused_result));
void connection_close(struct import *im);

/* Signs the approving account in; the token is its own, the channel goes on as the importing account. */
int connection_approver(struct import *im, struct arena *arena, const char **ret_token, struct error *err)
	__attribute__((warn_unused_result));

/*
 * Makes an error outlast the arena of its call, in which its reason lives. Returns the negated code again.
 */
int connection_keep_error(struct error *err);

/* --- course.c --- */

/* Finds or makes the course and its lessons, and publishes it. */
int course_import(struct import *im, struct error *err) __attribute__((warn_unused_result));

/* --- sections.c --- */

/* A section that the course has; one that is no activity's was added by somebody else, and is left alone. */
void section_found(struct import *im, const Section *section);

/* The section of an activity, which holds its materials, made when the course has none such: its typed id; ""
 * when there are more activities than sections, for a lesson that lies in none. */
int section_ensure(struct import *im, const char *activity, struct arena *arena, const char **ret_id,
		   struct error *err) __attribute__((warn_unused_result));

/* --- learner.c --- */

struct report_pool;

/*
 * Finds or makes one learner's account, purchase and sessions. Called by several threads, each with an arena
 * of its own.
 */
int learner_import(struct import *im, struct report_pool *pool, const struct oulad_learner *learner,
		   struct arena *arena, struct error *err) __attribute__((warn_unused_result));

/* --- crew.c --- */

/* Imports all learners, several at once. The first failure ends it. */
int crew_import(struct import *im, struct error *err) __attribute__((warn_unused_result));

#endif
