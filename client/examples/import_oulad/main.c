/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/examples/import_oulad/import.h"
#include "client/examples/import_oulad/messages.h"

enum { SECRET_MIN = 16, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int secret_load(struct import *im, struct error *err)
{
	int r = secret_read_file(im->options->learner_secret_file, im->learner_secret, err);

	if (r == 0 && strlen(im->learner_secret) < SECRET_MIN)
		r = error_raise(err, &RPC_REASON_FIELD_INVALID,
				"the secret in %s is shorter than %d characters",
				im->options->learner_secret_file, SECRET_MIN);
	return r;
}

static int data_read(struct import *im, struct error *err)
{
	const struct options *o = im->options;
	int r = oulad_read(o->dir, o->presentation, &im->data, err);

	if (r < 0)
		return r;
	tally_add(&im->tally, THING_SESSION, FATE_SKIPPED,
		  im->data.material.sessions + im->data.learner.sessions);
	message_data(&im->data, stderr);
	return 0;
}

static int import_run(struct import *im, struct error *err)
{
	int r = secret_load(im, err);
	if (r == 0)
		r = data_read(im, err);
	if (r == 0)
		r = connection_open(im, err);
	if (r == 0)
		r = course_import(im, err);
	if (r == 0)
		r = crew_import(im, err);
	return r;
}

static void import_done(struct import *im)
{
	connection_close(im);
	free(im->lesson_ids);
	oulad_done(&im->data);
	explicit_bzero(im->learner_secret, sizeof(im->learner_secret));
	free(im);
}

static int import_main(const struct options *options)
{
	double begin = now_seconds();
	struct import *im = calloc(1, sizeof(*im));
	struct error err;

	if (!im)
		abort();
	error_clear(&err);
	im->options = options;
	progress_bar_init(&im->bar);
	int r = import_run(im, &err);
	if (r < 0)
		message_failure(&err, stderr);
	if (im->session)
		message_summary(im, now_seconds() - begin, stdout);
	import_done(im);
	return r < 0 ? EXIT_FAILED : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options;
	struct error err;

	error_clear(&err);
	if (options_read(argc, argv, &options, &err) < 0) {
		fprintf(stderr, "import_oulad: %s\n", err.message);
		return EXIT_USAGE;
	}
	if (options.help) {
		options_help(stdout);
		return EXIT_SUCCESS;
	}
	if (options.version) {
		puts("import_oulad " EDU_VERSION);
		return EXIT_SUCCESS;
	}
	return import_main(&options);
}
