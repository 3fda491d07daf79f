-- compatible-with: 8
-- SPDX-License-Identifier: Apache-2.0
-- What people say of courses: reviews, and reports of what is wrong. Times are microseconds since the Unix epoch, UTC. What a course's reviews add up to is in
-- course_rating. Each order of a list has an index that ends in it.

CREATE TABLE review (
  review_id BIGINT NOT NULL COMMENT 'rvw_ id; grows with time, so it is also the order of creation',
  course_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL COMMENT 'usr_ id of who wrote it',
  stars TINYINT NOT NULL CHECK (stars BETWEEN 1 AND 5),
  text VARCHAR(4000) NOT NULL COMMENT 'may be empty',
  state TINYINT NOT NULL COMMENT 'edu.v1.ReviewState: 1 shown, 2 hidden' CHECK (state BETWEEN 1 AND 2),
  hide_reason VARCHAR(2000) NOT NULL COMMENT 'why it is hidden; empty while it is not',
  counted TINYINT NOT NULL COMMENT 'the stars with which it is in course_rating; 0: it does not count, being hidden or of a buyer who gave the course back' CHECK (counted BETWEEN 0 AND 5),
  version BIGINT NOT NULL COMMENT 'counts changes, from 1; the etag is made of it' CHECK (version >= 1),
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  PRIMARY KEY (review_id),
  UNIQUE KEY review_user_key (user_id, course_id),
  KEY review_newest (course_id, state, review_id),
  KEY review_stars (course_id, state, stars, review_id),
  CONSTRAINT review_counted CHECK (counted = 0 OR (counted = stars AND state = 1)),
  CONSTRAINT review_hidden CHECK ((state = 2) = (hide_reason <> ''))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='What a learner says of a course; one each';

CREATE TABLE report (
  report_id BIGINT NOT NULL COMMENT 'rpt_ id; grows with time, so it is also the order of creation',
  reporter_id BIGINT NOT NULL COMMENT 'usr_ id of who reported it; for administrators alone',
  subject_kind TINYINT NOT NULL COMMENT '1 a course, 2 a lesson, 3 a review' CHECK (subject_kind BETWEEN 1 AND 3),
  subject_id BIGINT NOT NULL COMMENT 'what is reported; no two kinds share an id',
  course_id BIGINT NOT NULL COMMENT 'that it is, or is part of',
  kind TINYINT NOT NULL COMMENT 'edu.v1.ReportKind' CHECK (kind BETWEEN 1 AND 6),
  text VARCHAR(2000) NOT NULL COMMENT 'may be empty',
  state TINYINT NOT NULL COMMENT 'edu.v1.ReportState: 1 open, 2 resolved' CHECK (state BETWEEN 1 AND 2),
  outcome TINYINT NOT NULL COMMENT 'edu.v1.ReportOutcome; 0 while it is open' CHECK (outcome BETWEEN 0 AND 2),
  comment VARCHAR(2000) NOT NULL COMMENT 'of who resolved it; empty while it is open',
  live TINYINT NULL COMMENT '1 while it is open, NULL afterwards, so that the key does not count it' CHECK (live = 1),
  version BIGINT NOT NULL COMMENT 'counts changes, from 1' CHECK (version >= 1),
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL COMMENT 'when it was resolved, once it is',
  PRIMARY KEY (report_id),
  UNIQUE KEY report_live_key (reporter_id, subject_id, live),
  KEY report_line (state, report_id),
  KEY report_course (course_id, state, report_id),
  CONSTRAINT report_open CHECK ((state = 1) = (live IS NOT NULL) AND (state = 1) = (outcome = 0) AND (state = 2 OR comment = ''))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='What somebody says is wrong with a course, a lesson or a review';

CREATE TABLE report_guard (
  reporter_id BIGINT NOT NULL,
  day INT NOT NULL COMMENT 'UTC, days since 1970-01-01',
  reports INT NOT NULL COMMENT 'of that day' CHECK (reports >= 1),
  PRIMARY KEY (reporter_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='How much somebody reported on the last day that he did: whoever counts locks it';
