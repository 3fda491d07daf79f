-- compatible-with: 6
-- SPDX-License-Identifier: Apache-2.0
-- Access: who may learn what, from when to when, and by what. A user has access to a course at a time when a grant's window
-- holds that time and the grant's scope is the course, or a catalogue that holds the course at that time. Windows are
-- half-open; times are microseconds since the Unix epoch, UTC.

CREATE TABLE access_grant (
  user_id     BIGINT NOT NULL,
  scope_kind  TINYINT NOT NULL COMMENT 'edu.v1.AccessScope: 1 a course, 2 a catalogue' CHECK (scope_kind BETWEEN 1 AND 2),
  scope_id    BIGINT NOT NULL COMMENT 'the course or the catalogue',
  grant_id    BIGINT NOT NULL COMMENT 'gra_ id',
  source_kind TINYINT NOT NULL COMMENT 'edu.v1.AccessSource' CHECK (source_kind BETWEEN 1 AND 6),
  source_id   BIGINT NOT NULL COMMENT 'what gave it, which knows user and scope and so finds it: the purchase; of an instructor the course' CHECK (source_id > 0),
  start_time  BIGINT NOT NULL,
  expire_time BIGINT NULL COMMENT 'access ends then; NULL: never by itself' CHECK (expire_time > 0),
  revoke_time BIGINT NULL COMMENT 'when it was taken away: it gives none from then on, whatever a clock says; NULL while it was not' CHECK (revoke_time > 0),
  PRIMARY KEY (user_id, scope_kind, scope_id, grant_id) COMMENT 'a user''s grants of a course, and of all catalogues, lie together',
  CONSTRAINT access_grant_instructor CHECK (source_kind <> 4 OR (scope_kind = 1 AND source_id = scope_id)),
  CONSTRAINT access_grant_window CHECK (expire_time IS NULL OR expire_time > start_time)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='Access of a user over a time; never removed';

CREATE TABLE catalogue_course (
  course_id    BIGINT NOT NULL,
  catalogue_id BIGINT NOT NULL,
  start_time   BIGINT NOT NULL COMMENT 'from when the catalogue holds the course',
  end_time     BIGINT NULL COMMENT 'until when; NULL: no end is known; not after start_time: it never did' CHECK (end_time > 0),
  PRIMARY KEY (course_id, catalogue_id, start_time)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='Which catalogue holds which course, and held it when; never removed';

CREATE TABLE enrollment (
  user_id     BIGINT NOT NULL,
  course_id   BIGINT NOT NULL,
  epoch       BIGINT NOT NULL DEFAULT 0 COMMENT 'current epoch of progress; a reset adds one' CHECK (epoch >= 0),
  start_time  BIGINT NOT NULL COMMENT 'when access was first granted',
  epoch_time  BIGINT NULL COMMENT 'when a reset began the current epoch; NULL while there was none',
  PRIMARY KEY (user_id, course_id),
  KEY enrollment_course (course_id, user_id),
  CONSTRAINT enrollment_epoch_begins CHECK ((epoch = 0) = (epoch_time IS NULL)),
  CONSTRAINT enrollment_times CHECK (epoch_time >= start_time)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='A person learning a course; access itself is in access_grant';
