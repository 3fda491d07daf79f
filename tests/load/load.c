/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load generator for unary calls: keeps a number of them in flight, checks the status of every one, and
 * prints one JSON object. Exits 0 only when each call answered OK with a message.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/error.h"
#include "tests/load/worker.h"

static const char usage[] =
	"usage: load --target HOST:PORT --path /package.Service/Method [options]\n"
	"  --payload-hex HEX       one request, packed\n"
	"  --payload-file FILE     the same, from a file\n"
	"  --requests-file FILE    many, each after its length as a varint; drawn in order, over and over\n"
	"  --token TOKEN           bearer token\n"
	"  --tokens-file FILE      many, one a line; call n takes token n\n"
	"  --connections N         [1]\n"
	"  --rate N                calls that begin in a second, not more than --concurrency under way; 0: "
	"each as\n"
	"                          soon as another ended [0]\n"
	"  --concurrency N         calls in flight, over all connections [16]\n"
	"  --threads N             [1]\n"
	"  --seconds S             [5]\n"
	"  --warmup S              before that; checked, not measured [0.5]\n"
	"  --requests N            stop after that many calls; as many as --requests-file has with --once\n"
	"  --once\n"
	"  --timeout-ms N          of a call [10000]\n"
	"  --fail-fast             stop at the first call that fails\n";

struct options {
	struct run run;
	double seconds, warmup;
	bool once;
};

enum option_id {
	OPT_TARGET = 1,
	OPT_PATH,
	OPT_HEX,
	OPT_FILE,
	OPT_REQUESTS_FILE,
	OPT_TOKEN,
	OPT_TOKENS_FILE,
	OPT_CONNECTIONS,
	OPT_CONCURRENCY,
	OPT_RATE,
	OPT_THREADS,
	OPT_SECONDS,
	OPT_WARMUP,
	OPT_REQUESTS,
	OPT_ONCE,
	OPT_TIMEOUT,
	OPT_FAIL_FAST,
};

static const struct option long_options[] = {
	{"target", required_argument, NULL, OPT_TARGET},
	{"path", required_argument, NULL, OPT_PATH},
	{"payload-hex", required_argument, NULL, OPT_HEX},
	{"payload-file", required_argument, NULL, OPT_FILE},
	{"requests-file", required_argument, NULL, OPT_REQUESTS_FILE},
	{"token", required_argument, NULL, OPT_TOKEN},
	{"tokens-file", required_argument, NULL, OPT_TOKENS_FILE},
	{"connections", required_argument, NULL, OPT_CONNECTIONS},
	{"concurrency", required_argument, NULL, OPT_CONCURRENCY},
	{"rate", required_argument, NULL, OPT_RATE},
	{"threads", required_argument, NULL, OPT_THREADS},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"warmup", required_argument, NULL, OPT_WARMUP},
	{"requests", required_argument, NULL, OPT_REQUESTS},
	{"once", no_argument, NULL, OPT_ONCE},
	{"timeout-ms", required_argument, NULL, OPT_TIMEOUT},
	{"fail-fast", no_argument, NULL, OPT_FAIL_FAST},
	{NULL, 0, NULL, 0},
};

static bool option_take(struct options *o, int option, const char *value)
{
	struct run *run = &o->run;

	switch (option) {
	case OPT_TARGET:
		run->target = value;
		return true;
	case OPT_PATH:
		run->path = value;
		return true;
	case OPT_HEX:
		return requests_add_hex(&run->requests, value);
	case OPT_FILE:
		return requests_add_file(&run->requests, value);
	case OPT_REQUESTS_FILE:
		return requests_add_delimited(&run->requests, value);
	case OPT_TOKEN:
		return requests_add_token(&run->requests, value);
	case OPT_TOKENS_FILE:
		return requests_add_tokens(&run->requests, value);
	case OPT_CONNECTIONS:
		run->connections = (unsigned)atoi(value);
		return true;
	case OPT_CONCURRENCY:
		run->concurrency = (unsigned)atoi(value);
		return true;
	case OPT_RATE:
		run->rate = atof(value);
		return true;
	case OPT_THREADS:
		run->threads = (unsigned)atoi(value);
		return true;
	case OPT_SECONDS:
		o->seconds = atof(value);
		return true;
	case OPT_WARMUP:
		o->warmup = atof(value);
		return true;
	case OPT_REQUESTS:
		run->limit = strtoull(value, NULL, 10);
		return true;
	case OPT_ONCE:
		o->once = true;
		return true;
	case OPT_TIMEOUT:
		run->timeout_ms = atoi(value);
		return true;
	case OPT_FAIL_FAST:
		run->fail_fast = true;
		return true;
	default:
		return false;
	}
}

