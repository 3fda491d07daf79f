/* SPDX-License-Identifier: Apache-2.0 */
#include "client/examples/import_oulad/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/examples/import_oulad/csv_file.h"

enum {
	DAY_MAX = 10000,
	CLICKS_MAX = 1000000, /* of one session: RecordProgressRequest.interactions */
};

/* --- arrays that grow --- */

/* Room for one more of `n`. NULL when memory is short; the array is then as it was. */
static void *array_grow(void *array, unsigned n, size_t size)
{
	if (n && (n & (n - 1)))
		return array; /* it doubles whenever n is a power of two */
	return reallocarray(array, n ? 2 * (size_t)n : 1, size);
}

static int no_memory(struct error *err)
{
	return error_internal(err, "memory is short");
}

/* --- one file's rows of the presentation --- */

/* Every table begins with these two, so that rows of other presentations are passed over. */
enum { COLUMN_MODULE, COLUMN_PRESENTATION, COLUMN_OWN };

static bool row_belongs(const struct oulad *o, const struct csv_row *row)
{
	return strcmp(row->fields[COLUMN_MODULE], o->module) == 0 &&
	       strcmp(row->fields[COLUMN_PRESENTATION], o->presentation) == 0;
}

static int table_read(struct oulad *o, const char *dir, const char *file, const char *const *columns,
		      csv_row_fn row, struct error *err)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "the path of the data is too long");
	return csv_file_read(path, columns, row, o, err);
}

/* --- courses.csv --- */

static const char *const course_columns[] = {"code_module", "code_presentation", "module_presentation_length",
					     NULL};

static int course_row(void *arg, const struct csv_row *row, struct error *err)
{
	struct oulad *o = arg;
	int64_t days;

	if (!row_belongs(o, row))
		return 0;
	int r = csv_row_integer(row, COLUMN_OWN, 1, DAY_MAX, &days, err);
	if (r == 0)
		o->length_days = (int)days;
	return r;
}

static int courses_read(struct oulad *o, const char *dir, struct error *err)
{
	int r = table_read(o, dir, "courses.csv", course_columns, course_row, err);

	if (r == 0 && o->length_days == 0)
		r = error_raise(err, &RPC_REASON_FIELD_INVALID, "%s/courses.csv has no presentation %s/%s",
				dir, o->module, o->presentation);
	return r;
}

/* --- vle.csv --- */

static const char *const material_columns[] = {"code_module", "code_presentation", "id_site", "activity_type",
					       NULL};

static int material_row(void *arg, const struct csv_row *row, struct error *err)
{
	struct oulad *o = arg;
	struct oulad_material material;
	const char *activity = row->fields[COLUMN_OWN + 1];

	if (!row_belongs(o, row))
		return 0;
	int r = csv_row_integer(row, COLUMN_OWN, 0, INT64_MAX, &material.id, err);
	if (r < 0)
		return r;
	if (!*activity || strlen(activity) >= sizeof(material.activity))
		return csv_row_error(row, err, "activity_type is \"%s\", not 1 to %zu characters", activity,
				     sizeof(material.activity) - 1);
	struct oulad_material *grown = array_grow(o->materials, o->n_materials, sizeof(*grown));
	if (!grown)
		return no_memory(err);
	snprintf(material.activity, sizeof(material.activity), "%s", activity);
	o->materials = grown;
	o->materials[o->n_materials++] = material;
	return 0;
}

