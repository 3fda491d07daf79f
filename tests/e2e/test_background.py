# SPDX-License-Identifier: Apache-2.0
"""What real servers do in the background, by the clock of the database alone, whatever becomes of one of them."""
import re
import signal
import time
import unittest

from stack import Clock, Stack, free_port

NOW = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
HOUR = 3600 * 1000000
IDEMPOTENCY, SESSION = 1, 2  # kinds of due


class Background(unittest.TestCase):
    def setUp(self):
        self.stack = self.enterContext(Stack())

    def start(self, **how):
        """A server, and where its metrics are."""
        port = free_port()
        return self.stack.start("--metrics-listen", f"127.0.0.1:{port}", **how), port

    def keys(self, first, n, over):
        """Keys that expired so many microseconds ago."""
        self.stack.sql(f"INSERT INTO idempotency SELECT {first}, 1, UNHEX(LPAD(HEX(seq), 32, '0')), REPEAT('b', 32), 'reply',"
                       f" {NOW} - {over} - 1000, {NOW} - {over} FROM seq_1_to_{n}")

    def sessions(self, first, n, over):
        self.stack.sql("INSERT INTO session (session_id, user_id, create_time, expire_time, source, session_hash, token_hash,"
                       f" token_nonce, token_time, token_expire_time) SELECT {first} * 10000 + seq, {first}, 1,"
                       " 9000000000000000, '', REPEAT('f', 32), REPEAT('s', 32), REPEAT('n', 16), 1,"
                       f" {NOW} - {over} FROM seq_1_to_{n}")

    def count(self, table, whose):
        column = "principal_id" if table == "idempotency" else "user_id"
        return int(self.stack.sql(f"SELECT COUNT(*) FROM {table} WHERE {column} = {whose}")[0][0])

    def have_it_done(self, *kinds):
        self.stack.sql(f"UPDATE due SET due_time = {NOW} WHERE kind IN ({', '.join(map(str, kinds))})")

    def until(self, what, truth, seconds=20):
        end = time.monotonic() + seconds
        while not truth():
            self.assertLess(time.monotonic(), end, f"not within {seconds} s: {what}")
            time.sleep(0.02)

    def metric(self, port, name):
        found = re.search(rf"^{re.escape(name)} (\d+)$", self.stack.http(port, "/metrics"), re.MULTILINE)
        return int(found[1]) if found else None

    def test_a_server_whose_clock_is_an_hour_off_drops_nothing_early_or_late(self):
        clock = Clock(self.stack.dir / "clock")
        self.start(env=clock.environment())
        self.stack.replicas.pop(0).stop()  # nobody else does it
        for turn, off in enumerate((3600, -3600), 1):
            clock.set(off)
            time.sleep(1.5)  # it is looked at once a second
            day, month = 24 * HOUR, 30 * 24 * HOUR  # what is kept
            self.keys(turn * 10 + 1, 500, day + HOUR // 2)
            self.keys(turn * 10 + 2, 500, day - HOUR // 2)
            self.sessions(turn * 10 + 1, 500, month + HOUR // 2)
            self.sessions(turn * 10 + 2, 500, month - HOUR // 2)
            self.have_it_done(IDEMPOTENCY, SESSION)
            for table in "idempotency", "session":
                self.until(f"{table}, clock {off} s off", lambda: self.count(table, turn * 10 + 1) == 0)
                self.assertEqual(self.count(table, turn * 10 + 2), 500)
        clock.set(0)

    def test_a_server_whose_clock_is_off_does_not_keep_others_from_telling_of_progress(self):
        clock = Clock(self.stack.dir / "clock")
        leader = self.start(env=clock.environment())[0]
        self.stack.replicas.pop(0).stop()
        leads = f"SELECT holder LIKE '%:{leader.process.pid}:%' FROM lease WHERE name = 'event.sequencer'"
        self.until("the lease", lambda: self.stack.sql(leads) == [["1"]])
        self.stack.start("--record-seconds", "1")
        self.stack.sql("INSERT INTO organization_member (member_id, organization_id, user_id, live, version, create_time)"
                       " VALUES (7, 2, 7, 1, 1, 1)")
        for off in 3600, -3600:
            clock.set(off)
            self.stack.sql(f"INSERT INTO progress_day VALUES (7, {7000 + off}, 9, 1, 1, 1, 2);"
                           f"INSERT INTO progress_mark VALUES ({NOW}, 7, {7000 + off}, 9)")
            self.until(f"its event, a clock {off} s off", lambda: self.stack.sql("SELECT 1 FROM progress_mark") == [])
            self.until("the lease of another", lambda: self.stack.sql(leads) == [["0"]])
        self.assertEqual(self.stack.sql("SELECT COUNT(*) FROM event WHERE kind = 'progress.recorded'"), [["2"]])
        clock.set(0)

    def test_what_a_killed_server_was_at_another_goes_on_with(self):
        port = self.start()[1]
        self.keys(7, 20000, 25 * HOUR)
        self.keys(8, 3000, -HOUR)
        self.have_it_done(IDEMPOTENCY)
        self.until("a beginning", lambda: self.count("idempotency", 7) < 18000)
        self.assertGreater(self.count("idempotency", 7), 0)
        self.assertEqual(self.stack.replicas.pop(0).stop(signal.SIGKILL), -signal.SIGKILL)
        self.until("the rest", lambda: self.count("idempotency", 7) == 0, 60)
        self.assertEqual(self.count("idempotency", 8), 3000)
        self.until("the metric", lambda: self.metric(port, 'edu_retention_lag_seconds{kind="idempotency_retention"}') == 0)
        self.assertGreater(self.metric(port, 'edu_retention_removed_rows_total{kind="idempotency_retention"}'), 0)
        self.assertEqual(self.metric(port, 'edu_due_failed_total{kind="idempotency_retention"}'), 0)

    def test_what_a_newer_server_will_do_waits(self):
        self.stack.sql(f"INSERT INTO due SELECT 31999, seq, {NOW} - 5000000, 0 FROM seq_1_to_1000")
        port = self.start()[1]
        self.keys(7, 100, 25 * HOUR)
        self.have_it_done(IDEMPOTENCY)
        self.until("what this one does", lambda: self.count("idempotency", 7) == 0)
        self.until("the metric", lambda: self.metric(port, "edu_due_unknown_rows") == 1000)
        self.assertEqual(self.stack.sql("SELECT COUNT(*), MAX(attempts) FROM due WHERE kind = 31999"), [["1000", "0"]])
        time.sleep(11)  # it is counted anew every 10 s, and named once by each of two
        self.assertEqual(self.stack.server_log().count("kind=31999"), 2)


if __name__ == "__main__":
    unittest.main()
