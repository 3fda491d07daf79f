# SPDX-License-Identifier: Apache-2.0
"""The edge as docs/haproxy.cfg has it, with this machine's ports and a certificate of its own."""
import os
import re
import subprocess
import sys
import threading
import time
import unittest

from edge import Edge
from frames import DATA, END_HEADERS, END_STREAM, HEADERS, RESET, Connection, frame, headers, message
from stack import PASSWORD, ROOT, SERVER, Stack, free_port
from wire import Refused, messages

SERVICE = "/edu.v1.EduService/"
STREAMS = int(os.environ.get("EDU_RESET_STREAMS", 20000))


class EdgeTest(unittest.TestCase):
    def setUp(self):
        metrics = free_port()
        stack = Stack("--metrics-listen", f"127.0.0.1:{metrics}", "--trust-forwarded-for", "--rate-login", "1")
        self.stack = stack.__enter__()
        self.addCleanup(stack.__exit__, None, None, None)
        edge = Edge((self.stack.target, metrics)).__enter__()
        self.addCleanup(edge.__exit__, None, None, None)
        self.port = edge.port
        self.edge = edge.wire()
        self.addCleanup(self.edge.close)
        self.edge.call("catalogue", "ListCourses")  # once the edge is there

    def login(self, address):
        """Logs in and says that it comes from the address; returns the reason of a refusal."""
        request = messages("edu.v1.session").LoginRequest(login="nobody", password=PASSWORD).SerializeToString()
        try:
            self.edge.raw("/edu.v1.EduService/Login", request, metadata=[("x-forwarded-for", address)])
        except Refused as error:
            return error.reason
        return ""

    def test_calls_pass_and_are_counted_by_the_address_the_edge_saw(self):
        answer = self.edge.call("catalogue", "ListCourses")
        self.assertEqual(list(answer.courses), [])
        # Each says it comes from elsewhere, which the edge does not believe: they share one budget.
        reasons = [self.login(f"192.0.2.{i}") for i in range(12)]
        self.assertEqual(reasons[0], "CREDENTIALS_INVALID")
        self.assertIn("RATE_LIMITED", reasons)

    def test_a_replica_that_stops_is_left_out(self):
        self.edge.call("catalogue", "ListCourses")
        self.assertEqual(self.stack.replicas[0].stop(), 0)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.edge.raw("/edu.v1.EduService/ListCourses", b"", timeout=5)
            except Refused as error:
                self.assertEqual(error.code, "UNAVAILABLE", str(error))
                return
            self.assertLess(time.monotonic(), deadline)

    # --- strangers, from an address of their own ---

    def stranger(self, source="127.0.0.66", **settings):
        connection = Connection(f"127.0.0.1:{self.port}", source=source, tls=True, **settings)
        self.addCleanup(connection.close)
        return connection

    def assert_served(self, within=5):
        begin = time.monotonic()
        for _ in range(20):
            self.edge.call("catalogue", "ListCourses", timeout=within)
        self.assertLess(time.monotonic() - begin, within)

    def test_a_source_that_holds_calls_stops_nobody(self):
        for path, payload in ((SERVICE + "ListCourses", None), (SERVICE + "GetCourse", b"\0\0\0\x10\0abc"),
                              ("/grpc.health.v1.Health/Watch", message(b""))):
            held = []
            for _ in range(11):
                connection = self.stranger()
                held.append((connection, {connection.begin(path, payload, end=False) for _ in range(100)}))
            self.assert_served()
            for connection, streams in held:
                while not connection.ended >= streams and connection.read(lambda f: True, 10):
                    pass
                self.assertEqual(connection.ended & streams, streams, path)
            self.assert_served()

    def test_sources_that_hold_long_messages_stop_nobody(self):
        """More than the edge waits for, and never whole: of a hot method, which the server has no timer for."""
        payload = b"\0\0\3\xff\xff" + b"\0" * 16800
        held = 0
        for i in range(5):
            for _ in range(10):
                connection = self.stranger(f"127.0.0.{67 + i}")
                for _ in range(20):
                    connection.begin(SERVICE + "RecordProgress", payload, ("grpc-timeout", "99999999H"), end=False)
                    held += 1
        print(f"{held} calls held with a message that is not whole", file=sys.stderr)
        self.assert_served()

    def test_what_the_edge_refuses_it_says_in_words_of_grpc(self):
        connection, course = self.stranger(), SERVICE + "GetCourse"
        for status, path, payload, *extra in (
                (12, "/grpc.health.v1.Health/Check", message(b"")),
                (12, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", message(b"")),
                (3, course, message(b""), ("grpc-timeout", "abc")),
                (3, course, message(b""), ("grpc-timeout", "-1S")),
                (3, course, message(b""), ("grpc-timeout", "1 level=error")),
                (3, course, message(b""), ("grpc-timeout", "1S,abc")),
                (3, course, message(b""), ("grpc-timeout", "abc"), ("grpc-timeout", "1S")),
                (8, course, b"\0\0\x05\0\0" + b"\0" * 20000),
                (14, course, None)):
            answer = connection.answer(connection.begin(path, payload, *extra))
            self.assertIn(b"\x0bgrpc-status" + bytes([len(str(status))]) + str(status).encode(), answer, path)
            self.assertIn(b"\x10application/grpc", answer)
        # To the operator, and with a deadline that can be read, it is the server that answers.
        self.edge.raw("/grpc.health.v1.Health/Check", b"")
        with self.assertRaises(Refused) as caught:
            self.edge.raw(course, b"")
        self.assertEqual((caught.exception.code, caught.exception.reason), ("INVALID_ARGUMENT", "FIELD_INVALID"))

    def test_streams_that_are_reset_at_once(self):
        """How long a good client waits meanwhile, and what the server's process takes."""
        latencies, over = [], threading.Event()

        def good():
            while not over.is_set():
                begin = time.monotonic()
                self.edge.call("catalogue", "ListCourses")
                latencies.append(time.monotonic() - begin)

        client = threading.Thread(target=good)
        client.start()
        begin, sent, peak = time.monotonic(), 0, 0
        while sent < STREAMS and time.monotonic() - begin < 60:
            sent += self.reset_some()
            peak = max(peak, resident(self.stack.replicas[0].process.pid))
        took = time.monotonic() - begin
        over.set()
        client.join()
        begin = time.monotonic()
        self.assert_served()
        normal = time.monotonic() - begin
        latencies.sort()
        p99 = latencies[len(latencies) * 99 // 100]
        print(f"{sent} streams reset in {took:.1f} s; good client: {len(latencies)} calls, p99 {p99 * 1000:.0f} ms, "
              f"20 calls {normal * 1000:.0f} ms after; server {peak} MiB resident", file=sys.stderr)
        self.assertGreater(sent, 0)
        self.assertLess(p99, 2)
        self.assertLess(peak, 192)

    def reset_some(self):
        """A connection's worth, until the edge has enough of it; returns how many were sent."""
        sent = 0
        try:
            connection = self.stranger()
            for _ in range(50):
                data = b""
                for _ in range(100):
                    data += frame(HEADERS, END_HEADERS, connection.stream, headers(SERVICE + "ListCourses"))
                    data += frame(DATA, END_STREAM, connection.stream, message(b""))
                    data += frame(RESET, 0, connection.stream, b"\0\0\0\x08")
                    connection.stream += 2
                connection.send(data)
                sent += 100
            connection.close()
        except OSError:
            pass
        return sent

    def test_limits_of_edge_and_server_fit(self):
        edge = (ROOT / "docs" / "haproxy.cfg").read_text()
        usage = subprocess.run([SERVER, "serve", "--help"], check=True, capture_output=True, text=True).stdout

        def of_edge(pattern):
            found = re.findall(pattern, edge)
            self.assertEqual(len(found), 1, pattern)
            return int(found[0])

        def of_server(flag):
            return int(re.search(rf"--{flag} N .*\((\d+)\)$", usage, re.M)[1])

        # A message is at the edge before the server waits for it, and the server gives up before the edge does.
        self.assertLess(of_edge(r"wait-for-body time (\d+)s"), of_server("caller-seconds"))
        self.assertLess(of_server("caller-seconds"), of_edge(r"timeout client (\d+)s"))
        self.assertLess(of_server("default-deadline-seconds"), of_edge(r"timeout server (\d+)s"))
        self.assertEqual(of_edge(r"set-header grpc-timeout (\d+)S"), of_server("default-deadline-seconds"))
        # One source does not fill a server, nor do all of them one that would still take calls.
        self.assertLess(of_edge(r"sc1_conn_cur gt (\d+)"), of_edge(r"proto h2 maxconn (\d+)"))
        self.assertLess(of_edge(r"proto h2 maxconn (\d+)"), of_server("max-calls"))
        self.assertLessEqual(of_edge(r"h2.max-concurrent-streams (\d+)"), of_edge(r"sc1_conn_cur gt (\d+)"))
        # What the contract lets through the edge does, and little more.
        most = max(max_request_bytes())
        self.assertIn("-m reg ^000[0-4]", edge)
        self.assertLessEqual(most, 0x0004ffff)
        self.assertLess(0x0004ffff, 2 * most)


def resident(pid):
    """MiB of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) >> 10


def max_request_bytes():
    """Of every method of the contract."""
    options, public, signed_in = messages("grpc_c.v1.options"), 16 << 10, 256 << 10
    for method in messages("edu.v1.edu_service").DESCRIPTOR.services_by_name["EduService"].methods:
        policy = method.GetOptions().Extensions[options.policy]
        yield policy.max_request_bytes or (public if policy.access == options.ACCESS_PUBLIC else signed_in)


if __name__ == "__main__":
    unittest.main()
