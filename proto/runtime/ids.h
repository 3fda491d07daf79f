/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_IDS_H
#define RUNTIME_IDS_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/*
 * Ids are 63-bit, positive and ordered by time: 41 bits of milliseconds since 2024-01-01T00:00:00Z (until
 * 2093), 10 bits of node, 12 bits of sequence. People and programs outside see them with their kind, 3
 * lower-case letters ("crs_"), and 13 characters of lower-case Crockford base32, most significant first. One
 * id has exactly one text. Which kinds there are, their owners say.
 */

enum { ID_NODE_BITS = 10, ID_SEQUENCE_BITS = 12, ID_TEXT_MAX = 24 /* with the NUL */ };
#define ID_EPOCH_MS INT64_C(1704067200000)

/* Writes kind, '_' and the id into out[ID_TEXT_MAX]; returns out. `id` must be positive. */
char *id_format(const char *kind, int64_t id, char out[ID_TEXT_MAX]);

/* Reads an id of this kind. False when the text is anything but what id_format() writes. */
bool id_parse(const char *kind, const char *text, int64_t *ret) __attribute__((warn_unused_result));

/* The id of a field whose rule (id_kind) has been looked at already: 0 when there is none. */
int64_t id_of(const char *kind, const char *text);

/* What a text that is none must be, of this kind: a format with one %s. */
#define ID_MUST "must be an id as the service makes them: %s_ and 13 of 0-9 and a-z without i, l, o and u"

/* Parts of an id, for a debugger or a DBA. */
int64_t id_time_ms(int64_t id); /* since the Unix epoch */
unsigned id_node(int64_t id);

/*
 * Makes ids for the node it is leased, all of which have a time from the lease's begin to before its end. So
 * whoever is leased the node next, from that end on, makes other ids, whatever became of this process or of
 * one of its threads in the meantime.
 *
 * Thread-safe and lock-free. Ids of one maker never repeat and always grow: when the clock steps back, or
 * 4,096 ids were made within a millisecond, the maker goes on from its last time instead of waiting, so an
 * id's time may run ahead of the clock. Begins zeroed, which is leased nothing.
 */
struct id_maker {
	_Atomic int64_t last;   /* time and sequence of the last id, without the node */
	_Atomic uint64_t lease; /* when it ends, and the node: one word, so that they are read together */
};

/* Leases it a node (0 to 1023), or the one it has for longer; an end of 0 takes it away. `begin_ms` is not
 * before the end of whoever had the node last. */
void id_maker_lease(struct id_maker *m, unsigned node, int64_t begin_ms, int64_t end_ms);

/* A new id, or 0 when its time is not before the lease's end. */
int64_t id_make(struct id_maker *m, int64_t now_ms);

#endif
