-- compatible-with: 2
-- SPDX-License-Identifier: Apache-2.0
-- People: accounts and their sessions. Times are microseconds since the Unix epoch, UTC. Text is compared exactly
-- (nopad: a trailing space counts), so what is unique ignoring case is stored folded.

CREATE TABLE user (
  user_id BIGINT NOT NULL COMMENT 'usr_ id',
  user_name VARCHAR(32) NOT NULL COMMENT 'to sign in with; lower case',
  email VARCHAR(254) NULL COMMENT 'normalized: lower case; NULL when there is none. A note: not unique, and good for nothing until verified',
  verified_email VARCHAR(254) NULL COMMENT 'email once it was verified: unique, to sign in with; NULL until then',
  display_name VARCHAR(100) NOT NULL COMMENT 'what others see',
  bio VARCHAR(2000) NOT NULL COMMENT 'plain text',
  language VARCHAR(35) NOT NULL COMMENT 'BCP 47 tag; empty when not said',
  time_zone VARCHAR(64) NOT NULL COMMENT 'name in the IANA database; empty when not said',
  password_hash VARCHAR(128) NOT NULL COMMENT 'Argon2id, in its own encoding with salt and parameters',
  roles INT UNSIGNED NOT NULL COMMENT 'bits of enum role (server/base/principal.h); LEARNER is held by all' CHECK (roles & 1),
  administrator TINYINT NULL COMMENT '1 for holders of ADMIN, so that they can be found and locked; NULL otherwise',
  rights_epoch BIGINT NOT NULL COMMENT 'raised by what voids the access tokens, which carry it: roles, suspension, password, log-out everywhere'
    CHECK (rights_epoch >= 1),
  state TINYINT NOT NULL COMMENT 'edu.v1.UserState: 1 active, 2 suspended' CHECK (state BETWEEN 1 AND 2),
  version BIGINT NOT NULL COMMENT 'counts changes, from 1; the etag is made of it' CHECK (version >= 1),
  create_time BIGINT NOT NULL COMMENT 'when the account was made',
  update_time BIGINT NOT NULL COMMENT 'when it was last changed',
  PRIMARY KEY (user_id),
  UNIQUE KEY user_name_key (user_name),
  UNIQUE KEY user_email_key (verified_email),
  KEY user_administrator (administrator),
  CONSTRAINT user_administrator_as_roles CHECK (administrator <=> IF(roles & 16, 1, NULL)),
  CONSTRAINT user_verified_email CHECK (verified_email IS NULL OR verified_email = email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='A person with an account';

CREATE TABLE session (
  session_id BIGINT NOT NULL COMMENT 'ses_ id; the same through every refresh',
  user_id BIGINT NOT NULL COMMENT 'whose',
  create_time BIGINT NOT NULL COMMENT 'when the user signed in',
  expire_time BIGINT NOT NULL COMMENT 'no refresh token of it lives longer',
  source VARBINARY(16) NOT NULL COMMENT 'network the user signed in from: an IPv4 address or an IPv6 /64; empty when unknown',
  revoke_time BIGINT NULL COMMENT 'when it was ended before its time; NULL while it lives',
  session_hash BINARY(32) NOT NULL COMMENT 'hash of the secret that all its refresh tokens share; no token is stored',
  token_hash BINARY(32) NOT NULL COMMENT 'hash of the secret of its newest refresh token',
  token_nonce BINARY(16) NOT NULL COMMENT 'from which and its predecessor the newest was derived',
  token_time BIGINT NOT NULL COMMENT 'when the newest was made',
  token_expire_time BIGINT NOT NULL COMMENT 'when the newest ends unless it is used',
  PRIMARY KEY (session_id),
  KEY session_source (user_id, source),
  KEY session_token_expire (token_expire_time) COMMENT 'what may be removed',
  CONSTRAINT session_times
    CHECK (create_time < expire_time AND token_time < token_expire_time AND token_expire_time <= expire_time)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin COMMENT='A signed-in user, and the newest of the refresh tokens';
