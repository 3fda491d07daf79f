-- compatible-with: 4
-- SPDX-License-Identifier: Apache-2.0
-- Money: wallets, the double-entry ledger and purchases. Amounts are in the minor unit of their currency (ISO 4217); times
-- are microseconds since the Unix epoch, UTC. What is written in ledger_transaction, ledger_entry and payment is never
-- changed.

CREATE TABLE wallet (
  user_id       BIGINT NOT NULL,
  currency_code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  balance       BIGINT NOT NULL COMMENT 'the sum of the entries of its account; changed only together with them',
  update_time   BIGINT NOT NULL COMMENT 'when the balance last changed',
  PRIMARY KEY (user_id, currency_code),
  CONSTRAINT wallet_not_overdrawn CHECK (balance >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='What a user has in one currency; the only account that keeps a balance, all others are sums';

CREATE TABLE payment_provider (
  provider    VARCHAR(32) NOT NULL COMMENT 'a slug of a-z 0-9 -, compared exactly',
  provider_id BIGINT NOT NULL COMMENT 'owner of its clearing account',
  PRIMARY KEY (provider),
  UNIQUE KEY payment_provider_id_key (provider_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='Who takes payments for the platform';

CREATE TABLE payment (
  provider            VARCHAR(32) NOT NULL,
  provider_payment_id VARCHAR(128) NOT NULL COMMENT 'the provider''s own id, compared exactly',
  user_id             BIGINT NOT NULL COMMENT 'whose wallet it was credited to',
  currency_code       CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount              BIGINT NOT NULL,
  transaction_id      BIGINT NOT NULL,
  create_time         BIGINT NOT NULL,
  PRIMARY KEY (provider, provider_payment_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='A payment received outside; its key lets each be credited once, for ever';

CREATE TABLE ledger_transaction (
  transaction_id BIGINT NOT NULL,
  kind           TINYINT NOT NULL COMMENT '1 top up, 2 purchase',
  purchase_id    BIGINT NULL COMMENT 'of a purchase',
  actor_id       BIGINT NOT NULL COMMENT 'usr_ or service account who caused it',
  create_time    BIGINT NOT NULL,
  PRIMARY KEY (transaction_id),
  KEY ledger_transaction_purchase (purchase_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='One movement of money; its entries sum to zero per currency';

CREATE TABLE ledger_entry (
  transaction_id BIGINT NOT NULL,
  line           TINYINT NOT NULL COMMENT 'from 1',
  account_kind   TINYINT NOT NULL COMMENT '1 wallet, 2 payable, 3 revenue, 4 clearing, 5 rounding',
  owner_id       BIGINT NOT NULL COMMENT 'wallet and payable: the user; clearing: payment_provider; else 0',
  currency_code  CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount         BIGINT NOT NULL COMMENT 'above zero credits the account: the platform owes its owner more',
  PRIMARY KEY (transaction_id, line),
  KEY ledger_entry_account (account_kind, owner_id, currency_code, transaction_id, amount)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='One account''s part of a movement';

CREATE TABLE purchase (
  purchase_id     BIGINT NOT NULL COMMENT 'grows with time, so it is also the order of creation',
  user_id         BIGINT NOT NULL,
  course_id       BIGINT NOT NULL,
  course_revision BIGINT NOT NULL COMMENT 'of the course when it was bought',
  state           TINYINT NOT NULL COMMENT 'edu.v1.PurchaseState',
  payment_source  TINYINT NOT NULL COMMENT 'edu.v1.PaymentSource',
  currency_code   CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  list_price      BIGINT NOT NULL,
  discount        BIGINT NOT NULL,
  tax             BIGINT NOT NULL COMMENT 'in total',
  tax_inclusive   TINYINT NOT NULL COMMENT '1 when list_price has it inside, 0 when it is added',
  total           BIGINT NOT NULL COMMENT 'list_price - discount, plus tax unless it is inside',
  charged         BIGINT NOT NULL COMMENT 'taken from the buyer so far; refunds do not lower it',
  transaction_id  BIGINT NULL COMMENT 'that paid it; NULL when nothing was paid',
  create_time     BIGINT NOT NULL,
  complete_time   BIGINT NULL COMMENT 'NULL before',
  access_end_time BIGINT NULL COMMENT 'when its grant was revoked or found expired; NULL while it lives',
  live            TINYINT AS (IF(state = 1 OR (state IN (2, 3, 4) AND access_end_time IS NULL), 1, NULL)) VIRTUAL
    COMMENT '1 while it is PENDING or its grant lives; NULL otherwise, so that the key does not count it',
  PRIMARY KEY (purchase_id),
  UNIQUE KEY purchase_live_key (user_id, course_id, live),
  KEY purchase_user (user_id, purchase_id),
  KEY purchase_user_course (user_id, course_id, purchase_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='A user''s purchase of a course; at most one is live';
