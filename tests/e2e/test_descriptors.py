# SPDX-License-Identifier: Apache-2.0
"""File descriptors run out: connections are refused before the last is gone, and who cannot be reached says so and ends."""
import contextlib
import os
import resource
import socket
import time
import unittest
import urllib.error

from stack import Stack, free_port
from wire import Refused, Wire

LIMIT, CONNECTIONS = 400, 700


class Descriptors(unittest.TestCase):
    def setUp(self):
        self.metrics = free_port()
        self.stack = Stack("--metrics-listen", f"127.0.0.1:{self.metrics}")
        self.stack.__enter__()
        self.process = self.stack.replicas[0].process
        self.wire = Wire(self.stack.target)
        self.wire.call("catalogue", "ListCourses")

    def tearDown(self):
        self.wire.close()
        self.stack.__exit__(None, None, None)

    def limit(self, n):
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (n, hard))

    def open(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def ready(self):
        try:
            return self.stack.http(self.metrics, "/readyz")
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def test_a_flood_of_connections_leaves_the_listener_alive(self):
        self.limit(LIMIT)
        host, port = self.stack.target.rsplit(":", 1)
        with contextlib.ExitStack() as held:
            for _ in range(CONNECTIONS):
                held.enter_context(socket.create_connection((host, int(port)), 10))
            deadline = time.monotonic() + 20
            while "connections refused" not in self.stack.server_log():
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.1)
            self.assertLess(self.open(), LIMIT - 50)
            # Who is connected is served, and so are metrics.
            self.wire.call("catalogue", "ListCourses")
            self.assertEqual(self.ready(), "ready\n")
        newcomer = Wire(self.stack.target, patient=True)
        newcomer.call("catalogue", "ListCourses")
        newcomer.close()
        self.assertEqual(self.ready(), "ready\n")

    def test_a_server_that_cannot_be_reached_ends(self):
        self.limit(3)
        status = self.process.wait(60)
        self.assertEqual(status, 1)
        self.assertIn("level=error nobody answers at the server's own port: stopping", self.stack.server_log())
        with self.assertRaises(Refused):
            self.wire.call("catalogue", "ListCourses")
        self.stack.replicas.pop().stop()


if __name__ == "__main__":
    unittest.main()
