# SPDX-License-Identifier: Apache-2.0
"""A server of S3's protocol for a test, which verifies signatures: versitygw, over a directory. Clients of it as partners are:
they know a URL, and the headers that they were told."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from stack import ROOT, free_port

TOOL = pathlib.Path(os.environ.get("EDU_OBJECT_STORE", ROOT / "build" / "tools" / "versitygw"))  # its directory
KEY_ID, SECRET, BUCKET = "AKIDEDUTEST", "s3cr3t/of+the=store", "edu"


class ObjectStore:
    """Use as a context manager."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="edu-e2e-store-"))
        self.port = free_port()
        for name in ("data/" + BUCKET, "metadata"):
            (self.dir / name).mkdir(parents=True)
        self.secret = self.dir / "secret"
        self.secret.write_text(SECRET + "\n")
        self.log = open(self.dir / "log", "w+")

    @property
    def flags(self):
        """Of a server whose files lie here."""
        return ["--object-endpoint", f"http://127.0.0.1:{self.port}", "--object-bucket", BUCKET, "--object-key-id", KEY_ID,
                "--object-secret-file", self.secret]

    def __enter__(self):
        subprocess.run([ROOT / "tools" / "lib" / "versitygw.sh", TOOL], check=True)
        self.process = subprocess.Popen(
            [TOOL / "versitygw", "--port", f"127.0.0.1:{self.port}", "--quiet", "posix", "--sidecar", self.dir / "metadata",
             self.dir / "data"], env={**os.environ, "ROOT_ACCESS_KEY_ID": KEY_ID, "ROOT_SECRET_ACCESS_KEY": SECRET},
            stdout=self.log, stderr=self.log)
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise RuntimeError("the object store did not start: " + (self.dir / "log").read_text()) from None
                time.sleep(0.05)

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        shutil.rmtree(self.dir)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


def fetch(url, method="GET", headers=None, body=None):
    """What whoever has the URL gets; refusals are answers too."""
    request = urllib.request.Request(url, method=method, headers=headers or {}, data=body)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(refused.code, refused.headers, refused.read())
