-- compatible-with: 8
-- SPDX-License-Identifier: Apache-2.0
-- What learners say of courses. Times are microseconds since the Unix epoch, UTC. What a course's reviews add up to is in
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
