/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/log_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/log_line.h"
#include "server/base/metrics.h"

enum { LINES_MAX = 512 };

struct line {
	size_t len;
	char text[LOG_LINE_MAX];
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t filled, written;
	bool running;
	unsigned first, n; /* of `lines`; the one under way is still among them */
	struct line lines[LINES_MAX];
	uint64_t lost, told; /* lines dropped; those of them the log has been told of */
	struct metric *metric;
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static bool push(const char *line, size_t len)
{
	struct line *to = &ring.lines[(ring.first + ring.n) % LINES_MAX];

	if (ring.n == LINES_MAX)
		return false;
	memcpy(to->text, line, len);
	to->len = len;
	ring.n++;
	return true;
}

bool log_writer_take(const char *line, size_t len)
{
	pthread_mutex_lock(&ring.lock);
	bool running = ring.running;
	if (running && push(line, len)) {
		pthread_cond_signal(&ring.filled);
	} else if (running) {
		ring.lost++;
		metric_add(ring.metric, 1);
	}
	pthread_mutex_unlock(&ring.lock);
	return running;
}

/* Said once there is room again, as a line like any other. */
static void tell_lost(void)
{
	uint64_t lost = ring.lost - ring.told;
	char line[LOG_LINE_MAX];

	if (lost == 0 || ring.n > LINES_MAX / 2)
		return;
	ring.told = ring.lost;
	size_t len =
		log_line_print(line, LOG_LEVEL_WARNING,
			       "%" PRIu64 " lines lost: nobody took them from standard error in time", lost);
	if (len > 0)
		push(line, len);
}

static void *run(void *arg)
{
	pthread_mutex_lock(&ring.lock);
	for (;;) {
		while (ring.n == 0)
			pthread_cond_wait(&ring.filled, &ring.lock);
		const struct line *line = &ring.lines[ring.first];
		pthread_mutex_unlock(&ring.lock);
		log_line_write(line->text, line->len);
		pthread_mutex_lock(&ring.lock);
		ring.first = (ring.first + 1) % LINES_MAX;
		ring.n--;
		pthread_cond_broadcast(&ring.written);
		tell_lost();
	}
	return NULL;
}

int log_writer_start(void)
{
	pthread_t thread;
	ring.metric = metric_counter("edu_log_lines_lost_total",
				     "Log lines dropped because standard error was not read in time.", NULL);
	cond_init_monotonic(&ring.written);
	int r = pthread_create(&thread, NULL, run, NULL);
	if (r != 0)
		return -r;
	pthread_setname_np(thread, "log");
	pthread_detach(thread);
	pthread_mutex_lock(&ring.lock);
	ring.running = true;
	pthread_mutex_unlock(&ring.lock);
	return 0;
}

void log_flush(int ms)
{
	const struct timespec until = timespec_of_us(monotonic_us() + ms * INT64_C(1000));
	pthread_mutex_lock(&ring.lock);
	while (ring.n > 0 && pthread_cond_timedwait(&ring.written, &ring.lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&ring.lock);
}
