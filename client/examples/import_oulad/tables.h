/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_TABLES_H
#define IMPORT_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/error.h"

/*
 * One presentation of one module, as the Open University Learning Analytics Dataset (OULAD) has it in
 * courses.csv, vle.csv, studentInfo.csv, studentRegistration.csv and studentVle.csv. Source for what the
 * columns mean: J. Kuzilek, M. Hlosta, Z. Zdrahal, "Open University Learning Analytics dataset", Scientific
 * Data 4:170171 (2017).
 */

/* A row of vle.csv. */
struct oulad_material {
	int64_t id; /* id_site */
	char activity[32];
};

/* A student of studentInfo.csv or studentRegistration.csv. */
struct oulad_learner {
	int64_t id;      /* id_student */
	bool registered; /* has a row in studentRegistration.csv, and with it bought the course */
	bool left;       /* and a date_unregistration */
	unsigned first_session, n_sessions;
};

/* What one student did with one material on one day: the rows of studentVle.csv with this key, summed. */
struct oulad_session {
	int64_t learner_id, material_id;
	int32_t day;   /* from the presentation's start; negative before it */
	unsigned line; /* of the first of its rows */
	int64_t clicks;
	unsigned material; /* index into materials */
};

/* Sessions that belong to nothing one can learn or to nobody who may. */
struct oulad_skip {
	unsigned sessions;
	int64_t clicks;
	struct oulad_session first;
};

struct oulad {
	char module[16], presentation[16];
	int length_days;
	struct oulad_material *materials; /* by id */
	unsigned n_materials;
	struct oulad_learner *learners; /* by id */
	unsigned n_learners, n_registered, n_left;
	struct oulad_session *sessions; /* by learner, material, day */
	unsigned n_sessions;
	int64_t clicks;             /* of the sessions, summed */
	unsigned n_rows, n_spread;  /* rows read of studentVle.csv; sessions made of more than one */
	struct oulad_skip material; /* the material is not in vle.csv */
	struct oulad_skip learner;  /* the student has no registration */
};

/*
 * Reads the presentation ("AAA/2013J") from the files in `dir`. 0, or negative with an error that names the
 * file and the line; then there is nothing to be freed.
 */
int oulad_read(const char *dir, const char *presentation, struct oulad *ret, struct error *err)
	__attribute__((warn_unused_result));
void oulad_done(struct oulad *o);

#endif
