# SPDX-License-Identifier: Apache-2.0
"""The edge as docs/haproxy.cfg has it, with this machine's ports and a certificate of its own."""
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

import grpc

from stack import PASSWORD, ROOT, Stack
from wire import Refused, Wire, messages


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Edge(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="edu-edge-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.metrics, self.port = free_port(), free_port()
        stack = Stack("--metrics-listen", f"127.0.0.1:{self.metrics}", "--trust-forwarded-for", "--rate-login", "1")
        self.stack = stack.__enter__()
        self.addCleanup(stack.__exit__, None, None, None)
        self.certify()
        self.start_haproxy()
        self.edge = Wire(f"localhost:{self.port}", patient=True)
        self.edge.channel = grpc.secure_channel(f"localhost:{self.port}",
                                                grpc.ssl_channel_credentials((self.dir / "certificate.pem").read_bytes()))
        self.addCleanup(self.edge.close)

    def certify(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2",
                        "-keyout", self.dir / "key.pem", "-out", self.dir / "certificate.pem"],
                       check=True, capture_output=True)
        (self.dir / "edu.pem").write_bytes((self.dir / "certificate.pem").read_bytes()
                                           + (self.dir / "key.pem").read_bytes())

    def start_haproxy(self):
        config = (ROOT / "docs" / "haproxy.cfg").read_text()
        for shipped, here in (("bind :443 ssl", f"bind 127.0.0.1:{self.port} ssl"),
                              ("crt /etc/haproxy/edu.pem", f"crt {self.dir / 'edu.pem'}"),
                              ("edu1 127.0.0.1:50051 check port 9464",
                               f"edu1 {self.stack.target} check port {self.metrics}")):
            self.assertEqual(config.count(shipped), 1, shipped)
            config = config.replace(shipped, here)
        path = self.dir / "haproxy.cfg"
        path.write_text(config)
        haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        subprocess.run([haproxy, "-c", "-f", path], check=True, capture_output=True)
        process = subprocess.Popen([haproxy, "-db", "-f", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.kill)

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
