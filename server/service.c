/* SPDX-License-Identifier: Apache-2.0 */
#include "server/service.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "edu/v1/edu_service.server.h"
#include "server/access/access_feed.h"
#include "server/access/access_store.h"
#include "server/access/enrollment.h"
#include "server/access/grant.h"
#include "server/auth/authenticator.h"
#include "server/auth/password.h"
#include "server/base/id_queue.h"
#include "server/base/log.h"
#include "server/base/ticker.h"
#include "server/course/course_content.h"
#include "server/course/course_feed.h"
#include "server/course/course_rating.h"
#include "server/course/course_revision.h"
#include "server/course/instructor_store.h"
#include "server/course/lesson_copy.h"
#include "server/course/section_store.h"
#include "server/course/subject_store.h"
#include "server/db/audit.h"
#include "server/db/due.h"
#include "server/db/guard.h"
#include "server/db/idem.h"
#include "server/db/lease.h"
#include "server/db/migrate.h"
#include "server/duties.h"
#include "server/lesson/content_store.h"
#include "server/lesson/download.h"
#include "server/money/payment_store.h"
#include "server/money/wallet_store.h"
#include "server/organization/organization_names.h"
#include "server/progress/progress_write.h"
#include "server/purchase/purchase_feed.h"
#include "server/purchase/purchase_store.h"
#include "server/quiz/quiz_store.h"
#include "server/review/report_store.h"
#include "server/review/review_feed.h"
#include "server/review/review_store.h"
#include "server/rpc/server.h"
#include "server/search/catalogue_store.h"
#include "server/search/index_store.h"
#include "server/search/keeper.h"
#include "server/sequencing.h"
#include "server/user/session_confirm.h"
#include "server/user/session_store.h"
#include "server/user/user.h"
#include "server/user/user_feed.h"
#include "server/user/user_names.h"

enum {
	WATCH_MS = 500,          /* how often readiness is looked at */
	SILENT_LOOKS = 2,        /* some 2 s each: a port that does not answer makes the replica not ready */
	DEAF_LOOKS = 10,         /* and then ends it */
	FEED_STALE_US = 5000000, /* a feed older than this makes the replica not ready */
	FEED_STALE_RETRY_MS = 1000, /* what a caller refused for it is told to wait */
	COURSES_CHANGED_MAX = 1 << 16,
};

static const struct rpc_row *const rows[] = EDU_SERVICE_ROWS;
static const struct service_desc *const services[] = {&edu_service_desc, NULL};

/* Every statement a database worker may be asked to run. */
static const struct db_stmt_list *const worker_stmts[] = {
	&idem_stmts,
	&event_stmts,
	&audit_stmts,
	&user_stmts,
	&session_stmts,
	&course_stmts,
	&course_revision_stmts,
	&course_rating_stmts,
	&course_content_stmts,
	&instructor_stmts,
	&subject_stmts,
	&catalogue_stmts,
	&index_stmts,
	&section_stmts,
	&lesson_stmts,
	&lesson_copy_stmts,
	&lesson_info_stmts,
	&content_stmts,
	&download_stmts,
	&purchase_stmts,
	&wallet_stmts,
	&payment_stmts,
	&access_stmts,
	&grant_stmts,
	&enrollment_stmts,
	&progress_stmts,
	&review_stmts,
	&report_stmts,
	&quiz_stmts,
	&due_stmts,
	NULL,
};

struct service {
	const struct service_config *config;
	struct db_config db; /* the config's, with the guard of this service's connections */
	struct app app;
	struct passwords passwords;
	struct db_conn **workers; /* made here; a worker that takes its own leaves NULL, and closes it */
	struct event_feed *feed;
	struct sequencing *sequencing;
	struct catalogue_keeper *keeper;
	struct duties *duties;
	struct rpc_server *rpc;

	struct ticker *watch;
	bool serving; /* what health says; the watch's */
	atomic_bool draining, broken;
};