static bool options_read(struct options *o, int argc, char **argv)
{
	struct run *run = &o->run;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (!option_take(o, option, optarg))
			return false;
	}
	if (run->requests.n_payloads == 0 && !requests_add_hex(&run->requests, ""))
		return false;
	if (o->once)
		run->limit = run->requests.n_payloads;
	/* A thread without a connection or a call would have nothing to do. */
	if (run->threads > run->connections)
		run->threads = run->connections;
	return run->target && run->path && optind == argc && run->threads > 0 && run->timeout_ms > 0 &&
	       run->concurrency >= run->connections;
}

/* The n-th of `parts` parts of a whole. */
static unsigned share(unsigned whole, unsigned parts, unsigned n)
{
	return whole / parts + (n < whole % parts);
}

static void run_workers(struct run *run, struct worker *workers)
{
	for (unsigned i = 0; i < run->threads; i++) {
		workers[i] = (struct worker){
			.run = run,
			.connections = share(run->connections, run->threads, i),
			.concurrency = share(run->concurrency, run->threads, i),
		};
		if (pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]) != 0) {
			fputs("load: cannot start a thread\n", stderr);
			exit(EXIT_FAILURE);
		}
	}
	for (unsigned i = 0; i < run->threads; i++)
		pthread_join(workers[i].thread, NULL);
}

static void worker_add(struct worker *total, const struct worker *w)
{
	histogram_add(&total->latencies, &w->latencies);
	histogram_add(&total->refused, &w->refused);
	for (int i = 0; i < LOAD_CODES; i++)
		total->codes[i] += w->codes[i];
	total->empty += w->empty;
	if (w->last_us > total->last_us)
		total->last_us = w->last_us;
	if (!total->message[0])
		memcpy(total->message, w->message, sizeof(total->message));
}

static void print_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		putchar((unsigned char)*s < ' ' ? ' ' : *s);
	}
	putchar('"');
}

static void report_codes(const struct worker *total)
{
	const char *comma = "";

	fputs("\"codes\": {", stdout);
	for (int i = 0; i < LOAD_CODES; i++) {
		if (total->codes[i] == 0)
			continue;
		printf("%s\"%s\": %" PRIu64, comma, status_code_name(i), total->codes[i]);
		comma = ", ";
	}
	printf("}, \"empty\": %" PRIu64, total->empty);
	if (total->message[0]) {
		fputs(", \"first_failure\": ", stdout);
		print_string(total->message);
	}
}

/* True when all went well. */
static bool report(const struct run *run, const struct worker *total)
{
	const struct histogram *h = &total->latencies;
	double seconds = (double)(total->last_us - run->count_from_us) / 1e6;
	uint64_t calls = 0;

	for (int i = 0; i < LOAD_CODES; i++)
		calls += total->codes[i];
	printf("{\"calls\": %" PRIu64 ", \"measured\": %" PRIu64
	       ", \"seconds\": %.3f, \"per_second\": %.1f, ",
	       calls, h->total, seconds, h->total ? (double)h->total / seconds : 0.0);
	printf("\"mean_us\": %.1f, \"p50_us\": %" PRIu64 ", \"p90_us\": %" PRIu64 ", \"p99_us\": %" PRIu64
	       ", \"p999_us\": %" PRIu64 ", \"max_us\": %" PRIu64 ", ",
	       h->total ? (double)h->sum / (double)h->total : 0.0, histogram_quantile(h, 0.5),
	       histogram_quantile(h, 0.9), histogram_quantile(h, 0.99), histogram_quantile(h, 0.999), h->max);
	printf("\"refused\": %" PRIu64 ", \"refused_p99_us\": %" PRIu64 ", ", total->refused.total,
	       histogram_quantile(&total->refused, 0.99));
	report_codes(total);
	puts("}");
	return calls > 0 && calls == total->codes[STATUS_OK] && total->empty == 0;
}

int main(int argc, char **argv)
{
	static struct worker total;
	struct options o = {
		.run = {.connections = 1, .concurrency = 16, .threads = 1, .timeout_ms = 10000},
		.seconds = 5,
		.warmup = 0.5,
	};
	struct worker *workers;
	bool ok;

	grpc_init();
	if (!options_read(&o, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	workers = calloc(o.run.threads, sizeof(*workers));
	if (!workers)
		return EXIT_FAILURE;
	o.run.count_from_us = load_now_us() + (int64_t)(o.warmup * 1e6);
	o.run.end_us = o.run.count_from_us + (int64_t)(o.seconds * 1e6);
	run_workers(&o.run, workers);
	for (unsigned i = 0; i < o.run.threads; i++)
		worker_add(&total, &workers[i]);
	ok = report(&o.run, &total);
	free(workers);
	requests_free(&o.run.requests);
	grpc_shutdown();
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
