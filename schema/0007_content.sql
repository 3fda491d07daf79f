-- compatible-with: 7
-- SPDX-License-Identifier: Apache-2.0
-- What lessons hold. A piece of content never changes, and is referred to by each revision of a course that has it: revision
-- 0 is the draft, the others are what was published. Its bytes are text, kept here, or lie in an object store under its id.
-- Times are microseconds since the Unix epoch, UTC.

CREATE TABLE content (
  content_id   BIGINT NOT NULL COMMENT 'cnt_ id, of which the key in the object store is made',
  course_id    BIGINT NOT NULL COMMENT 'for which it was made; copies of the course refer to it too',
  lesson_id    BIGINT NOT NULL COMMENT 'for which it was made; 0: of the course itself',
  role         TINYINT NOT NULL COMMENT 'edu.v1.ContentRole' CHECK (role BETWEEN 1 AND 7),
  language     VARCHAR(35) NOT NULL COMMENT 'BCP 47 tag in its recommended case; empty when not said',
  file_name    VARCHAR(200) NOT NULL COMMENT 'empty when it has none',
  content_type VARCHAR(100) NOT NULL,
  size_bytes   BIGINT NOT NULL COMMENT '1 to 5 GiB, what stores take in one request' CHECK (size_bytes BETWEEN 1 AND 5368709120),
  sha256       BINARY(32) NOT NULL,
  body         MEDIUMTEXT NULL COMMENT 'the text; NULL: it is in the object store',
  creator_id   BIGINT NOT NULL COMMENT 'usr_ id of who made it',
  create_time  BIGINT NOT NULL,
  unused_time  BIGINT NULL COMMENT 'since when no revision refers to it; NULL while one does' CHECK (unused_time > 0),
  PRIMARY KEY (content_id),
  KEY content_unused (unused_time),
  CONSTRAINT content_body CHECK ((role = 7) = (body IS NOT NULL)),
  CONSTRAINT content_of_course CHECK ((role BETWEEN 5 AND 6) = (lesson_id = 0))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='A text or a file';

CREATE TABLE lesson_content (
  course_id  BIGINT NOT NULL,
  revision   BIGINT NOT NULL COMMENT '0 is the draft' CHECK (revision >= 0),
  lesson_id  BIGINT NOT NULL COMMENT '0: the course itself holds it',
  role       TINYINT NOT NULL COMMENT 'the content''s' CHECK (role BETWEEN 1 AND 7),
  content_id BIGINT NOT NULL,
  PRIMARY KEY (course_id, revision, lesson_id, role, content_id),
  KEY lesson_content_content (content_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='Which content a revision of a course holds, and where';

CREATE TABLE download_guard (
  user_id BIGINT NOT NULL COMMENT 'usr_ id of a learner',
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='Locked by who counts a learner''s downloads';

CREATE TABLE download (
  user_id     BIGINT NOT NULL COMMENT 'usr_ id of the learner',
  device_name VARCHAR(64) NOT NULL COMMENT 'in the learner''s words',
  lesson_id   BIGINT NOT NULL,
  start_time  BIGINT NOT NULL,
  expire_time BIGINT NOT NULL COMMENT 'until when it may be kept and renewed',
  PRIMARY KEY (user_id, device_name, lesson_id),
  KEY download_expire (expire_time),
  CONSTRAINT download_times CHECK (expire_time > start_time)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='A lesson that a learner took along on a device';
