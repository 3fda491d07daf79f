-- compatible-with: 9
-- SPDX-License-Identifier: Apache-2.0
-- Quizzes. A row never changes: what is set anew is another one. lesson_revision refers to it, so that each revision of a
-- course has its own and freezing one copies nothing. Times are microseconds since the Unix epoch, UTC.

CREATE TABLE quiz (
  quiz_id     BIGINT NOT NULL,
  course_id   BIGINT NOT NULL COMMENT 'for which it was made; copies of the course refer to it too',
  lesson_id   BIGINT NOT NULL COMMENT 'for which it was made',
  creator_id  BIGINT NOT NULL COMMENT 'usr_ id of who set it',
  create_time BIGINT NOT NULL,
  shown       MEDIUMBLOB NOT NULL COMMENT 'edu.v1.Quiz without solutions: all that a learner is answered from',
  whole       MEDIUMBLOB NOT NULL COMMENT 'edu.v1.Quiz with solutions',
  PRIMARY KEY (quiz_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='What a lesson asks and how it is graded; removed when another one takes its place and no revision refers to it';
