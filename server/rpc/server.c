/* SPDX-License-Identifier: Apache-2.0 */
#include <grpc/support/log.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/rpc/core_locks.h"
#include "server/rpc/keeper.h"
#include "server/rpc/lifecycle.h"
#include "server/rpc/listener.h"
#include "server/rpc/reflection.h"
#include "server/rpc/server_state.h"

enum {
	QUIET_MS = 250,      /* without a new call, a server that drains takes it that none is on its way */
	LAST_WORD_MS = 1000, /* for the answers of calls whose time is over */
	GOAWAY_NOTICE_MS = 500, /* then idle connections are closed */
	DRAIN_POLL_MS = 20,
	IDLE_POLL_MS = 2,
	CORE_LOG_PAUSE_US = 1000 * 1000,
};

static const char *const place_names[RPC_PLACES] = {
	[RPC_ON_POLLER] = "poller",
	[RPC_ON_DB] = "db",
	[RPC_ON_PASSWORD] = "password",
};

/* The rest is for those the pollers hand work to; and pollers with one connection wait for each other. */
static unsigned pollers_fitting(void)
{
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors > 3 ? (unsigned)processors / 2 : 1;
}

void rpc_server_config_defaults(struct rpc_server_config *config)
{
	*config = (struct rpc_server_config){
		.address = "127.0.0.1:50051",
		.pollers = pollers_fitting(),
		/* Few: Debian's core walks all that is posted on a queue at each event. */
		.hot_slots = 64,
		.catch_all_slots = 32,
		.max_calls = 4096,
		.arena_cap = 8 * 1024 * 1024,
		.memory = 160 * 1024 * 1024,
		.caller_ms = 10 * 1000,
		.limits = wire_limits_default,
		.error_domain = "",
		.drain_notice_ms = 3000,
		.drain_ms = 10 * 1000,
		.default_deadline_ms = 30 * 1000,
		.reflection = true,
		.executors =
			{
				[RPC_ON_DB] =
					{.threads = 8, .queue = 1024, .wait_ms = 500, .stranger_threads = 4},
				[RPC_ON_PASSWORD] = {.threads = 2, .queue = 64, .wait_ms = 500},
			},
	};
}

/* --- the table --- */

static unsigned rows_count(const struct rpc_row *const *rows)
{
	unsigned n = 0;

	while (rows[n])
		n++;
	return n;
}

static int method_place(const struct rpc_server *s, const struct method *m, struct error *err)
{
	const enum rpc_place place = m->row->place;

	if (place != RPC_ON_POLLER && s->config.executors[place].threads == 0)
		return error_internal(err, "%s runs on %s threads, and there are none", m->desc->path,
				      place_names[place]);
	return 0;
}

static int method_recorded(const struct rpc_server *s, const struct method *m, struct error *err)
{
	const struct rpc_server_config *config = &s->config;

	if (m->records && (!config->record_read || config->executors[RPC_ON_DB].threads == 0))
		return error_internal(err, "%s reads what may be another's, and nobody records it",
				      m->desc->path);
	return 0;
}

static int row_add(struct rpc_server *s, const struct rpc_row *row, struct error *err)
{
	struct method *m = &s->methods[s->n_methods];
	int r = method_bind(m, row, err);

	if (r == 0)
		r = method_place(s, m, err);
	if (r == 0)
		r = method_recorded(s, m, err);
	if (r < 0)
		return r;
	if (!path_table_add(&s->paths, m))
		return error_internal(err, "%s has two rows", m->desc->path);
	m->times = &s->method_times[s->n_methods];
	observe_init(&m->observe, m->desc->service->name, m->desc->name);
	s->n_methods++;
	return 0;
}

static int rows_add(struct rpc_server *s, const struct rpc_row *const *rows, struct error *err)
{
	int r = 0;

	for (; *rows && r == 0; rows++)
		r = row_add(s, *rows, err);
	return r;
}

static int service_check(const struct rpc_server *s, const struct service_desc *service, struct error *err)
{
	for (unsigned i = 0; i < service->n_methods; i++) {
		if (!path_table_find(&s->paths, span_str(service->methods[i].path)))
			return error_internal(err, "nothing serves %s", service->methods[i].path);
	}
	return 0;
}

static int methods_make(struct rpc_server *s, const struct rpc_row *const *rows,
			const struct service_desc *const *services, struct error *err)
{
	unsigned n = rows_count(rows) + rows_count(health_rows) + rows_count(reflection_rows);

	s->methods = calloc(n ? n : 1, sizeof(*s->methods));
	s->method_times = calloc(n ? n : 1, sizeof(*s->method_times));
	if (!s->methods || !s->method_times || !path_table_init(&s->paths, n))
		return error_internal(err, "out of memory");
	int r = rows_add(s, rows, err);
	if (r == 0)
		r = rows_add(s, health_rows, err);
	if (r == 0 && s->config.reflection)
		r = rows_add(s, reflection_rows, err);
	for (; *services && r == 0; services++)
		r = service_check(s, *services, err);
	return r;
}