void service_config_defaults(struct service_config *config)
{
	struct rpc_server_config rpc;
	rpc_server_config_defaults(&rpc);
	*config = (struct service_config){
		.db = {.connect_timeout_s = 5, .lock_wait_s = 10},
		.listen = "127.0.0.1:50051",
		.pollers = rpc.pollers,
		.hot_slots = rpc.hot_slots,
		.catch_all_slots = rpc.catch_all_slots,
		.max_calls = 20000,
		.memory = rpc.memory,
		.caller_ms = rpc.caller_ms,
		.db_workers = 16,
		.db_queue = 1024,
		.password_workers = 2,
		.password_queue = 256,
		.queue_wait_ms = rpc.executors[RPC_ON_DB].wait_ms,
		.default_deadline_ms = rpc.default_deadline_ms,
		.drain_notice_ms = rpc.drain_notice_ms,
		.drain_ms = rpc.drain_ms,
		.reflection = true,
		.access_token_us = TOKEN_LIFETIME_US,
		.platform_basis_points = 3000,
		.content = {.upload_us = HOUR_US,
			    .stream_us = HOUR_US,
			    .download_us = 30 * DAY_US,
			    .download_devices = 5,
			    .download_lessons = 100},
		.refresh_token_us = 30 * DAY_US,
		.argon2_kib = PASSWORD_MEMORY_KIB,
		.argon2_passes = PASSWORD_PASSES,
		.rate_default = 2000,
		.rate_stranger = 100,
		.rate_login = 20,
		.cache_bytes = 64 << 20,
		.combiner_lanes = 2,
		.combiner_batch = 512,
		.combiner_queue = 20000,
		.record_us = 15 * MINUTE_US,
		.feed_poll_ms = 250,
		.sequencer = true,
		.job_workers = 2,
		.keep_replies_us = DAY_US,
		.keep_sessions_us = 30 * DAY_US,
		.keep_events_us = 90 * DAY_US,
		.keep_progress_us = 35 * DAY_US,
		.keep_leases_us = 7 * DAY_US,
		.keep_misses_us = 90 * DAY_US,
		.keep_uploads_us = 7 * DAY_US,
		.keep_downloads_us = DAY_US,
		.clock = &clock_system,
		.lease_clock = &clock_system,
	};
}

/* --- the feed --- */

static void on_event(void *arg, const struct event *e)
{
	struct service *s = arg;
	user_on_event(s->app.auth, e);
	course_on_event(s->app.courses, s->app.lessons, e);
	instructor_on_event(s->app.instructors, e);
	catalogue_on_event(s->app.catalogue, e);
	access_on_event(s->app.access, e);
	purchase_on_event(s->app.access, e);
	review_on_event(s->app.courses, s->app.catalogue, e);
}

/* Events may have been missed: nothing that was remembered is believed any more. */
static void on_feed_lost(void *arg)
{
	struct service *s = arg;
	cache_clear(s->app.courses);
	cache_clear(s->app.instructors);
	cache_clear(s->app.lessons);
	cache_clear(s->app.access);
	catalogue_lost(s->app.catalogue);
	auth_all_changed(s->app.auth);
}

/* Before the first call is served, the feed has begun: what changes from then on is told. */
static int start_feed(struct service *s, struct error *err)
{
	const struct event_feed_config config = {
		.db = &s->db,
		.poll_ms = s->config->feed_poll_ms,
		.listener = on_event,
		.lost = on_feed_lost,
		.arg = s,
	};
	int r = event_feed_start(&config, &s->feed, err);
	return r == 0 && s->config->sequencer
		       ? sequencing_start(s->config, &s->db, &s->app, &s->sequencing, err)
		       : r;
}

/* --- authentication --- */

/* A class nobody knows would count its calls against the default budget, silently. */
static int check_rate_classes(struct error *err)
{
	for (const struct service_desc *const *service = services; *service; service++)
		for (unsigned i = 0; i < (*service)->n_methods; i++) {
			const struct method_desc *m = &(*service)->methods[i];
			if (!rate_class_known(m->policy.rate_class))
				return error_internal(err,
						      "%s names the rate class \"%s\", which there is not",
						      m->path, m->policy.rate_class);
		}
	return 0;
}

/*
 * A replica that no longer hears of changes serves nobody who is signed in: what it remembers of their rights
 * may be over. One read of memory, as the call brings its time.
 */
