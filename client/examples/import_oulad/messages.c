/* SPDX-License-Identifier: Apache-2.0 */
#include "client/examples/import_oulad/messages.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"

static void message_skip(const struct oulad_skip *skip, const char *why, int64_t id, FILE *out)
{
	if (skip->sessions)
		fprintf(out,
			"skipped: %u sessions with %" PRId64
			" clicks, because %s; the first: studentVle.csv:%u, %" PRId64 "\n",
			skip->sessions, skip->clicks, why, skip->first.line, id);
}

void message_data(const struct oulad *o, FILE *out)
{
	fprintf(out,
		"data: %s/%s has %u materials, %u students, %u registrations (%u ended), %u sessions (%u of "
		"several rows) with %" PRId64 " clicks\n",
		o->module, o->presentation, o->n_materials, o->n_learners, o->n_registered, o->n_left,
		o->n_sessions, o->n_spread, o->clicks);
	message_skip(&o->material, "the id_site is not in vle.csv", o->material.first.material_id, out);
	message_skip(&o->learner, "the id_student is not in studentRegistration.csv",
		     o->learner.first.learner_id, out);
}

void message_summary(const struct import *im, double seconds, FILE *out)
{
	if (*im->course_id)
		fprintf(out, "course %s: %s\n\n", im->course_key, im->course_id);
	tally_print(&im->tally, seconds, out);
}

/* For what the import meets most likely; the contract's list of reasons has the rest. */
static const struct advice {
	const char *reason, *text;
	bool corrects; /* it is the command that has to change */
} advices[] = {
	{"ROLE_MISSING", "have the roles given to the importing account (edu set-user-roles)", false},
	{"CREDENTIALS_INVALID", "use the right password file, and the learner secret of the first run", true},
	{"CLOCK_SKEW", "set this machine's clock", false},
	{"RATE_LIMITED", "import with fewer --workers, or have the server's rate limits raised", false},
	{"OVERLOADED", "import with fewer --workers and --in-flight", false},
	{"UNAVAILABLE", "check --target and that the server runs", false},
	{"FIELD_INVALID", "correct it", true},
	{"COURSE_STATE_INVALID", "have the course brought back, or import as another account", false},
	{"SELF_APPROVAL", "name another account with the role ADMIN: --approver, or edu approve-course",
	 true},
	{"SUBJECT_NOT_FOUND", "name one of edu list-subjects, or have it made: edu create-subject", true},
	{"INTERNAL", "have the server's log looked into", false},
};

static const struct advice *failure_advice(const struct error *err)
{
	static const struct advice other = {"", "see this reason in the contract (edu help)", false};

	for (size_t i = 0; err->reason && i < ARRAY_SIZE(advices); i++) {
		if (strcmp(err->reason->name, advices[i].reason) == 0)
			return &advices[i];
	}
	return &other;
}

/* From the server or a file: nothing of it may reach the terminal's controls. */
static void put_safe(const char *text, FILE *out)
{
	for (; *text; text++)
		fputc(iscntrl((unsigned char)*text) ? '?' : *text, out);
}

static void put_line(const char *label, const char *text, FILE *out)
{
	if (!*text)
		return;
	fputs("  ", out);
	put_safe(label, out);
	fputs(": ", out);
	put_safe(text, out);
	fputc('\n', out);
}

void message_failure(const struct error *err, FILE *out)
{
	const struct advice *advice = failure_advice(err);
	unsigned n = err->n_violations < ERROR_VIOLATIONS_MAX ? err->n_violations : ERROR_VIOLATIONS_MAX;

	fputs("import_oulad: ", out);
	put_safe(err->message, out);
	fputc('\n', out);
	put_line("reason", err->reason ? err->reason->name : status_code_name(err->code), out);
	for (unsigned i = 0; i < n; i++)
		put_line(err->violations[i].field, err->violations[i].description, out);
	for (unsigned i = 0; i < err->n_metadata; i++)
		put_line(err->metadata[i].key, err->metadata[i].value, out);
	put_line(err->resource_type, err->resource_name, out);
	put_line("what to do", advice->text, out);
	fputs(advice->corrects
		      ? "  The same command would fail again; corrected, it goes on where this run ended.\n"
		      : "  Then run the same command again: it goes on where this run ended.\n",
	      out);
}
