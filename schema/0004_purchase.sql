-- compatible-with: 4
-- SPDX-License-Identifier: Apache-2.0
-- Money: wallets, the double-entry ledger, charges and payments; and purchases, the first thing that is charged for.
-- Amounts are in the minor unit of their currency (ISO 4217); times are microseconds since the Unix epoch, UTC. What is
-- written in ledger_transaction, ledger_entry and payment is never changed.

CREATE TABLE wallet (
  owner_id      BIGINT NOT NULL COMMENT 'a user; no two kinds share an id, so that it may be an organization too',
  currency_code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  balance       BIGINT NOT NULL COMMENT 'the sum of the entries of its account; changed only together with them',
  debt          BIGINT NOT NULL DEFAULT 0
    COMMENT 'what the owner owes: minus the sum of the entries of the receivable account, changed only together with them, by a conditional update, so that nothing is recovered twice; nothing lends today' CHECK (debt >= 0),
  update_time   BIGINT NOT NULL COMMENT 'when the balance last changed',
  PRIMARY KEY (owner_id, currency_code),
  CONSTRAINT wallet_not_overdrawn CHECK (balance >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='What an owner has in one currency; the only account that keeps a balance, all others are sums';

CREATE TABLE payable (
  owner_id      BIGINT NOT NULL,
  currency_code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  paid_out      BIGINT NOT NULL COMMENT 'what payouts have taken from the account, less what came back' CHECK (paid_out >= 0),
  PRIMARY KEY (owner_id, currency_code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='Guard of a payable account: only payouts write it, each by an update that asks for the paid_out it has read, so that two at once do not take the same money. Sales do not touch it. Nothing pays out today';

CREATE TABLE payment_provider (
  provider    VARCHAR(32) NOT NULL COMMENT 'a slug of a-z 0-9 -, compared exactly',
  provider_id BIGINT NOT NULL COMMENT 'owner of its clearing account',
  PRIMARY KEY (provider),
  UNIQUE KEY payment_provider_id_key (provider_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='Who takes payments for the platform';

CREATE TABLE payment (
  payment_id          BIGINT NOT NULL,
  provider            VARCHAR(32) NOT NULL,
  provider_payment_id VARCHAR(128) NOT NULL COMMENT 'the provider''s own id, compared exactly',
  owner_id            BIGINT NOT NULL COMMENT 'whose wallet it was credited to',
  currency_code       CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount              BIGINT NOT NULL CHECK (amount > 0),
  transaction_id      BIGINT NOT NULL COMMENT 'that received it',
  create_time         BIGINT NOT NULL,
  PRIMARY KEY (payment_id),
  UNIQUE KEY payment_provider_key (provider, provider_payment_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='A payment received outside; the provider''s key lets each be credited once, for ever';

CREATE TABLE ledger_transaction (
  transaction_id BIGINT NOT NULL COMMENT 'that of the event appended with it, whose position in the feed is its place',
  cause_kind     SMALLINT NOT NULL COMMENT '1 payment, 2 purchase' CHECK (cause_kind BETWEEN 1 AND 2),
  cause_id       BIGINT NOT NULL COMMENT 'the payment, the purchase',
  step           BIGINT NOT NULL COMMENT 'of what the cause moves in its life, 0 the first; an id or a time where one step is done for each',
  actor_id       BIGINT NOT NULL COMMENT 'usr_ or service account who caused it',
  create_time    BIGINT NOT NULL,
  PRIMARY KEY (transaction_id),
  UNIQUE KEY ledger_transaction_cause_key (cause_kind, cause_id, step)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='One movement of money; its entries sum to zero. Each step of a cause moves it once, whatever retries or races do';

CREATE TABLE ledger_entry (
  transaction_id BIGINT NOT NULL,
  line           SMALLINT NOT NULL COMMENT 'from 1' CHECK (line > 0),
  account_kind   TINYINT NOT NULL COMMENT 'enum ledger_account' CHECK (account_kind BETWEEN 1 AND 17),
  owner_id       BIGINT NOT NULL COMMENT 'wallet and payable: the user; clearing: payment_provider; else 0',
  currency_code  CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount         BIGINT NOT NULL COMMENT 'above zero credits the account: the platform owes its owner more' CHECK (amount <> 0),
  PRIMARY KEY (transaction_id, line),
  KEY ledger_entry_account (account_kind, owner_id, currency_code, transaction_id, amount)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='One account''s part of a movement';

CREATE TABLE ledger_checkpoint (
  account_kind  TINYINT NOT NULL COMMENT 'of any account but a wallet' CHECK (account_kind BETWEEN 2 AND 17),
  owner_id      BIGINT NOT NULL,
  currency_code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position      BIGINT NOT NULL COMMENT 'in the feed, of the last cut that changed it; the reader "ledger" is as far as all are',
  balance       DECIMAL(38, 0) NOT NULL COMMENT 'the sum of the account''s entries whose event is at most there; wider than an entry, so that no account can stop the cuts',
  PRIMARY KEY (account_kind, owner_id, currency_code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='What accounts that keep no balance held at a position of the feed';

INSERT INTO event_reader (name, position) VALUES ('ledger', 0);

CREATE TABLE charge (
  charge_id      BIGINT NOT NULL COMMENT 'the id of what is sold: a purchase',
  payer_id       BIGINT NOT NULL COMMENT 'who pays',
  beneficiary_id BIGINT NOT NULL COMMENT 'who gets what is sold; for a purchase the payer',
  currency_code  CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  list_price     BIGINT NOT NULL,
  discount       BIGINT NOT NULL,
  tax            BIGINT NOT NULL COMMENT 'in total',
  tax_inclusive  TINYINT NOT NULL COMMENT '1 when list_price has it inside, 0 when it is added' CHECK (tax_inclusive IN (0, 1)),
  total          BIGINT NOT NULL COMMENT 'list_price - discount, plus tax unless it is inside',
  charged        BIGINT NOT NULL COMMENT 'taken from the payer so far; refunds do not lower it',
  refunded       BIGINT NOT NULL DEFAULT 0 COMMENT 'given back of it so far, by us or by a provider that was forced to',
  disputed       BIGINT NOT NULL DEFAULT 0 COMMENT 'taken back of it by a provider, outcome open',
  transaction_id BIGINT NULL COMMENT 'that paid it; NULL while nothing was charged',
  create_time    BIGINT NOT NULL,
  PRIMARY KEY (charge_id),
  CONSTRAINT charge_discount CHECK (discount >= 0 AND discount <= list_price),
  CONSTRAINT charge_tax CHECK (tax >= 0 AND tax <= total),
  CONSTRAINT charge_total CHECK (total - IF(tax_inclusive, 0, tax) = list_price - discount),
  CONSTRAINT charge_taken CHECK (charged >= 0 AND charged <= total),
  CONSTRAINT charge_given_back CHECK (refunded >= 0 AND disputed >= 0 AND refunded <= charged AND disputed <= charged - refunded),
  CONSTRAINT charge_paid CHECK ((transaction_id IS NULL) = (charged = 0))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='What is asked for a thing sold and what became of it; whatever is paid, refunded or disputed is so through its charge';

CREATE TABLE purchase (
  purchase_id     BIGINT NOT NULL COMMENT 'and of its charge; grows with time, so it is also the order of creation',
  user_id         BIGINT NOT NULL COMMENT 'who learns: the beneficiary',
  course_id       BIGINT NOT NULL,
  course_revision BIGINT NOT NULL COMMENT 'of the course when it was bought',
  state           TINYINT NOT NULL COMMENT 'edu.v1.PurchaseState' CHECK (state BETWEEN 1 AND 7),
  payment_source  TINYINT NOT NULL COMMENT 'edu.v1.PaymentSource' CHECK (payment_source BETWEEN 1 AND 1),
  complete_time   BIGINT NULL COMMENT 'NULL before',
  live            TINYINT NULL COMMENT '1 while it is PENDING or its grant lives, NULL otherwise, so that the key does not count it; written by whoever changes either' CHECK (live = 1),
  PRIMARY KEY (purchase_id),
  UNIQUE KEY purchase_live_key (user_id, course_id, live),
  KEY purchase_user (user_id, purchase_id),
  CONSTRAINT purchase_live CHECK (live IS NULL OR state IN (1, 2, 3, 4)),
  CONSTRAINT purchase_completed CHECK ((complete_time IS NOT NULL) = (state IN (2, 3, 4)))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  COMMENT='A user''s purchase of a course; at most one is live';