static int check_feed(const struct service *s, int64_t now_us, struct error *err)
{
	if (now_us - event_feed_read_us(s->feed) <= FEED_STALE_US)
		return 0;
	(void)!error_raise(
		err, &RPC_REASON_RIGHTS_UNCONFIRMED,
		"This server has not heard of changed rights for 5 seconds. Nothing was done; wait "
		"and repeat.");
	return error_set_retry(err, FEED_STALE_RETRY_MS);
}

static int authenticate(void *arg, const struct rpc_bearer *bearer, struct principal *ret, struct error *err)
{
	struct service *s = arg;
	int r = check_feed(s, bearer->began_us, err);

	return r < 0 ? r : auth_authenticate(s->app.auth, bearer->token, bearer->address, ret, err);
}

static int admit(void *arg, const char *rate_class, const struct principal *who, const char *address,
		 struct error *err)
{
	struct service *s = arg;

	return rate_admit(s->app.auth->rates, rate_class, who, address, err);
}

enum { RATES_MAX = 6, RATE_SPEC_MAX = 40 };

static void rate_spec(char out[RATE_SPEC_MAX], const char *rate_class, unsigned per_second, unsigned seconds)
{
	snprintf(out, RATE_SPEC_MAX, "%s=%u/%u", rate_class, per_second, seconds * per_second + 1);
}

/* Without a limit on logins there is none on wrong passwords either. */
static unsigned rate_specs(const struct service_config *config, char ret[RATES_MAX][RATE_SPEC_MAX])
{
	unsigned n = 0;

	rate_spec(ret[n++], RATE_DEFAULT, config->rate_default, 2);
	rate_spec(ret[n++], RATE_STRANGER, config->rate_stranger, 2);
	rate_spec(ret[n++], RATE_TOKEN, config->rate_stranger, 2);
	rate_spec(ret[n++], RATE_LOGIN, config->rate_login, 3);
	if (config->rate_login)
		return n;
	rate_spec(ret[n++], RATE_LOGIN_SOURCE, 0, 0);
	rate_spec(ret[n++], RATE_LOGIN_ACCOUNT, 0, 0);
	return n;
}

static int start_auth(struct service *s, struct error *err)
{
	const struct service_config *config = s->config;
	char specs[RATES_MAX][RATE_SPEC_MAX];
	const char *rates[RATES_MAX + 1] = {0};
	struct auth_config auth;

	for (unsigned n = rate_specs(config, specs); n > 0; n--)
		rates[n - 1] = specs[n - 1];
	auth_config_defaults(&auth);
	auth.key_dir = config->key_dir;
	auth.kinds = (struct token_kinds){ID_USER, ID_SESSION, ID_ORGANIZATION};
	auth.token_lifetime_us = config->access_token_us;
	auth.rates = rates;
	auth.clock = config->clock;
	int r = check_rate_classes(err);
	if (r >= 0)
		r = passwords_init(&s->passwords, config->argon2_kib, config->argon2_passes, err);
	return r < 0 ? r : auth_new(&auth, &s->app.auth, err);
}

/* --- database workers --- */

