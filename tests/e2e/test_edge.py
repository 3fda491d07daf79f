# SPDX-License-Identifier: Apache-2.0
"""The edge as docs/haproxy.cfg has it, with this machine's ports and a certificate of its own."""
import time
import unittest

from edge import Edge
from stack import PASSWORD, Stack, free_port
from wire import Refused, messages


class EdgeTest(unittest.TestCase):
    def setUp(self):
        metrics = free_port()
        stack = Stack("--metrics-listen", f"127.0.0.1:{metrics}", "--trust-forwarded-for", "--rate-login", "1")
        self.stack = stack.__enter__()
        self.addCleanup(stack.__exit__, None, None, None)
        edge = Edge((self.stack.target, metrics)).__enter__()
        self.addCleanup(edge.__exit__, None, None, None)
        self.edge = edge.wire()
        self.addCleanup(self.edge.close)

    def login(self, address):
        """Logs in and says that it comes from the address; returns the reason of a refusal."""
        request = messages("edu.v1.user").LoginRequest(login="nobody", password=PASSWORD).SerializeToString()
        try:
            self.edge.raw("/edu.v1.EduService/Login", request, metadata=[("x-forwarded-for", address)])
        except Refused as error:
            return error.reason
        return ""

    def test_calls_pass_and_are_counted_by_the_address_the_edge_saw(self):
        answer = self.edge.call("course", "ListCourses")
        self.assertEqual(list(answer.courses), [])
        # Each says it comes from elsewhere, which the edge does not believe: they share one budget.
        reasons = [self.login(f"192.0.2.{i}") for i in range(12)]
        self.assertEqual(reasons[0], "CREDENTIALS_INVALID")
        self.assertIn("RATE_LIMITED", reasons)

    def test_a_replica_that_stops_is_left_out(self):
        self.edge.call("course", "ListCourses")
        self.assertEqual(self.stack.replicas[0].stop(), 0)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.edge.raw("/edu.v1.EduService/ListCourses", b"", timeout=5)
            except Refused as error:
                self.assertEqual(error.code, "UNAVAILABLE", str(error))
                return
            self.assertLess(time.monotonic(), deadline)


if __name__ == "__main__":
    unittest.main()
