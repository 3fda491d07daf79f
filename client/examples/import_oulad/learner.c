/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "client/examples/import_oulad/import.h"
#include "client/examples/import_oulad/patience.h"
#include "client/examples/import_oulad/reports.h"
#include "edu/v1/edu_service.client.h"

/* One learner under way. Texts live in the arena. */
struct job {
	struct import *im;
	struct report_pool *pool;
	const struct oulad_learner *learner;
	struct arena *arena;
	char name[KEY_USER_NAME_MAX], password[KEY_PASSWORD_MAX];
	const char *user_id;
	bool fresh; /* the account was made just now */
	const char *token;
	const CourseProgress *progress; /* NULL: not enrolled */
	unsigned *missing;              /* indices into the data's sessions */
	unsigned n_missing;
};

static bool reason_is(int r, const struct error *err, const struct error_reason *reason)
{
	return r < 0 && err->reason && strcmp(err->reason->name, reason->name) == 0;
}

/* --- the account --- */

/* user_id stays NULL when there is none. */
static int account_find(struct job *job, struct error *err)
{
	GetUserRequest request = GET_USER_REQUEST_INIT;
	GetUserResponse *response;
	struct patience p = PATIENCE;
	int r;

	request.user_name = job->name;
	do {
		tally_calls(&job->im->tally, 1);
		r = edu_service_get_user_call(job->im->channel, &request, NULL, job->arena, &response, err);
	} while (patience_again(&p, r, err));
	if (r == 0)
		job->user_id = response->user->user_id;
	return reason_is(r, err, &REASON_USER_NOT_FOUND) ? 0 : r;
}

static int account_make(struct job *job, struct error *err)
{
	RegisterUserRequest request = REGISTER_USER_REQUEST_INIT;
	RegisterUserResponse *response;
	const struct client_call_options options = {.token = ""};
	struct patience p = PATIENCE;
	int r;

	request.user_name = job->name;
	request.password = job->password;
	request.language = (char *)"en";
	do {
		tally_calls(&job->im->tally, 1);
		r = edu_service_register_user_call(job->im->channel, &request, &options, job->arena,
						   &response, err);
	} while (patience_again(&p, r, err));
	if (r == 0) {
		job->user_id = response->user->user_id;
		job->fresh = true;
	}
	/* An answer was lost on the way. */
	if (p.tries && reason_is(r, err, &REASON_USER_NAME_IN_USE))
		r = account_find(job, err);
	return r;
}

static int account_ensure(struct job *job, struct error *err)
{
	int r = account_find(job, err);
	bool found = job->user_id;

	if (r == 0 && !found)
		r = account_make(job, err);
	tally_step(&job->im->tally, THING_ACCOUNT, r, found);
	return r;
}

static int account_sign_in(struct job *job, struct error *err)
{
	LoginRequest request = LOGIN_REQUEST_INIT;
	LoginResponse *response;
	const struct client_call_options options = {.token = ""};
	struct patience p = PATIENCE;
	int r;

	request.login = job->name;
	request.password = job->password;
	do {
		tally_calls(&job->im->tally, 1);
		r = edu_service_login_call(job->im->channel, &request, &options, job->arena, &response, err);
	} while (patience_again(&p, r, err));
	if (reason_is(r, err, &REASON_CREDENTIALS_INVALID))
		return error_set_message(
			err, "%s exists with another password than --learner-secret-file gives it",
			job->name);
	if (r == 0)
		job->token = response->session->access_token;
	return r;
}

/* --- the purchase --- */

/* The payment's id makes it count once, for ever. */
static int wallet_top_up(struct job *job, struct error *err)
{
	const struct options *o = job->im->options;
	TopUpWalletRequest request = TOP_UP_WALLET_REQUEST_INIT;
	TopUpWalletResponse *response;
	Money amount = MONEY_INIT;
	char key[UUID_TEXT_MAX];
	bool replayed = false;
	const struct client_call_options options = {.replayed = &replayed};
	struct patience p = PATIENCE;
	int r;

	amount.currency_code = (char *)o->currency;
	amount.minor_units = o->price;
	request.user_id = (char *)job->user_id;
	request.amount = &amount;
	request.provider = (char *)"oulad-import";
	request.provider_payment_id = request.request_id =
		key_uuid(key, "top-up/%s/%s/%" PRId64, job->name, o->currency, o->price);
	do {
		tally_calls(&job->im->tally, 1);
		r = edu_service_top_up_wallet_call(job->im->channel, &request, &options, job->arena,
						   &response, err);
	} while (patience_again(&p, r, err));
	tally_step(&job->im->tally, THING_TOP_UP, r, replayed);
	return r;
}

