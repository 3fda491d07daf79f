/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_TIME_ZONE_H
#define RUNTIME_TIME_ZONE_H

#include <stddef.h>

/*
 * The names of the time zones, "Europe/Berlin", older ones ("Asia/Calcutta") among them: those of the IANA
 * database that the machine had which built this. Sorted as strcmp() does.
 */
extern const char *const time_zones[];
extern const size_t n_time_zones;

#endif