static int material_order(const void *a, const void *b)
{
	const struct oulad_material *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int materials_read(struct oulad *o, const char *dir, struct error *err)
{
	unsigned n = 0;
	int r = table_read(o, dir, "vle.csv", material_columns, material_row, err);

	if (r < 0 || o->n_materials == 0)
		return r < 0 ? r
			     : error_raise(err, &RPC_REASON_FIELD_INVALID,
					   "%s/vle.csv has no material of %s/%s", dir, o->module,
					   o->presentation);
	qsort(o->materials, o->n_materials, sizeof(*o->materials), material_order);
	for (unsigned i = 1; i < o->n_materials; i++) {
		if (o->materials[i].id != o->materials[n].id)
			o->materials[++n] = o->materials[i];
		else if (strcmp(o->materials[i].activity, o->materials[n].activity) != 0)
			return error_raise(
				err, &RPC_REASON_FIELD_INVALID,
				"%s/vle.csv has id_site %" PRId64 " with two activity_types, %s and %s", dir,
				o->materials[n].id, o->materials[n].activity, o->materials[i].activity);
	}
	o->n_materials = n + 1;
	return 0;
}

/* --- studentInfo.csv and studentRegistration.csv --- */

static const char *const info_columns[] = {"code_module", "code_presentation", "id_student", NULL};
static const char *const registration_columns[] = {"code_module",       "code_presentation",   "id_student",
						   "date_registration", "date_unregistration", NULL};

static int learner_add(struct oulad *o, struct oulad_learner learner, struct error *err)
{
	struct oulad_learner *grown = array_grow(o->learners, o->n_learners, sizeof(*grown));

	if (!grown)
		return no_memory(err);
	o->learners = grown;
	o->learners[o->n_learners++] = learner;
	return 0;
}

static int info_row(void *arg, const struct csv_row *row, struct error *err)
{
	struct oulad *o = arg;
	struct oulad_learner learner = {.id = 0};

	if (!row_belongs(o, row))
		return 0;
	int r = csv_row_integer(row, COLUMN_OWN, 0, INT64_MAX, &learner.id, err);
	return r < 0 ? r : learner_add(o, learner, err);
}

/* A date that is not known, or of what never happened: releases of the data set differ in how they say so. */
static bool date_missing(const char *text)
{
	return !*text || strcmp(text, "?") == 0;
}

static int registration_row(void *arg, const struct csv_row *row, struct error *err)
{
	struct oulad *o = arg;
	struct oulad_learner learner = {.registered = true};
	int64_t day;

	if (!row_belongs(o, row))
		return 0;
	int r = csv_row_integer(row, COLUMN_OWN, 0, INT64_MAX, &learner.id, err);
	for (unsigned i = COLUMN_OWN + 1; r == 0 && i <= COLUMN_OWN + 2; i++) {
		if (!date_missing(row->fields[i]))
			r = csv_row_integer(row, i, -DAY_MAX, DAY_MAX, &day, err);
	}
	learner.left = !date_missing(row->fields[COLUMN_OWN + 2]);
	return r < 0 ? r : learner_add(o, learner, err);
}

static int learner_order(const void *a, const void *b)
{
	const struct oulad_learner *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Both files' rows of a student become one learner. */
static void learners_merge(struct oulad *o)
{
	unsigned n = 0;

	qsort(o->learners, o->n_learners, sizeof(*o->learners), learner_order);
	for (unsigned i = 0; i < o->n_learners; i++) {
		const struct oulad_learner *from = &o->learners[i];
		if (n == 0 || o->learners[n - 1].id != from->id) {
			o->learners[n++] = *from;
			continue;
		}
		o->learners[n - 1].registered |= from->registered;
		o->learners[n - 1].left |= from->left;
	}
	o->n_learners = n;
	for (unsigned i = 0; i < n; i++) {
		o->n_registered += o->learners[i].registered;
		o->n_left += o->learners[i].left;
	}
}

static int learners_read(struct oulad *o, const char *dir, struct error *err)
{
	int r = table_read(o, dir, "studentInfo.csv", info_columns, info_row, err);
	if (r == 0)
		r = table_read(o, dir, "studentRegistration.csv", registration_columns, registration_row,
			       err);
	if (r == 0)
		learners_merge(o);
	return r;
}

/* --- studentVle.csv --- */

static const char *const click_columns[] = {"code_module", "code_presentation", "id_student", "id_site",
					    "date",        "sum_click",         NULL};

static int click_row(void *arg, const struct csv_row *row, struct error *err)
{
	struct oulad *o = arg;
	struct oulad_session s = {.line = row->line};
	int64_t day = 0;

	if (!row_belongs(o, row))
		return 0;
	int r = csv_row_integer(row, COLUMN_OWN, 0, INT64_MAX, &s.learner_id, err);
	if (r == 0)
		r = csv_row_integer(row, COLUMN_OWN + 1, 0, INT64_MAX, &s.material_id, err);
	if (r == 0)
		r = csv_row_integer(row, COLUMN_OWN + 2, -DAY_MAX, DAY_MAX, &day, err);
	if (r == 0)
		r = csv_row_integer(row, COLUMN_OWN + 3, 0, CLICKS_MAX, &s.clicks, err);
	if (r < 0)
		return r;
	struct oulad_session *grown = array_grow(o->sessions, o->n_sessions, sizeof(*grown));
	if (!grown)
		return no_memory(err);
	s.day = (int32_t)day;
	o->sessions = grown;
	o->sessions[o->n_sessions++] = s;
	return 0;
}

static int session_key_order(const struct oulad_session *x, const struct oulad_session *y)
{
	if (x->learner_id != y->learner_id)
		return x->learner_id < y->learner_id ? -1 : 1;
	if (x->material_id != y->material_id)
		return x->material_id < y->material_id ? -1 : 1;
	return x->day < y->day ? -1 : x->day > y->day;
}

static int session_order(const void *a, const void *b)
{
	const struct oulad_session *x = a, *y = b;
	int order = session_key_order(x, y);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* Rows with one key become one session. */
static int sessions_sum(struct oulad *o, const char *dir, struct error *err)
{
	struct oulad_session *s = o->sessions;
	unsigned n = 0, counted = 0; /* sessions so far; the last of them that is counted as spread */

	o->n_rows = o->n_sessions;
	if (o->n_rows)
		qsort(s, o->n_rows, sizeof(*s), session_order);
	for (unsigned i = 0; i < o->n_rows; i++) {
		if (n == 0 || session_key_order(&s[n - 1], &s[i]) != 0) {
			s[n++] = s[i];
			continue;
		}
		o->n_spread += counted != n;
		counted = n;
		s[n - 1].clicks += s[i].clicks;
		if (s[n - 1].clicks > CLICKS_MAX)
			return error_raise(
				err, &RPC_REASON_FIELD_INVALID,
				"%s/studentVle.csv:%u: the clicks of this student, id_site and date "
				"sum up to more than %d",
				dir, s[n - 1].line, CLICKS_MAX);
	}
	o->n_sessions = n;
	return 0;
}

static struct oulad_learner *learner_find(const struct oulad *o, int64_t id)
{
	const struct oulad_learner key = {.id = id};

	return o->n_learners ? bsearch(&key, o->learners, o->n_learners, sizeof(key), learner_order) : NULL;
}

static void skip_add(struct oulad_skip *skip, const struct oulad_session *s)
{
	if (skip->sessions++ == 0 || s->line < skip->first.line)
		skip->first = *s;
	skip->clicks += s->clicks;
}

/* Keeps the sessions of registered learners in known materials, and gives each learner theirs. */
static void sessions_resolve(struct oulad *o)
{
	unsigned n = 0;

	for (unsigned i = 0; i < o->n_sessions; i++) {
		struct oulad_session s = o->sessions[i];
		const struct oulad_material key = {.id = s.material_id};
		struct oulad_material *material =
			bsearch(&key, o->materials, o->n_materials, sizeof(key), material_order);
		struct oulad_learner *learner = learner_find(o, s.learner_id);
		if (!learner || !learner->registered) {
			skip_add(&o->learner, &s);
			continue;
		}
		if (!material) {
			skip_add(&o->material, &s);
			continue;
		}
		s.material = (unsigned)(material - o->materials);
		if (learner->n_sessions++ == 0)
			learner->first_session = n;
		o->clicks += s.clicks;
		o->sessions[n++] = s;
	}
	o->n_sessions = n;
}

static int sessions_read(struct oulad *o, const char *dir, struct error *err)
{
	int r = table_read(o, dir, "studentVle.csv", click_columns, click_row, err);
	if (r == 0)
		r = sessions_sum(o, dir, err);
	if (r == 0)
		sessions_resolve(o);
	return r;
}

/* --- all --- */

static int presentation_split(struct oulad *o, const char *text, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t module = strspn(text, allowed);
	const char *presentation = text + module + (text[module] == '/');
	size_t rest = strspn(presentation, allowed);

	if (module == 0 || module >= sizeof(o->module) || text[module] != '/' || rest == 0 ||
	    rest >= sizeof(o->presentation) || presentation[rest])
		return error_raise(err, &RPC_REASON_FIELD_INVALID,
				   "the presentation \"%s\" is not MODULE/PRESENTATION, such as AAA/2013J",
				   text);
	memcpy(o->module, text, module);
	memcpy(o->presentation, presentation, rest);
	return 0;
}

int oulad_read(const char *dir, const char *presentation, struct oulad *ret, struct error *err)
{
	*ret = (struct oulad){.materials = NULL};
	int r = presentation_split(ret, presentation, err);
	if (r == 0)
		r = courses_read(ret, dir, err);
	if (r == 0)
		r = materials_read(ret, dir, err);
	if (r == 0)
		r = learners_read(ret, dir, err);
	if (r == 0)
		r = sessions_read(ret, dir, err);
	if (r < 0)
		oulad_done(ret);
	return r;
}

void oulad_done(struct oulad *o)
{
	free(o->materials);
	free(o->learners);
	free(o->sessions);
	*o = (struct oulad){.materials = NULL};
}
