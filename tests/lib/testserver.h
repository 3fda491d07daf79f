/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TESTSERVER_H
#define TESTS_TESTSERVER_H

#include "client/client.h"
#include "edu/v1/edu_service.client.h"
#include "proto/runtime/ids.h"
#include "server/base/principal.h"
#include "server/service.h"
#include "tests/lib/temp_dir.h"
#include "tests/lib/testdb.h"

/*
 * The whole service in this process, over a database of its own, on a free port, and a channel to it.
 * Passwords are hashed cheaply, nothing is rate-limited. A failure of what is not under test ends the
 * program.
 */
struct testserver {
	struct testdb *db;
	char key_dir[TEMP_DIR_MAX]; /* shared by replicas */
	struct service_config config;
	struct service *service;
	char subject[ID_TEXT_MAX]; /* sbj_...: one that courses may be of */
	struct client_channel *channel;
	struct arena arena; /* of the test's main thread; testserver_reset() */
	struct testclock {
		struct clock clock;
		_Atomic int64_t ahead_us; /* of the system's clock: move it to let time pass */
	} clock;
};

struct testserver *testserver_new(void);
void testserver_free(struct testserver *t);

/* cmocka group fixtures: *state is the struct testserver. */
int testserver_setup(void **state);
int testserver_teardown(void **state);

/* Stops and starts the service on the same database, with its config as it is now. */
void testserver_restart(struct testserver *t);

/* Forgets every reply in the arena; and as a cmocka teardown of one test. */
void testserver_reset(struct testserver *t);
int testserver_reset_after(void **state);

/* A second replica on the same database, with a channel to it. Free it before the first. */
struct testserver *testserver_replica(struct testserver *t);
void testserver_replica_free(struct testserver *t);

/* Another id of whatever kind. */
int64_t testserver_new_id(const struct testserver *t);

/* Somebody to call as. */
struct testuser {
	int64_t user_id;
	char id[ID_TEXT_MAX]; /* usr_... */
	char name[33];
	char token[2048]; /* an access token with the roles, of a session nobody revokes */
	int64_t session_id;
};

/* A user who holds these roles (LEARNER is added) and never signs in with a password. Names are made up when
 * NULL. */
void testserver_user(struct testserver *t, const char *name, uint32_t roles, struct testuser *ret);

/* Another token for the user, as of the test's clock now. */
void testserver_token(struct testserver *t, struct testuser *u, uint32_t roles);

/* Options that call as the user; NULL: without a token. */
struct client_call_options as(const struct testuser *u);

/* Another subject, whose names in both languages are this one. */
void testserver_subject(struct testserver *t, const char *name, char ret[ID_TEXT_MAX]);

/* Gives a draft's lesson a text, as review wants it of one of kind TEXT, and leaves the course's version. */
void testserver_text(struct testserver *t, int64_t course_id, int64_t lesson_id);

/* Gives a draft's lesson of kind QUIZ a quiz of one question, over the API. */
void testserver_quiz(struct testserver *t, const struct testuser *instructor, const char *lesson_id);

/* A published course of the instructor with one lesson per kind in `kinds` (enum lesson_kind, ended by 0;
 * videos last 640 s, the others 60), priced in EUR; price 0 is free. Made over the API by the instructor and
 * an administrator. */
struct testcourse {
	int64_t course_id;
	char id[ID_TEXT_MAX];
	unsigned n_lessons;
	int64_t lesson_ids[16];
	char lessons[16][ID_TEXT_MAX];
};
void testserver_course(struct testserver *t, const struct testuser *instructor, int64_t eur_cents,
		       const int *kinds, struct testcourse *ret);

/* The same in two steps: the course as a draft, whose quizzes are not set, and what publishes one. */
void testserver_draft(struct testserver *t, const struct testuser *instructor, int64_t eur_cents,
		      const int *kinds, struct testcourse *ret);
void testserver_publish(struct testserver *t, const struct testuser *instructor, struct testcourse *c);

/* What is done to a course over the API, by its instructor: its draft has another title, or is without a
 * lesson; the latter may be refused, and its reply lies in `arena`. */
void testserver_retitle(struct testserver *t, const struct testuser *instructor, const char *course_id,
			const char *title);
int testserver_delete_lesson(struct testserver *t, struct arena *arena, const struct testuser *instructor,
			     const char *lesson_id, struct error *err);

/* Enrolls the user in a course that he has access to, or that is free. */
Enrollment *testserver_enroll(struct testserver *t, const struct testuser *u, const char *course_id);

/* That the call failed with this reason ("COURSE_NOT_FOUND"); prints what it did otherwise. */
void assert_reason_at(const char *file, int line, int r, const struct error *err, const char *reason);
#define assert_reason(r, err, reason) assert_reason_at(__FILE__, __LINE__, (r), (err), (reason))

/* That the call succeeded; prints why not. */
#define assert_ok(r, err)                                                                                    \
	do {                                                                                                 \
		if ((r) < 0)                                                                                 \
			fail_not_ok(__FILE__, __LINE__, (err));                                              \
	} while (0)
void fail_not_ok(const char *file, int line, const struct error *err) __attribute__((noreturn));

/* That some violation of the error names the field. */
void assert_violation_at(const char *file, int line, const struct error *err, const char *field);
#define assert_violation(err, field) assert_violation_at(__FILE__, __LINE__, (err), (field))

/* A random UUID as text, for request_id. */
char *new_request_id(char out[37]);

#endif
