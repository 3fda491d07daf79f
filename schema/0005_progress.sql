-- compatible-with: 5
-- SPDX-License-Identifier: Apache-2.0
-- Progress: what each session recorded, and what it adds up to. Every merge is commutative, associative and idempotent,
-- and the epoch is part of every key: a reset starts new rows and leaves the old ones. Times are microseconds since the Unix epoch, UTC.

CREATE TABLE progress_session (
  user_id          BIGINT     NOT NULL,
  course_id        BIGINT     NOT NULL,
  epoch            BIGINT     NOT NULL,
  lesson_id        BIGINT     NOT NULL,
  session_id       BINARY(16) NOT NULL COMMENT 'UUID made by the client',
  start_time       BIGINT     NOT NULL COMMENT 'least start the client named, none before the epoch began',
  last_time        BIGINT     NOT NULL COMMENT 'greatest client time',
  learning_seconds BIGINT     NOT NULL COMMENT 'greatest cumulative value; credited up to last_time - start_time and to a day',
  interactions     BIGINT     NOT NULL COMMENT 'greatest cumulative value',
  questions        BIGINT     NOT NULL COMMENT 'greatest cumulative value',
  credited_before     BIGINT NOT NULL DEFAULT 0 COMMENT 'credited seconds before the last merge; gives its difference',
  interactions_before BIGINT NOT NULL DEFAULT 0,
  questions_before    BIGINT NOT NULL DEFAULT 0,
  start_before        BIGINT NOT NULL DEFAULT 0 COMMENT 'least start before the last merge; 0: it made the row',
  PRIMARY KEY (user_id, course_id, epoch, lesson_id, session_id),
  KEY progress_session_start (start_time) COMMENT 'what may be removed, once last_time is old, too; a report that is not the session''s first does not move it'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='What one learning session of one lesson recorded: cumulative counters, merged by MAX';

CREATE TABLE progress_lesson (
  user_id          BIGINT          NOT NULL,
  course_id        BIGINT          NOT NULL,
  epoch            BIGINT          NOT NULL,
  lesson_id        BIGINT          NOT NULL,
  coverage         BIGINT UNSIGNED NOT NULL COMMENT '64 equal slices of the media, bit 0 first; merged by OR',
  position_seconds BIGINT          NOT NULL COMMENT 'of the greatest (position_time, position_session)',
  position_time    BIGINT          NOT NULL,
  position_session BINARY(16)      NOT NULL,
  completed        TINYINT         NOT NULL COMMENT 'merged by OR; for VIDEO it follows from coverage',
  completed_now    TINYINT         NOT NULL COMMENT 'the last merge completed it',
  complete_time    BIGINT          NOT NULL COMMENT 'set once by the server; 0 while not completed; outside the merge law',
  learning_seconds BIGINT          NOT NULL COMMENT 'sum of the credited seconds of its sessions',
  interactions     BIGINT          NOT NULL COMMENT 'sum over its sessions',
  questions        BIGINT          NOT NULL COMMENT 'sum over its sessions',
  sessions         BIGINT          NOT NULL COMMENT 'number of its sessions',
  last_time        BIGINT          NOT NULL COMMENT 'greatest client time',
  PRIMARY KEY (user_id, course_id, epoch, lesson_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='What a learner did with a lesson; one learner''s course lies together';

CREATE TABLE progress_course (
  user_id           BIGINT NOT NULL,
  course_id         BIGINT NOT NULL,
  epoch             BIGINT NOT NULL,
  lessons_completed BIGINT NOT NULL,
  learning_seconds  BIGINT NOT NULL,
  interactions      BIGINT NOT NULL,
  questions         BIGINT NOT NULL,
  last_time         BIGINT NOT NULL COMMENT 'greatest client time',
  PRIMARY KEY (user_id, course_id, epoch)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='The sums over a learner''s lessons of a course, so that a list costs a row each';

-- Activity, which a reset does not undo: the sums over the sessions of all epochs whose start_time lies on the day, those
-- that have been removed among them. No CHECK keeps them from going below 0, because it would be asked of what a merge
-- adds, which is less than 0 where a session moves to an earlier day. A row of zeros says what no row says.
CREATE TABLE progress_day (
  user_id          BIGINT  NOT NULL,
  day              INT     NOT NULL COMMENT 'UTC, days since 1970-01-01',
  course_id        BIGINT  NOT NULL,
  credited_seconds BIGINT  NOT NULL COMMENT 'sum over the sessions that began on the day, as in progress_session',
  interactions     BIGINT  NOT NULL COMMENT 'the same',
  questions        BIGINT  NOT NULL COMMENT 'the same',
  marked           TINYINT NOT NULL DEFAULT 1 COMMENT '0: it has no row in progress_mark; 1: it has one, which the last merge made; 2: it has one from before',
  PRIMARY KEY (user_id, day, course_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='What a learner did in a course on a day; a whole session belongs to the day of its least start';

CREATE TABLE progress_mark (
  mark_time BIGINT NOT NULL COMMENT 'when the day first changed since its last mark was taken',
  user_id   BIGINT NOT NULL,
  day       INT    NOT NULL,
  course_id BIGINT NOT NULL,
  PRIMARY KEY (mark_time, user_id, day, course_id) COMMENT 'oldest first; progress_day.marked keeps one for each day'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='Rows of progress_day that changed, which no event has told the learner''s organizations yet';
