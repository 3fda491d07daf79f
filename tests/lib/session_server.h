/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SESSION_SERVER_H
#define TESTS_SESSION_SERVER_H

#include <stdatomic.h>

#include "server/rpc/server.h"

/*
 * As much of edu.v1.EduService as sessions need, without a database: Login ("ada", "correct horse") begins
 * with the tokens "a0" and "r0"; RefreshSession exchanges "rN" for "a<N+1>" and "r<N+1>", and only the
 * newest; "aN" is a token of user 7 as long as N is at least session_oldest. GetUser answers with who calls;
 * GetCourse is public.
 */
extern _Atomic int session_newest;    /* N of the newest refresh token */
extern _Atomic int session_oldest;    /* least N of an access token that is taken; below: TOKEN_EXPIRED */
extern _Atomic int session_lifetime;  /* seconds an access token says it has */
extern _Atomic int session_refreshes; /* exchanges that were asked for */
extern _Atomic int session_refused;   /* calls refused for an expired token */

extern _Atomic int session_busy;    /* so many calls of Login and GetCourse to come are OVERLOADED */
extern _Atomic int session_handled; /* calls of Login and GetCourse, busy ones included */

/* Starts it on a free port, which is returned, everything above as after a first Login. */
int session_server_start(void);
void session_server_stop(void);

#endif