static int course_buy(struct job *job, struct error *err)
{
	const struct options *o = job->im->options;
	PurchaseCourseRequest request = PURCHASE_COURSE_REQUEST_INIT;
	PurchaseCourseResponse *response;
	Money total = MONEY_INIT;
	char key[UUID_TEXT_MAX];
	bool replayed = false;
	const struct client_call_options options = {.token = job->token, .replayed = &replayed};
	struct patience p = PATIENCE;
	int r;

	total.currency_code = (char *)o->currency;
	total.minor_units = o->price;
	request.course_id = job->im->course_id;
	request.currency_code = (char *)o->currency;
	request.expected_total = &total;
	request.payment_source = PAYMENT_SOURCE_WALLET;
	request.request_id = key_uuid(key, "purchase/%s/%s/%" PRId64, job->name, o->currency, o->price);
	do {
		tally_calls(&job->im->tally, 1);
		r = edu_service_purchase_course_call(job->im->channel, &request, &options, job->arena,
						     &response, err);
	} while (patience_again(&p, r, err));
	tally_step(&job->im->tally, THING_PURCHASE, r, replayed);
	return r;
}

/* --- the sessions --- */

static int progress_read(struct job *job, struct error *err)
{
	GetCourseProgressRequest request = GET_COURSE_PROGRESS_REQUEST_INIT;
	GetCourseProgressResponse *response;
	struct patience p = PATIENCE;
	int r;

	if (job->fresh)
		return 0;
	request.course_id = job->im->course_id;
	request.user_id = (char *)job->user_id;
	do {
		tally_calls(&job->im->tally, 1);
		r = edu_service_get_course_progress_call(job->im->channel, &request, NULL, job->arena,
							 &response, err);
	} while (patience_again(&p, r, err));
	if (r == 0)
		job->progress = response->progress;
	return reason_is(r, err, &REASON_ENROLLMENT_NOT_FOUND) ? 0 : r;
}

static const LessonProgress *lesson_recorded(const struct job *job, unsigned material)
{
	for (size_t i = 0; job->progress && i < job->progress->n_lessons; i++) {
		if (strcmp(job->progress->lessons[i]->lesson_id, job->im->lesson_ids[material]) == 0)
			return job->progress->lessons[i];
	}
	return NULL;
}

/*
 * A lesson whose recorded sessions are not, in number and in sum, those of the data is sent whole: progress
 * merges, so what was recorded before stays what it is.
 */
static int sessions_choose(struct job *job, struct error *err)
{
	unsigned first = job->learner->first_session, n = job->learner->n_sessions, end;
	const struct oulad_session *s = &job->im->data.sessions[first];

	job->missing = arena_array(job->arena, n, sizeof(*job->missing));
	if (n && !job->missing)
		return error_internal(err, "memory is short");
	for (unsigned begin = 0; begin < n; begin = end) {
		int64_t clicks = 0;
		for (end = begin; end < n && s[end].material == s[begin].material; end++)
			clicks += s[end].clicks;
		const LessonProgress *recorded = lesson_recorded(job, s[begin].material);
		if (recorded && recorded->session_count == end - begin && recorded->interactions == clicks)
			continue;
		for (unsigned i = begin; i < end; i++)
			job->missing[job->n_missing++] = first + i;
	}
	tally_add(&job->im->tally, THING_SESSION, FATE_FOUND, n - job->n_missing);
	return 0;
}

static int sessions_send(struct job *job, struct error *err)
{
	const struct report_batch batch = {
		.user_name = job->name,
		.token = job->token,
		.epoch = job->progress ? job->progress->epoch : 0,
		.sessions = job->missing,
		.n_sessions = job->n_missing,
	};

	return job->n_missing ? report_pool_send(job->pool, &batch, err) : 0;
}

/* --- all --- */

/* Signs in only when something is left to do in the learner's own name. */
static int enrollment_import(struct job *job, struct error *err)
{
	int r = progress_read(job, err);
	if (r == 0)
		r = sessions_choose(job, err);
	if (r == 0 && job->progress)
		tally_add(&job->im->tally, THING_PURCHASE, FATE_FOUND, 1);
	if (r == 0 && (!job->progress || job->n_missing))
		r = account_sign_in(job, err);
	if (r == 0 && !job->progress)
		r = wallet_top_up(job, err);
	if (r == 0 && !job->progress)
		r = course_buy(job, err);
	return r < 0 ? r : sessions_send(job, err);
}

int learner_import(struct import *im, struct report_pool *pool, const struct oulad_learner *learner,
		   struct arena *arena, struct error *err)
{
	struct job job = {.im = im, .pool = pool, .learner = learner, .arena = arena};
	int r = key_user_name(&im->data, learner->id, job.name, err);

	if (r < 0)
		return r;
	key_password(im->learner_secret, job.name, job.password);
	r = account_ensure(&job, err);
	if (r == 0 && learner->registered)
		r = enrollment_import(&job, err);
	if (r < 0) {
		connection_keep_error(err);
		error_add_metadata(err, "learner", "%s", job.name);
	}
	return r;
}