/* --- core's words --- */

/*
 * What core calls an error is mostly a peer's doing, in his words, who may do it a thousand times a second:
 * one line a second is shown, the rest in debug only.
 */
static void core_log(gpr_log_func_args *args)
{
	static _Atomic int64_t quiet_until_us;
	const int64_t now_us = monotonic_us();
	enum log_level level = LOG_LEVEL_DEBUG;
	struct log_text text;

	if (args->severity == GPR_LOG_SEVERITY_ERROR && now_us >= atomic_load(&quiet_until_us)) {
		atomic_store(&quiet_until_us, now_us + CORE_LOG_PAUSE_US);
		level = LOG_LEVEL_WARNING;
	}
	log_write(level, "grpc: %s", log_quote(&text, args->message));
}

/* --- a server's life --- */

static int server_init(struct rpc_server *s, const struct rpc_row *const *rows,
		       const struct service_desc *const *services, struct error *err)
{
	standing_init(&s->standing, 1 + s->config.max_calls / 8);
	if (getrandom(&s->boot, sizeof(s->boot), 0) != sizeof(s->boot))
		return error_internal(err, "the kernel has no random bytes");
	s->health.services = services;
	s->under_way_gauge =
		observe_gauge("edu_rpc_calls_under_way", "Calls taken and not yet over.", NULL, NULL);
	observe_init(&s->unknown, "", "");
	int r = methods_make(s, rows, services, err);
	if (r == 0 && s->config.reflection)
		r = reflection_new(services, &s->reflection, err);
	return r;
}

/* Each keeps a block of memory that the budget counts: a quarter of it at most is for those that are free. */
static unsigned calls_kept(const struct rpc_server_config *config)
{
	const size_t kept = config->memory / 2 / 4 / ARENA_FIRST_BLOCK / config->pollers;

	return kept < CALLS_KEPT_MAX ? (unsigned)kept : CALLS_KEPT_MAX;
}

int rpc_server_new(const struct rpc_server_config *config, const struct rpc_row *const *rows,
		   const struct service_desc *const *services, struct rpc_server **ret, struct error *err)
{
	if (config->pollers == 0 || config->catch_all_slots == 0 || config->max_calls == 0)
		return error_internal(err,
				      "a server needs a poller, a slot for any method and room for a call");
	struct rpc_server *s = calloc(1, sizeof(*s));
	if (!s)
		return error_internal(err, "out of memory");
	s->config = *config;
	s->memory.max = config->memory / 2;
	s->calls_kept = calls_kept(config);
	gpr_set_log_function(core_log);
	core_locks_stop_checking();
	grpc_init();
	int r = server_init(s, rows, services, err);
	if (r < 0)
		rpc_server_free(s);
	else
		*ret = s;
	return r;
}

static bool method_hot(const struct rpc_server *s, const struct method *m)
{
	return m->row->hot && s->config.hot_slots > 0 && method_takes_one(m);
}

