/* SPDX-License-Identifier: Apache-2.0 */
#include "client/examples/import_oulad/progress_bar.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR_WIDTH = 40, DRAW_EVERY_MS = 100 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_bar_init(struct progress_bar *b)
{
	*b = (struct progress_bar){.moving = isatty(STDERR_FILENO)};
}

static void bar_draw(struct progress_bar *b, unsigned long done)
{
	static const char full[] = "########################################";
	int width = b->total ? (int)(BAR_WIDTH * done / b->total) : BAR_WIDTH;

	fprintf(stderr, "\r%-10s [%-*.*s] %lu of %lu ", b->stage, BAR_WIDTH, width, full, done, b->total);
	b->drawn_ms = now_ms();
}

void progress_bar_begin(struct progress_bar *b, const char *stage, unsigned long total)
{
	b->stage = stage;
	b->total = total;
	b->begin_ms = now_ms();
	if (b->moving)
		bar_draw(b, 0);
}

void progress_bar_move(struct progress_bar *b, unsigned long done)
{
	if (b->moving && now_ms() - b->drawn_ms >= DRAW_EVERY_MS)
		bar_draw(b, done);
}

void progress_bar_end(struct progress_bar *b, unsigned long done)
{
	double seconds = (double)(now_ms() - b->begin_ms) / 1000;

	if (b->moving) {
		bar_draw(b, done);
		fprintf(stderr, "in %.1f s\n", seconds);
	} else {
		fprintf(stderr, "%s: %lu of %lu in %.1f s\n", b->stage, done, b->total, seconds);
	}
}
