/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_NAMES_H
#define APP_NAMES_H

/*
 * Names live with their owners: each area lists what it calls its own, once, in its <area>_names.h, as rows
 * of an X macro, and makes the constants by one of these. server/check_names.sh holds the lists of all areas
 * against each other and against the contract when the server is built.
 */

/* A kind of ids: X(ID_COURSE, "crs"). */
#define NAME_ID(constant, kind) static const char constant[] = kind;

#endif