static int hot_register(struct rpc_server *s, struct error *err)
{
	for (unsigned i = 0; i < s->n_methods; i++) {
		struct method *m = &s->methods[i];

		if (!method_hot(s, m))
			continue;
		m->registered = grpc_server_register_method(s->core, m->desc->path, NULL,
							    GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
		if (!m->registered)
			return error_internal(err, "core refused to register %s", m->desc->path);
	}
	return 0;
}

static int pollers_make(struct rpc_server *s, struct error *err)
{
	int r = 0;

	s->pollers = calloc(s->config.pollers, sizeof(*s->pollers));
	if (!s->pollers)
		return error_internal(err, "out of memory");
	while (r == 0 && s->n_pollers < s->config.pollers) {
		struct poller *p = &s->pollers[s->n_pollers];

		r = poller_init(p, s, s->n_pollers, err);
		if (r == 0) {
			grpc_server_register_completion_queue(s->core, p->queue, NULL);
			s->n_pollers++;
		}
	}
	return r;
}

static int executors_start(struct rpc_server *s, struct error *err)
{
	int r = 0;

	for (s->n_executors = RPC_ON_POLLER + 1; s->n_executors < RPC_PLACES; s->n_executors++) {
		r = executor_start(&s->executors[s->n_executors], &s->config.executors[s->n_executors],
				   (enum rpc_place)s->n_executors, place_names[s->n_executors], err);
		if (r < 0)
			break;
	}
	return r;
}

static int core_start(struct rpc_server *s, struct error *err)
{
	s->core = listener_make(&s->config);
	if (!s->core)
		return error_internal(err, "core made no server");
	int r = hot_register(s, err);
	if (r == 0)
		r = pollers_make(s, err);
	if (r == 0)
		r = listener_bind(s->core, &s->config, &s->port, err);
	return r;
}

int rpc_server_start(struct rpc_server *s, struct error *err)
{
	int r = core_start(s, err);

	if (r == 0)
		r = executors_start(s, err);
	if (r < 0)
		return r;
	gate_init(&s->gate, s->port);
	grpc_server_start(s->core);
	atomic_store(&s->stage, SERVER_RUNNING);
	for (unsigned i = 0; i < s->n_pollers && r == 0; i++)
		r = poller_start(&s->pollers[i], err);
	if (r == 0)
		r = keeper_start(s, err);
	return r;
}

unsigned rpc_server_deaf(const struct rpc_server *s)
{
	return atomic_load(&s->silent);
}

int rpc_server_port(const struct rpc_server *s)
{
	return s->port;
}

void rpc_server_set_serving(struct rpc_server *s, bool serving)
{
	atomic_store(&s->health.serving, serving);
	standing_wake(&s->standing);
}

/* --- the end --- */

static void sleep_ms(int ms)
{
	const struct timespec t = timespec_of_us(ms * INT64_C(1000));

	nanosleep(&t, NULL);
}

static gpr_timespec in_ms(int ms)
{
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

/*
 * New calls are answered DRAINING; those under way end. Over when there is neither, for as long as calls may
 * be on their way in: what core has not handed out when it is shut gets CANCELLED, which no client repeats.
 */
static void calls_drain(struct rpc_server *s)
{
	const int notice_ms = s->config.drain_notice_ms;
	const int64_t quiet_us = (notice_ms < QUIET_MS ? notice_ms : QUIET_MS) * INT64_C(1000);
	int64_t now_us = monotonic_us();
	const int64_t end_us = now_us + (s->config.drain_ms + LAST_WORD_MS) * INT64_C(1000);

	atomic_store(&s->refused_us, now_us);
	atomic_store(&s->stage, SERVER_DRAINING);
	standing_wake(&s->standing);
	while (now_us < end_us && (atomic_load_explicit(&s->under_way, memory_order_acquire) > 0 ||
				   now_us - atomic_load(&s->refused_us) < quiet_us)) {
		sleep_ms(DRAIN_POLL_MS);
		now_us = monotonic_us();
	}
}

/*
 * Core takes no more connections. Those without a call get a moment to hear the GOAWAY: clients that do not
 * look at theirs while idle would take seconds. Then they are cut, and with them the calls still under way.
 */
static void core_shut(struct rpc_server *s)
{
	grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
	const unsigned under_way = atomic_load(&s->under_way);

	gate_done(&s->gate);
	grpc_server_shutdown_and_notify(s->core, queue, s);
	if (under_way > 0)
		log_warning("calls still under way after %d ms are cancelled: %u", s->config.drain_ms,
			    under_way);
	if (under_way > 0 ||
	    grpc_completion_queue_next(queue, in_ms(GOAWAY_NOTICE_MS), NULL).type == GRPC_QUEUE_TIMEOUT) {
		grpc_server_cancel_all_calls(s->core);
		grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	}
	grpc_completion_queue_shutdown(queue);
	while (grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
	       GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(queue);
}

/* Core being done does not mean that handlers are: a cancelled call may still be on an executor. */
static void calls_await(struct rpc_server *s)
{
	while (atomic_load_explicit(&s->under_way, memory_order_acquire) > 0)
		sleep_ms(IDLE_POLL_MS);
}

void rpc_server_stop(struct rpc_server *s)
{
	enum server_stage stage = atomic_load(&s->stage);

	if (stage == SERVER_STOPPED)
		return;
	if (stage == SERVER_RUNNING) {
		rpc_server_set_serving(s, false);
		sleep_ms(s->config.drain_notice_ms);
		calls_drain(s);
	}
	if (s->core) {
		core_shut(s);
		calls_await(s);
	}
	keeper_stop(s);
	while (s->n_executors > RPC_ON_POLLER + 1)
		executor_stop(&s->executors[--s->n_executors]);
	for (unsigned i = 0; i < s->n_pollers; i++)
		poller_stop(&s->pollers[i]);
	atomic_store(&s->stage, SERVER_STOPPED);
}

void rpc_server_free(struct rpc_server *s)
{
	rpc_server_stop(s);
	if (s->core)
		grpc_server_destroy(s->core);
	for (unsigned i = 0; i < s->n_pollers; i++)
		poller_done(&s->pollers[i]);
	free(s->pollers);
	reflection_free(s->reflection);
	path_table_done(&s->paths);
	standing_done(&s->standing);
	free(s->methods);
	free(s->method_times);
	free(s);
	grpc_shutdown();
}