static int open_workers(struct service *s, struct error *err)
{
	s->workers = calloc(s->config->db_workers, sizeof(struct db_conn *));
	if (!s->workers)
		return error_internal(err, "out of memory");
	for (unsigned i = 0; i < s->config->db_workers; i++) {
		int r = db_open(&s->db, worker_stmts, &s->workers[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void *worker_start(void *arg, unsigned index)
{
	struct service *s = arg;
	struct db_conn *conn = s->workers[index];
	s->workers[index] = NULL;
	return conn;
}

/* The caller of what the worker works on is gone. */
static void worker_interrupt(void *context)
{
	db_interrupt(context);
}

static void worker_stop(void *context)
{
	db_close(context);
}

static int start_progress(struct service *s, struct error *err)
{
	const struct service_config *config = s->config;
	const struct progress_writer_config writer = {
		.db = &s->db,
		.lanes = config->combiner_lanes,
		.queue = config->combiner_queue,
		.batch_max = config->combiner_batch,
		.wait_ms = config->queue_wait_ms,
	};

	return progress_writer_start(&s->app, &writer, err);
}

/* --- caches --- */

static int make_caches(struct service *s, struct error *err)
{
	size_t bytes = s->config->cache_bytes;
	s->app.courses = cache_new(bytes / 16 * 5, "cache=\"courses\"");
	s->app.lesson_pages = cache_new(bytes / 8, "cache=\"lesson_pages\"");
	s->app.instructors = cache_new(bytes / 16, "cache=\"instructors\"");
	s->app.courses_changed = id_queue_new(COURSES_CHANGED_MAX);
	s->app.catalogue = catalogue_new(bytes / 4, s->app.courses_changed);
	s->app.lessons = cache_new(bytes / 8, "cache=\"lessons\"");
	s->app.access = cache_new(bytes / 8, "cache=\"access\"");
	if (!s->app.courses || !s->app.lesson_pages || !s->app.instructors || !s->app.catalogue ||
	    !s->app.lessons || !s->app.access)
		return error_internal(err, "out of memory for the caches");
	return 0;
}

/* --- the object store --- */

static int ready_objects(struct service *s, struct error *err)
{
	s->app.content = s->config->content;
	return s->config->objects.endpoint ? object_bucket_new(&s->config->objects, &s->app.objects, err) : 0;
}

static int lease_node(struct service *s, struct error *err)
{
	const struct node_lease_config config = {.db = &s->db, .clock = s->config->lease_clock};
	return node_lease_start(&config, &s->app.node, err);
}

/* --- the server --- */

static int start_rpc(struct service *s, struct error *err)
{
	const struct service_config *config = s->config;
	struct rpc_server_config rpc;

	rpc_server_config_defaults(&rpc);
	rpc.address = config->listen;
	rpc.tls_certificate = config->tls_certificate;
	rpc.tls_key = config->tls_key;
	rpc.pollers = config->pollers;
	rpc.hot_slots = config->hot_slots;
	rpc.catch_all_slots = config->catch_all_slots;
	rpc.max_calls = config->max_calls;
	rpc.memory = config->memory;
	rpc.caller_ms = config->caller_ms;
	rpc.error_domain = "edu.v1";
	rpc.drain_notice_ms = config->drain_notice_ms;
	rpc.drain_ms = config->drain_ms;
	rpc.default_deadline_ms = config->default_deadline_ms;
	rpc.reflection = config->reflection;
	rpc.trust_forwarded_for = config->trust_forwarded_for;
	rpc.auth = (struct rpc_authenticator){
		.authenticate = authenticate, .confirm = session_confirm, .admit = admit, .arg = s};
	rpc.record_read = app_record_read;
	rpc.executors[RPC_ON_DB] = (struct rpc_executor_config){
		.threads = config->db_workers,
		.queue = config->db_queue,
		.wait_ms = config->queue_wait_ms,
		.stranger_threads = (config->db_workers + 1) / 2,
		.thread_start = worker_start,
		.thread_stop = worker_stop,
		.interrupt = worker_interrupt,
		.arg = s,
	};
	rpc.executors[RPC_ON_PASSWORD] = (struct rpc_executor_config){
		.threads = config->password_workers,
		.queue = config->password_queue,
		.wait_ms = config->queue_wait_ms,
	};
	rpc.app = &s->app;
	int r = rpc_server_new(&rpc, rows, services, &s->rpc, err);
	return r < 0 ? r : rpc_server_start(s->rpc, err);
}

/* --- readiness --- */

int service_ready(void *service, const char **why)
{
	const struct service *s = service;
	*why = "";
	if (atomic_load(&s->draining))
		*why = "the server is stopping";
	else if (rpc_server_deaf(s->rpc) >= SILENT_LOOKS)
		*why = "nobody answers at the server's own port";
	else if (node_lease_ready(s->app.node, why) && event_feed_age_us(s->feed) > FEED_STALE_US)
		*why = "the event feed is more than 5 s behind";
	else if (!**why && !catalogue_ready(s->app.catalogue))
		*why = "the catalogue is being read";
	return !**why;
}

/* Health says what readiness says. Somebody else with our node id is nothing to live with: the process ends.
 */
static void watch(void *arg)
{
	struct service *s = arg;
	const char *why;
	const bool ready = service_ready(s, &why);

	if (ready != s->serving) {
		log_warning(ready ? "ready again%s" : "not ready: %s", why);
		rpc_server_set_serving(s->rpc, ready);
	}
	s->serving = ready;
	if (rpc_server_deaf(s->rpc) >= DEAF_LOOKS && !atomic_load(&s->broken)) {
		log_error("nobody answers at the server's own port: stopping");
		atomic_store(&s->broken, true);
		kill(getpid(), SIGTERM);
	}
	if (node_lease_stolen(s->app.node) && !atomic_exchange(&s->broken, true))
		kill(getpid(), SIGTERM);
}

static int start_watch(struct service *s, struct error *err)
{
	rpc_server_set_serving(s->rpc, true);
	s->serving = true;
	return ticker_start("readiness", watch, s, WATCH_MS * INT64_C(1000), &s->watch, err);
}

/* --- all of it --- */

static int start_all(struct service *s, struct error *err)
{
	const struct service_config *config = s->config;
	int r = db_guard_start(&config->db, &s->db.guard, err);
	if (r >= 0)
		r = migrate_check(&s->db, err);
	if (r >= 0)
		r = make_caches(s, err);
	if (r >= 0)
		r = ready_objects(s, err);
	if (r >= 0)
		r = lease_node(s, err);
	if (r >= 0)
		r = start_auth(s, err);
	if (r >= 0)
		r = open_workers(s, err);
	if (r >= 0)
		r = start_progress(s, err);
	if (r >= 0)
		r = start_feed(s, err);
	if (r >= 0)
		r = catalogue_keeper_start(s->app.catalogue, &s->db, &s->keeper, err);
	if (r >= 0)
		r = duties_start(config, &s->db, &s->app, &s->duties, err);
	if (r >= 0)
		r = start_rpc(s, err);
	return r < 0 ? r : start_watch(s, err);
}

int service_start(const struct service_config *config, struct service **ret, struct error *err)
{
	struct service *s = calloc(1, sizeof(*s));
	if (!s)
		return error_internal(err, "out of memory");
	s->config = config;
	s->db = config->db;
	s->app = (struct app){
		.clock = config->clock,
		.passwords = &s->passwords,
		.platform_basis_points = config->platform_basis_points,
		.refresh_token_us = config->refresh_token_us,
	};
	int r = start_all(s, err);
	if (r < 0) {
		service_stop(s);
		return r;
	}
	*ret = s;
	return 0;
}

void service_drain(struct service *s)
{
	const int64_t ms = (int64_t)s->config->drain_notice_ms + s->config->drain_ms;
	if (s->db.guard && !atomic_exchange(&s->draining, true))
		db_guard_cut_at(s->db.guard, monotonic_us() + ms * 1000);
	duties_end(s->duties); /* other servers do what is due */
	ticker_stop(s->watch);
	s->watch = NULL;
	if (s->rpc)
		rpc_server_stop(s->rpc);
}

/* Calls first, then what they wait for, then what those use. */
void service_stop(struct service *s)
{
	if (!s)
		return;
	service_drain(s);
	duties_stop(s->duties);
	progress_writer_stop(&s->app);
	event_feed_stop(s->feed);
	catalogue_keeper_stop(s->keeper);
	sequencing_stop(s->sequencing);
	if (s->rpc)
		rpc_server_free(s->rpc);
	for (unsigned i = 0; s->workers && i < s->config->db_workers; i++)
		db_close(s->workers[i]);
	free(s->workers);
	if (s->app.auth)
		auth_free(s->app.auth);
	node_lease_stop(s->app.node);
	db_guard_stop(s->db.guard);
	cache_free(s->app.courses);
	cache_free(s->app.lesson_pages);
	cache_free(s->app.instructors);
	cache_free(s->app.lessons);
	cache_free(s->app.access);
	catalogue_free(s->app.catalogue);
	id_queue_free(s->app.courses_changed);
	object_bucket_free(s->app.objects);
	secret_wipe(&s->passwords, sizeof(s->passwords));
	free(s);
}

bool service_broken(const struct service *s)
{
	return atomic_load(&s->broken);
}

int service_port(const struct service *s)
{
	return rpc_server_port(s->rpc);
}

struct app *service_app(struct service *s)
{
	return &s->app;
}

const char *service_jwks(void *service)
{
	struct service *s = service;
	return auth_jwks(s->app.auth);
}
