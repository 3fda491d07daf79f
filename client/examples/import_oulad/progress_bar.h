/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_PROGRESS_BAR_H
#define IMPORT_PROGRESS_BAR_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What a person sees on standard error while the import runs: on a terminal a bar that moves, anywhere else
 * one line for each stage when it has ended. Used by one thread.
 */
struct progress_bar {
	bool moving; /* standard error is a terminal */
	const char *stage;
	unsigned long total;
	int64_t begin_ms, drawn_ms;
};

void progress_bar_init(struct progress_bar *b);

/* Begins a stage ("lessons") of so many items. */
void progress_bar_begin(struct progress_bar *b, const char *stage, unsigned long total);

/* So many are done. Draws at most ten times a second. */
void progress_bar_move(struct progress_bar *b, unsigned long done);

void progress_bar_end(struct progress_bar *b, unsigned long done);

#endif
