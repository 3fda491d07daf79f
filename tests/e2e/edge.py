# SPDX-License-Identifier: Apache-2.0
"""HAProxy as docs/haproxy.cfg has it, with this machine's ports and a certificate of its own."""
import pathlib
import shutil
import subprocess
import tempfile

import grpc

from stack import ROOT, free_port
from wire import Wire

REPLICA = "server edu1 127.0.0.1:50051 check port 9464"


class Edge:
    """In front of replicas: (target, port of metrics) each. Use as a context manager."""

    def __init__(self, *replicas):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="edu-edge-"))
        self.port = free_port()
        self.target = f"localhost:{self.port}"
        self.certify()
        self.configure(replicas)

    def certify(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2",
                        "-keyout", self.dir / "key.pem", "-out", self.dir / "certificate.pem"],
                       check=True, capture_output=True)
        self.certificate = (self.dir / "certificate.pem").read_bytes()
        (self.dir / "edu.pem").write_bytes(self.certificate + (self.dir / "key.pem").read_bytes())

    def configure(self, replicas):
        config = (ROOT / "docs" / "haproxy.cfg").read_text()
        servers = "\n    ".join(f"server edu{i} {target} check port {metrics}" for i, (target, metrics) in enumerate(replicas, 1))
        for shipped, here in (("bind :443 ssl", f"bind 127.0.0.1:{self.port} ssl"),
                              ("crt /etc/haproxy/edu.pem", f"crt {self.dir / 'edu.pem'}"), (REPLICA, servers)):
            if config.count(shipped) != 1:
                raise RuntimeError(f"docs/haproxy.cfg has not one \"{shipped}\"")
            config = config.replace(shipped, here)
        (self.dir / "haproxy.cfg").write_text(config)

    def __enter__(self):
        haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        subprocess.run([haproxy, "-c", "-f", self.dir / "haproxy.cfg"], check=True, capture_output=True)
        self.process = subprocess.Popen([haproxy, "-db", "-f", self.dir / "haproxy.cfg"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait(20)
        shutil.rmtree(self.dir)

    def wire(self):
        """A patient Wire through it."""
        wire = Wire(self.target, patient=True)
        wire.close()
        wire.channel = grpc.secure_channel(self.target, grpc.ssl_channel_credentials(self.certificate))
        return wire
