# SPDX-License-Identifier: Apache-2.0
"""How a server starts, refuses to start, and stops: what an operator sees."""
import contextlib
import datetime
import os
import signal
import socket
import subprocess
import threading
import time
import unittest
import urllib.error
import uuid

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from stack import PASSWORD, Replica, SERVER, Stack, free_port
from test_every_rpc import World
from wire import Refused, Wire, messages, own_replica

HOLD_SECONDS = 2


def now():
    ret = Timestamp()
    ret.FromDatetime(datetime.datetime.now(datetime.timezone.utc))
    return ret


class Lifecycle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack().__enter__()
        cls.world = World(cls.stack)
        cls.learner = cls.world.enrolled_learner(cls.world.course)
        wire = Wire(cls.stack.target)
        cls.token = wire.call("session", "Login", login=cls.learner, password=PASSWORD).session.access_token
        wire.close()

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def replica(self, *flags):
        return own_replica(self.stack, *flags)

    def ended(self, replica):
        """The exit status of a server that was told to stop."""
        status = replica.process.wait(60)
        replica.stop()
        return status

    def report(self, wire, timeout=20):
        """One progress report in a session of its own; returns the session's id."""
        session, at = uuid.uuid4(), now()
        wire.call("progress", "RecordProgress", self.token, timeout=timeout, session_start_time=at, client_time=at,
                  lesson_id=self.world.lessons[0]["lessonId"], session_id=str(session), interactions=1)
        return session

    def sessions(self):
        return {row[0].lower() for row in self.stack.sql("SELECT HEX(session_id) FROM progress_session")}

    @contextlib.contextmanager
    def held(self, seconds=HOLD_SECONDS):
        """Nothing can write progress for so long."""
        holder = subprocess.Popen(["mariadb", "--socket", self.stack.socket, "--user", "root", "--batch",
                                   "--unbuffered", "--skip-column-names", self.stack.database], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdin.write("LOCK TABLES progress_session WRITE;\nSELECT 'held';\n")
        holder.stdin.flush()
        self.assertEqual(holder.stdout.readline().strip(), "held")
        holder.stdin.write(f"DO SLEEP({seconds});\n")
        holder.stdin.close()
        try:
            yield
        finally:
            holder.wait(60)
            holder.stdout.close()

    def in_background(self, count, wire):
        """Starts so many reports; returns a function that waits for their outcomes: a session, or what refused it."""
        outcomes = []

        def one():
            try:
                outcomes.append(self.report(wire))
            except Refused as error:
                outcomes.append(error)

        threads = [threading.Thread(target=one) for _ in range(count)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        self.assertEqual(outcomes, [], "they wait")

        def wait():
            for thread in threads:
                thread.join()
            return outcomes

        return wait

    # --- stopping ---

    def test_idle_servers_stop_at_once(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.replica() as (replica, wire):
                self.report(wire)
                began = time.monotonic()
                self.assertEqual(replica.stop(how), 0)
                self.assertLess(time.monotonic() - began, 3)

    def test_serves_on_until_the_edge_has_noticed(self):
        port = free_port()
        with self.replica("--drain-notice-seconds", "2", "--metrics-listen", f"127.0.0.1:{port}") as (replica, wire):
            self.report(wire)
            began = time.monotonic()
            replica.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            with self.assertRaises(urllib.error.HTTPError) as caught:
                self.stack.http(port, "/readyz")
            self.assertEqual(caught.exception.code, 503)
            caught.exception.close()
            served = 0
            with self.assertRaises(Refused) as refused:
                while True:
                    self.report(wire)
                    served += 1
            self.assertEqual((refused.exception.code, refused.exception.reason), ("UNAVAILABLE", "DRAINING"))
            self.assertTrue(refused.exception.retry)
            self.assertGreater(time.monotonic() - began, 2)
            self.assertGreater(served, 0)
            self.assertEqual(self.ended(replica), 0)

    def test_calls_under_way_are_finished(self):
        with self.replica() as (replica, wire):
            with self.held():
                outcomes = self.in_background(8, wire)
                replica.process.send_signal(signal.SIGTERM)
                time.sleep(0.5)
                with self.assertRaises(Refused) as caught:
                    self.report(wire, timeout=1)  # on the connection that the others still use
                self.assertEqual((caught.exception.code, caught.exception.reason), ("UNAVAILABLE", "DRAINING"))
                other = Wire(replica.target)
                with self.assertRaises(Refused) as caught:
                    self.report(other, timeout=1)
                other.close()
                self.assertEqual(caught.exception.code, "UNAVAILABLE")
                self.assertIsNone(replica.process.poll(), "it waits for them")
            finished = outcomes()
            self.assertEqual([o for o in finished if isinstance(o, Refused)], [])
            self.assertEqual(self.ended(replica), 0)
        self.assertLessEqual({s.hex for s in finished}, self.sessions())

    def test_calls_that_take_too_long_are_cut(self):
        with self.replica("--drain-seconds", "1") as (replica, wire):
            with self.held(4):
                outcomes = self.in_background(3, wire)
                began = time.monotonic()
                replica.process.send_signal(signal.SIGTERM)
                finished = outcomes()
                self.assertLess(time.monotonic() - began, 3)
            for outcome in finished:
                self.assertIsInstance(outcome, Refused)
                self.assertEqual((outcome.code, outcome.reason), ("UNAVAILABLE", "DATABASE_UNAVAILABLE"))
            self.assertEqual(self.ended(replica), 0)

    def test_a_second_signal_stops_at_once(self):
        with self.replica() as (replica, wire):
            with self.held():
                outcomes = self.in_background(1, wire)
                began = time.monotonic()
                replica.process.send_signal(signal.SIGTERM)
                time.sleep(0.3)
                self.assertEqual(replica.stop(signal.SIGTERM), 1)
                self.assertLess(time.monotonic() - began, 1.5)
            self.assertEqual(outcomes()[0].code, "UNAVAILABLE")

    def test_health_says_so_first(self):
        with self.replica() as (replica, _):
            channel = grpc.insecure_channel(replica.target)
            watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
            self.assertEqual(next(watch), b"\x08\x01")  # SERVING
            replica.process.send_signal(signal.SIGTERM)
            self.assertEqual(next(watch), b"\x08\x02")  # NOT_SERVING
            self.assertEqual(self.ended(replica), 0)
            channel.close()

    # --- refusing to start ---

    def refuses(self, *flags, database=None):
        """Runs a server that must not start; returns what it says to the operator."""
        done = subprocess.run([SERVER, "serve", "--db-user", "root", "--db-socket", self.stack.socket, "--db-name",
                               database or self.stack.database, "--listen", "127.0.0.1:0", "--metrics-listen", "off",
                               "--key-dir", self.stack.dir / "keys", *flags],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        said = [line for line in done.stderr.splitlines() if line.startswith("edu-server: ")]
        self.assertEqual(len(said), 1, done.stderr)
        return said[0]

    def test_a_port_taken(self):
        said = self.refuses("--listen", self.stack.target)
        self.assertIn(self.stack.target, said)
        self.assertIn("taken", said)
        self.assertTrue(self.stack.edu("get-user", user="root-admin"))  # and the first one still serves

    def test_a_metrics_port_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.assertIn(address, self.refuses("--metrics-listen", address))

    def test_an_address_of_another_machine(self):
        self.assertIn("192.0.2.1:50051", self.refuses("--listen", "192.0.2.1:50051"))

    def test_no_database_server(self):
        said = self.refuses("--db-socket", "/nonexistent/db.sock")
        self.assertIn("/nonexistent/db.sock", said)

    def test_no_database(self):
        self.assertIn("no_such_database", self.refuses(database="no_such_database"))

    @contextlib.contextmanager
    def database(self, migrated):
        name = "e2e_" + uuid.uuid4().hex[:12]
        self.stack.sql(f"CREATE DATABASE {name}", database="")
        try:
            if migrated:
                subprocess.run([SERVER, "migrate", "--db-user", "root", "--db-socket", self.stack.socket, "--db-name",
                                name], check=True, stdout=subprocess.DEVNULL)
            yield name
        finally:
            self.stack.sql(f"DROP DATABASE {name}", database="")

    def test_an_unmigrated_database(self):
        with self.database(migrated=False) as name:
            self.assertIn("edu-server migrate", self.refuses(database=name))
            self.assertEqual(self.stack.sql("SHOW TABLES", database=name), [])

    def test_a_database_half_migrated(self):
        with self.database(migrated=True) as name:
            self.stack.sql("DELETE FROM schema_migration ORDER BY number DESC LIMIT 1", database=name)
            self.assertIn("edu-server migrate", self.refuses(database=name))

    def test_a_newer_database(self):
        with self.database(migrated=True) as name:
            self.stack.sql("INSERT INTO schema_migration VALUES (900, '0900_future', REPEAT('x', 32), 900, 1, 1)",
                           database=name)
            said = self.refuses(database=name)
            self.assertIn("0900_future", said)
            self.assertIn("run a newer server", said)
            # One that says it can be run on by this server is fine.
            self.stack.sql("UPDATE schema_migration SET compatible_with = 1 WHERE number = 900", database=name)
            stack = self.stack
            flags = stack.db_flags
            stack.db_flags = ["--db-user", "root", "--db-socket", stack.socket, "--db-name", name]
            try:
                self.assertEqual(Replica(stack).stop(), 0)
            finally:
                stack.db_flags = flags

    # --- standard descriptors ---

    def serve(self, flags, shell=(), **descriptors):
        """A server started without Replica's care; returns the process and its Wire."""
        target = f"127.0.0.1:{free_port()}"
        process = subprocess.Popen(
            [*shell, SERVER, "serve", *self.stack.db_flags, "--listen", target, "--metrics-listen", "off", "--key-dir",
             self.stack.dir / "keys", "--rate-login", "0", "--rate-default", "0", "--argon2-mib", "1",
             "--argon2-passes", "1", *flags], **descriptors)
        self.addCleanup(process.kill)
        wire = Wire(target, [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100)],
                    patient=True)
        self.addCleanup(wire.close)
        return process, wire

    def test_nobody_reads_the_log(self):
        process, wire = self.serve(["--log-level", "debug"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(1500):  # three times what a pipe holds
            self.assertTrue(wire.call("user", "GetUser", self.token, timeout=20).user.user_id)
        process.terminate()
        self.assertEqual(process.wait(30), 0)
        process.stderr.close()

    def test_closed_standard_descriptors_become_no_connection(self):
        process, wire = self.serve(["--log-level", "debug"], shell=["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-'])
        for _ in range(50):
            self.report(wire)
        for fd in (0, 1, 2):
            self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{fd}"), "/dev/null")
        process.terminate()
        self.assertEqual(process.wait(30), 0)

    # --- TLS ---

    def certificate(self, name):
        """A certificate that signs itself, for 127.0.0.1; the files of it and its key."""
        certificate, key = self.stack.dir / f"{name}.pem", self.stack.dir / f"{name}.key"
        if not certificate.exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-nodes", "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        return certificate, key

    def test_tls(self):
        certificate, key = self.certificate("own")
        stranger, _ = self.certificate("stranger")
        with self.replica("--tls-cert", certificate, "--tls-key", key) as (replica, plain):
            target = replica.target
            me = self.stack.edu("--ca", certificate, "--token", self.token, "get-user", target=target)
            self.assertEqual(me["user"]["userName"], self.learner)

            with self.assertRaises(Refused) as caught:
                self.report(plain, timeout=3)
            self.assertEqual(caught.exception.code, "UNAVAILABLE")
            for flags in ([], ["--ca", stranger], ["--tls"]):
                done = self.stack.edu_raw("--timeout", "3s", *flags, "--token", self.token, "get-user", target=target)
                self.assertNotEqual(done.returncode, 0, flags)
            self.assertTrue(self.over_tls(target, certificate))
            with self.assertRaises(grpc.RpcError):
                self.over_tls(target, stranger)
            self.assertEqual(replica.stop(), 0)

    def over_tls(self, target, certificate):
        """A partner's client in another language."""
        user = messages("edu.v1.user")
        with grpc.secure_channel(target, grpc.ssl_channel_credentials(certificate.read_bytes())) as channel:
            return channel.unary_unary("/edu.v1.EduService/GetUser")(
                user.GetUserRequest().SerializeToString(), timeout=3,
                metadata=[("authorization", "Bearer " + self.token)])

    def test_tls_files_that_do_not_fit(self):
        certificate, key = self.certificate("own")
        _, other = self.certificate("stranger")
        self.assertIn("/nonexistent.key", self.refuses("--tls-cert", certificate, "--tls-key", "/nonexistent.key"))
        said = self.refuses("--tls-cert", certificate, "--tls-key", other)
        self.assertIn(f"{other} is no key of the certificate", said)
        self.assertNotIn("port", said)
        self.assertIn(f"{key} is no certificate", self.refuses("--tls-cert", key, "--tls-key", certificate))


if __name__ == "__main__":
    unittest.main()
