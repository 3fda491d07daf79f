-- compatible-with: 3
-- SPDX-License-Identifier: Apache-2.0
-- Courses and their lessons. Times are microseconds since the Unix epoch, UTC. Lengths are the contract's, in
-- characters. The catalogue of what is published is in each server's memory (server/search); lists of what is not have an
-- index for each order that ends in it, so that a page is read from where the last one ended. What keys compare of a text
-- is a stored generated column: it cannot fall behind the text, and the table takes columns, keys and longer texts as
-- without it (a virtual one in a key would forbid that). Only another such column copies the table, and a catalogue is
-- small enough for it.

CREATE TABLE subject (
  subject_id BIGINT NOT NULL COMMENT 'sbj_ id; grows with time, so it is also the order of creation',
  name_en VARCHAR(64) COLLATE utf8mb4_unicode_520_nopad_ci NOT NULL COMMENT 'in English',
  name_zh VARCHAR(64) COLLATE utf8mb4_unicode_520_nopad_ci NOT NULL COMMENT 'in Chinese',
  create_time BIGINT NOT NULL,
  PRIMARY KEY (subject_id),
  UNIQUE KEY subject_name_en_key (name_en),
  UNIQUE KEY subject_name_zh_key (name_zh)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='What courses are of; never changed, never removed';

CREATE TABLE course (
  course_id BIGINT NOT NULL COMMENT 'crs_ id; grows with time, so it is also the order of creation',
  creator_id BIGINT NOT NULL COMMENT 'usr_ id of who made it',
  external_id VARCHAR(64) NULL COMMENT 'key in the creator''s own system; NULL when there is none',
  title VARCHAR(200) NOT NULL,
  summary VARCHAR(1000) NOT NULL,
  description MEDIUMTEXT NOT NULL COMMENT 'at most 20,000 characters',
  objectives JSON NOT NULL COMMENT 'array of strings',
  audience VARCHAR(1000) NOT NULL,
  prerequisites VARCHAR(1000) NOT NULL,
  subject_id BIGINT NOT NULL COMMENT 'sbj_ id; 0 when not said',
  level TINYINT NOT NULL COMMENT 'edu.v1.CourseLevel; 0 when not said' CHECK (level BETWEEN 0 AND 4),
  language VARCHAR(35) NOT NULL COMMENT 'BCP 47 tag in its recommended case, so that one language has one text; empty when not said',
  license VARCHAR(100) NOT NULL,
  pricing TINYINT NOT NULL COMMENT '0 unset, 1 free, 2 as course_price lists' CHECK (pricing BETWEEN 0 AND 2),
  platform_basis_points SMALLINT NULL COMMENT 'the platform''s part of what a sale brings, in hundredths of a percent; NULL: as of every course' CHECK (platform_basis_points BETWEEN 0 AND 10000),
  planned_learning_hours INT NOT NULL COMMENT '0 when not said' CHECK (planned_learning_hours BETWEEN 0 AND 10000),
  stage TINYINT NOT NULL COMMENT 'where it stands, its draft included: 1 draft, 2 in review, 3 published, 4 archived; published with a draft beside it 5, with one in review 6; 7 archived with a draft beside it'
    CHECK (stage BETWEEN 1 AND 7),
  rejection_reasons JSON NOT NULL DEFAULT '[]' COMMENT 'array of strings: why the last review turned it down; empty once it is submitted again',
  lesson_count INT NOT NULL COMMENT 'lessons of what is shown of it' CHECK (lesson_count BETWEEN 0 AND 2000),
  version BIGINT NOT NULL COMMENT 'counts changes of the course and its lessons, from 1; the etag is made of it'
    CHECK (version >= 1),
  revision BIGINT NOT NULL COMMENT 'counts publications; 0 before the first' CHECK (revision >= 0),
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  publish_time BIGINT NULL COMMENT 'NULL before',
  state TINYINT AS (CASE WHEN stage < 5 THEN stage WHEN stage < 7 THEN 3 ELSE 4 END) STORED COMMENT 'edu.v1.CourseState: 1 draft, 2 in review, 3 published, 4 archived',
  title_key VARCHAR(100) COLLATE utf8mb4_unicode_520_nopad_ci AS (LEFT(title, 100)) STORED COMMENT 'what the order by title compares',
  PRIMARY KEY (course_id),
  UNIQUE KEY course_external_key (creator_id, external_id),
  KEY course_newest (state, course_id),
  KEY course_title (state, title_key, course_id),
  CONSTRAINT course_published CHECK ((revision > 0) = (publish_time IS NOT NULL) AND (revision > 0 OR stage < 3))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='A course';

CREATE TABLE course_revision (
  course_id BIGINT NOT NULL,
  revision BIGINT NOT NULL COMMENT '0: the draft beside what is published, gone when it is; else what was published under this number, never changed' CHECK (revision >= 0),
  title VARCHAR(200) NOT NULL,
  summary VARCHAR(1000) NOT NULL,
  description MEDIUMTEXT NOT NULL,
  objectives JSON NOT NULL,
  audience VARCHAR(1000) NOT NULL,
  prerequisites VARCHAR(1000) NOT NULL,
  subject_id BIGINT NOT NULL,
  level TINYINT NOT NULL CHECK (level BETWEEN 0 AND 4),
  language VARCHAR(35) NOT NULL,
  license VARCHAR(100) NOT NULL,
  planned_learning_hours INT NOT NULL CHECK (planned_learning_hours BETWEEN 0 AND 10000),
  instructors JSON NOT NULL COMMENT 'array of {user_id, share_basis_points}, in their order',
  changed_fields JSON NOT NULL COMMENT 'array of the names of what the revision before had otherwise; empty in the first',
  lessons_added INT NOT NULL DEFAULT 0 COMMENT 'since the revision before; 0 of the draft' CHECK (lessons_added >= 0),
  lessons_removed INT NOT NULL DEFAULT 0 CHECK (lessons_removed >= 0),
  lessons_changed INT NOT NULL DEFAULT 0 CHECK (lessons_changed >= 0),
  lessons_moved INT NOT NULL DEFAULT 0 CHECK (lessons_moved >= 0),
  sections_added INT NOT NULL DEFAULT 0 CHECK (sections_added >= 0),
  sections_removed INT NOT NULL DEFAULT 0 CHECK (sections_removed >= 0),
  sections_changed INT NOT NULL DEFAULT 0 CHECK (sections_changed >= 0),
  sections_moved INT NOT NULL DEFAULT 0 CHECK (sections_moved >= 0),
  publish_time BIGINT NULL COMMENT 'NULL: the draft',
  PRIMARY KEY (course_id, revision),
  CONSTRAINT course_revision_published CHECK ((revision > 0) = (publish_time IS NOT NULL))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='What review was about in a course, but for its lessons: as published, and as edited since; the columns are those of course';

CREATE TABLE course_instructor (
  course_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  position INT NOT NULL COMMENT 'in the course''s list, from 1' CHECK (position >= 1),
  share_basis_points INT NOT NULL COMMENT 'of what the platform leaves, in hundredths of a percent; all of a course at most 10,000'
    CHECK (share_basis_points BETWEEN 0 AND 10000),
  PRIMARY KEY (course_id, user_id),
  KEY course_instructor_user (user_id, course_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='Who teaches a course and is paid for it';

CREATE TABLE course_price (
  course_id BIGINT NOT NULL,
  currency_code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'ISO 4217',
  minor_units BIGINT NOT NULL COMMENT 'above 0' CHECK (minor_units > 0),
  position INT NOT NULL COMMENT 'in the course''s list, from 1' CHECK (position >= 1),
  PRIMARY KEY (course_id, currency_code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='What a course costs, once per currency';

-- Apart from its course, so that whoever reviews one and whoever edits it do not wait for each other.
CREATE TABLE course_rating (
  course_id BIGINT NOT NULL,
  stars_1 INT NOT NULL COMMENT 'reviews that count and gave one star' CHECK (stars_1 >= 0),
  stars_2 INT NOT NULL COMMENT 'two' CHECK (stars_2 >= 0),
  stars_3 INT NOT NULL COMMENT 'three' CHECK (stars_3 >= 0),
  stars_4 INT NOT NULL COMMENT 'four' CHECK (stars_4 >= 0),
  stars_5 INT NOT NULL COMMENT 'five' CHECK (stars_5 >= 0),
  review_count INT AS (stars_1 + stars_2 + stars_3 + stars_4 + stars_5) STORED COMMENT 'reviews that count',
  star_count INT AS (stars_1 + 2 * stars_2 + 3 * stars_3 + 4 * stars_4 + 5 * stars_5) STORED COMMENT 'all stars that they gave',
  PRIMARY KEY (course_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='What the reviews of a course add up to, changed in the transaction that changes one; no row: there was none';

CREATE TABLE course_rank (
  course_id BIGINT NOT NULL,
  rating INT NOT NULL COMMENT 'what orders by rating compare, in thousandths of a star; 0 when nobody has reviewed it' CHECK (rating BETWEEN 0 AND 5000),
  popularity BIGINT NOT NULL COMMENT 'learners who ever enrolled' CHECK (popularity >= 0),
  rank_time BIGINT NOT NULL COMMENT 'when it last changed, by the database''s clock',
  PRIMARY KEY (course_id),
  KEY course_rank_time (rank_time, course_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='What published courses are ordered by that many calls change, counted now and then; no row: not counted yet';

CREATE TABLE search_miss (
  day_time BIGINT NOT NULL COMMENT 'when the day began, UTC',
  query VARCHAR(200) NOT NULL COMMENT 'folded (NFKC_Casefold), white space as one space; its first 200 characters' CHECK (query <> ''),
  searches BIGINT NOT NULL CHECK (searches > 0),
  PRIMARY KEY (day_time, query)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='What was sought on a day and no published course has; not by whom';

-- What a course consists of, in each of its revisions: 0 is the draft, which its instructors edit and which is always
-- there; what was published as N lies in rows of that revision, which never change. Learners see those of course.revision,
-- which before the first publication are the draft's.

CREATE TABLE section (
  course_id BIGINT NOT NULL,
  revision BIGINT NOT NULL COMMENT '0: the draft' CHECK (revision >= 0),
  section_id BIGINT NOT NULL COMMENT 'sec_ id; stable over the course''s revisions',
  title VARCHAR(200) NOT NULL,
  position INT NOT NULL COMMENT 'in the course, from 1, without gaps' CHECK (position >= 1),
  PRIMARY KEY (course_id, revision, section_id),
  UNIQUE KEY section_position_key (course_id, revision, position),
  KEY section_id (section_id, revision)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='A section of a course, in one of its revisions';

CREATE TABLE lesson (
  lesson_id BIGINT NOT NULL COMMENT 'les_ id; stable over the course''s revisions',
  course_id BIGINT NOT NULL,
  kind TINYINT NOT NULL COMMENT 'edu.v1.LessonKind: 1 video, 2 text, 3 quiz, 4 exercise, 5 live'
    CHECK (kind BETWEEN 1 AND 5),
  create_time BIGINT NOT NULL,
  gone TINYINT NOT NULL DEFAULT 0 COMMENT '1: it was deleted, and what is shown of the course is without it; what was recorded of it stays and does not count'
    CHECK (gone BETWEEN 0 AND 1),
  PRIMARY KEY (lesson_id),
  KEY lesson_course (course_id, gone)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='What never changes of a lesson; its row stays when it is deleted';

CREATE TABLE lesson_revision (
  course_id BIGINT NOT NULL,
  revision BIGINT NOT NULL COMMENT '0: the draft' CHECK (revision >= 0),
  lesson_id BIGINT NOT NULL,
  section_id BIGINT NOT NULL COMMENT '0: it lies in no section; such lessons come first' CHECK (section_id >= 0),
  external_id VARCHAR(64) NULL COMMENT 'key in its maker''s own system; NULL when there is none',
  title VARCHAR(200) NOT NULL,
  duration_seconds INT NOT NULL COMMENT '0 when not said; above 0 for a video, whose 64 slices are parts of it'
    CHECK (duration_seconds BETWEEN 0 AND 604800),
  weight INT NOT NULL COMMENT 'how much it counts in the course''s progress: 1 to 1,000'
    CHECK (weight BETWEEN 1 AND 1000),
  position INT NOT NULL COMMENT 'in the course, from 1, without gaps; the lessons of a section lie together, in the order of the sections'
    CHECK (position >= 1),
  free_preview TINYINT NOT NULL COMMENT '1 when it may be learned without a purchase'
    CHECK (free_preview BETWEEN 0 AND 1),
  release_time BIGINT NULL COMMENT 'its content is not shown before; NULL: no such time',
  release_after_days INT NOT NULL COMMENT 'nor earlier than so many days after a learner''s enrollment began'
    CHECK (release_after_days BETWEEN 0 AND 3650),
  quiz_id BIGINT NOT NULL COMMENT 'of table quiz; 0: none' CHECK (quiz_id >= 0),
  update_time BIGINT NOT NULL,
  PRIMARY KEY (course_id, revision, lesson_id),
  UNIQUE KEY lesson_position_key (course_id, revision, position),
  UNIQUE KEY lesson_external_key (course_id, revision, external_id),
  KEY lesson_quiz (quiz_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='A lesson of a course, in one of its revisions';
