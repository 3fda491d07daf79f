-- compatible-with: 1
-- SPDX-License-Identifier: Apache-2.0
--
-- What every area stands on. Times are microseconds since the Unix epoch, UTC, in columns named *_time; ids are 63-bit
-- and made by the server; text is compared byte by byte unless its column says otherwise. Keys have their table's name;
-- unique ones end in _key. No generated column is both virtual and in a key: such a table takes a new column only by
-- being rebuilt. What one column may hold is its own CHECK, which MODIFY COLUMN makes wider at once, and unchecked; a
-- CHECK of a table can only be dropped at once, and made by copying the table: it says what no release will change.
-- tests/integration/test_schema.c has a row for each that it refuses. A key comes with the statement that needs it.

-- The first statement of the first migration makes the table that migrations are recorded in: it is run before anything
-- is known to be applied, so it must not fail where the table exists.
CREATE TABLE IF NOT EXISTS schema_migration (
  number INT UNSIGNED NOT NULL COMMENT 'NNNN of schema/NNNN_name.sql; 0 is the row a migrating process locks',
  name VARCHAR(64) NOT NULL COMMENT 'file name without .sql',
  checksum BINARY(32) NOT NULL COMMENT 'SHA-256 of the file',
  compatible_with INT UNSIGNED NOT NULL COMMENT 'oldest server, by its newest migration, that can run on this schema',
  statements_applied INT UNSIGNED NOT NULL COMMENT 'how far it came; a migration that was interrupted goes on from here',
  finish_time BIGINT NULL COMMENT 'when its last statement had been applied; NULL while it is not',
  PRIMARY KEY (number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='Migrations applied to this database';

CREATE TABLE node (
  node_id SMALLINT UNSIGNED NOT NULL COMMENT 'part of every id its holder makes' CHECK (node_id BETWEEN 0 AND 1023),
  holder VARCHAR(64) NOT NULL COMMENT 'process that leases it',
  expire_time BIGINT NOT NULL COMMENT 'when the lease ends unless renewed',
  PRIMARY KEY (node_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='Node ids leased to running servers';

CREATE TABLE lease (
  name VARCHAR(64) NOT NULL COMMENT 'what only one process may do at a time',
  holder VARCHAR(64) NOT NULL COMMENT 'process that does it',
  expire_time BIGINT NOT NULL COMMENT 'when the lease ends unless renewed',
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='Named leases';

CREATE TABLE idempotency (
  principal_id BIGINT NOT NULL COMMENT 'user or service account that called',
  method INT UNSIGNED NOT NULL COMMENT 'CRC-32 of the method path',
  request_id BINARY(16) NOT NULL COMMENT 'UUID the caller chose',
  body_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of the request without its request_id',
  reply MEDIUMBLOB NULL COMMENT 'packed response; NULL only inside the transaction that makes it',
  create_time BIGINT NOT NULL COMMENT 'when the key was claimed',
  expire_time BIGINT NOT NULL COMMENT 'from when the key counts as free',
  PRIMARY KEY (principal_id, method, request_id),
  KEY idempotency_expire (expire_time),
  CONSTRAINT idempotency_times CHECK (create_time < expire_time)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='Replies of requests that must take effect once';

CREATE TABLE event (
  event_id BIGINT NOT NULL COMMENT 'made before the transaction: its order is not that of commits',
  kind VARCHAR(48) NOT NULL COMMENT 'what happened, as its area lists it in <area>_names.h',
  subject_id BIGINT NOT NULL COMMENT 'what changed; its kind of id follows from kind',
  version BIGINT NOT NULL DEFAULT 0 COMMENT 'of the subject, or what it is part of, after the change: the order in which one subject changed; 0 when it has none',
  user_id BIGINT NOT NULL COMMENT 'user it concerns, or 0',
  course_id BIGINT NOT NULL COMMENT 'course it concerns, or 0',
  organization_id BIGINT NOT NULL COMMENT 'organization it concerns, or 0',
  create_time BIGINT NOT NULL COMMENT 'when it happened',
  position BIGINT NOT NULL DEFAULT 0 COMMENT 'place in the feed, without gaps, given after commit; 0 until then' CHECK (position >= 0),
  payload MEDIUMTEXT NOT NULL COMMENT 'JSON object of what a consumer needs, or empty',
  PRIMARY KEY (event_id),
  KEY event_position (position) COMMENT 'not unique: those that wait share the 0, in the order of their ids'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='Everything that happened but progress heartbeats: outbox, cache invalidation, revocation, partner feed';

CREATE TABLE event_sequence (
  sequence_id TINYINT UNSIGNED NOT NULL COMMENT 'always 1',
  position BIGINT NOT NULL COMMENT 'last position given; outlives the events',
  durable_position BIGINT NOT NULL COMMENT 'the last known to be on disk: a commit is seen by others a moment before it is, and a crash may give what lies beyond to other events; who remembers positions outside of this database reads up to here',
  PRIMARY KEY (sequence_id),
  CONSTRAINT event_sequence_durable CHECK (durable_position <= position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='Where the event feed stands';

INSERT INTO event_sequence (sequence_id, position, durable_position) VALUES (1, 0, 0);

CREATE TABLE event_reader (
  name VARCHAR(64) NOT NULL COMMENT '"ledger": the checkpoints of accounts',
  position BIGINT NOT NULL COMMENT 'it has read the events up to here',
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='Who works its way through the events, here in the database; until all of these have read one it is not removed';

CREATE TABLE event_audience (
  audience_id BIGINT NOT NULL COMMENT 'who reads it: a user, or an organization',
  position BIGINT NOT NULL COMMENT 'the event''s; an audience''s own feed is in this order, and has no late ones',
  event_id BIGINT NOT NULL COMMENT 'what happened',
  PRIMARY KEY (audience_id, position),
  KEY event_audience_position (position) COMMENT 'what is purged goes by it'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='Which events whose feed has; written with the position';

CREATE TABLE audit (
  audit_id BIGINT NOT NULL,
  actor_id BIGINT NOT NULL COMMENT 'user or service account that acted; 0 is the platform itself',
  action VARCHAR(48) NOT NULL COMMENT 'the method that was called, or the command of the server',
  subject_id BIGINT NOT NULL COMMENT 'what it was done to, or whose data was read; no two kinds share an id',
  reason VARCHAR(2000) NOT NULL COMMENT 'as the actor gave it, or empty',
  detail MEDIUMTEXT NOT NULL COMMENT 'JSON object of what changed, or empty',
  create_time BIGINT NOT NULL COMMENT 'when it was done',
  PRIMARY KEY (audit_id),
  KEY audit_subject (subject_id, audit_id) COMMENT 'for people: who has looked at somebody'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='What privileged callers did, and why, and whose data they read';

CREATE TABLE due (
  kind SMALLINT NOT NULL COMMENT 'what is to be done, of server/app/due_kinds.h',
  subject_id BIGINT NOT NULL COMMENT 'about what; 0 where there is only one',
  due_time BIGINT NOT NULL COMMENT 'from when on, by the clock of the database; later again after each attempt that fails',
  attempts INT UNSIGNED NOT NULL COMMENT 'that failed since the row was put',
  PRIMARY KEY (kind, subject_id),
  KEY due_line (kind, due_time) COMMENT 'each kind waits in a line of its own'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='What is to be done at a time';

CREATE TABLE organization (
  organization_id BIGINT NOT NULL,
  name VARCHAR(200) NOT NULL COMMENT 'for people',
  create_time BIGINT NOT NULL COMMENT 'when it was created',
  update_time BIGINT NOT NULL COMMENT 'when it last changed',
  PRIMARY KEY (organization_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='Partner institutions';

-- The platform's own, whose service accounts take payments and send notifications.
INSERT INTO organization (organization_id, name, create_time, update_time) VALUES (1, 'The platform', 0, 0);

CREATE TABLE organization_member (
  member_id BIGINT NOT NULL COMMENT 'one membership; who leaves and joins again has another',
  organization_id BIGINT NOT NULL COMMENT 'institution',
  user_id BIGINT NOT NULL COMMENT 'its member',
  external_id VARCHAR(128) NULL COMMENT 'what the institution calls the member; free again once the membership ended',
  live TINYINT NULL COMMENT '1 while it lasts, NULL afterwards: unique keys do not look at what is over',
  version BIGINT NOT NULL COMMENT 'counts changes, from 1' CHECK (version >= 1),
  create_time BIGINT NOT NULL COMMENT 'when the membership began',
  end_time BIGINT NULL COMMENT 'when it ended; NULL while it lasts',
  PRIMARY KEY (member_id),
  UNIQUE KEY organization_member_live_key (organization_id, user_id, live),
  UNIQUE KEY organization_member_external_key (organization_id, external_id, live),
  KEY organization_member_user (user_id, live) COMMENT 'whether anybody is told what a learner does',
  CONSTRAINT organization_member_ends CHECK (live <=> IF(end_time IS NULL, 1, NULL))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='Who belongs to which institution';

-- A table of its own, and only the sequencer's: whoever holds a member's row does not keep the feed waiting.
CREATE TABLE organization_member_span (
  user_id BIGINT NOT NULL COMMENT 'whose events the institution sees',
  member_id BIGINT NOT NULL COMMENT 'by which membership',
  organization_id BIGINT NOT NULL COMMENT 'institution',
  begin_position BIGINT NOT NULL COMMENT 'of the event that it began with, included',
  end_position BIGINT NULL COMMENT 'of the event that it ended with, included; NULL while it lasts',
  PRIMARY KEY (user_id, member_id),
  CONSTRAINT organization_member_span_ends CHECK (end_position >= begin_position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='From where to where in the feed an institution sees its member';
