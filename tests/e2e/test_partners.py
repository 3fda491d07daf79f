# SPDX-License-Identifier: Apache-2.0
"""Partners compile proto/published alone and call the server, each in a language of his own, with that language's own gRPC
and its own google.rpc. A file of theirs, partners/house.proto, has options of the number that ours have, and is compiled
into the same program.

A language whose tools are not here, or whose packages cannot be fetched, is skipped, and the exit status is 77, unless
$EDU_PARTNERS names it. What is fetched and built is kept in $EDU_PARTNERS_DIR (build/partners).
"""
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import unittest

import grpc

from stack import PASSWORD, ROOT, Stack
from test_every_rpc import World

PUBLISHED = ROOT / "proto" / "published"
PROGRAMS = pathlib.Path(__file__).parent / "partners"
CACHE = pathlib.Path(os.environ.get("EDU_PARTNERS_DIR", ROOT / "build" / "partners"))
REQUIRED = os.environ.get("EDU_PARTNERS", "python").split()
SKIPPED = 77
CONTRACT = sorted(str(path.relative_to(PUBLISHED)) for path in PUBLISHED.glob("**/*.proto"))


class Unavailable(Exception):
    """A language cannot be tried here: why."""


class Workshop:
    """Where a language's program is built: a copy of its sources, and beside it what was fetched."""

    def __init__(self, language, *tools):
        self.dir = CACHE / language
        self.generated = self.dir / "generated"
        for tool in tools:
            if not shutil.which(tool):
                raise Unavailable(f"there is no {tool}")
        shutil.rmtree(self.generated, ignore_errors=True)
        self.generated.mkdir(parents=True)
        for old in self.dir.glob("[!.]*"):
            if old.is_file():
                old.unlink()
        for source in [PROGRAMS / "house.proto", *(PROGRAMS / language).iterdir()]:
            if not source.is_dir():
                shutil.copy(source, self.dir)

    def run(self, *command, **environment):
        done = subprocess.run([str(word) for word in command], cwd=self.dir, text=True, timeout=500,
                              env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command[:6]))} ...: status {done.returncode}\n{done.stdout[-3000:]}")

    def fetch(self, manifest, *command, **environment):
        """Runs what brings packages from the network, once for each content of the manifest."""
        wanted, done = (self.dir / manifest).read_text(), self.dir / ".fetched"
        if done.exists() and done.read_text() == wanted:
            return
        try:
            self.run(*command, **environment)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"its packages cannot be fetched: {error}") from error
        done.write_text(wanted)

    def protoc(self, *flags, files=(*CONTRACT, "house.proto"), protoc=("protoc",)):
        self.run(*protoc, f"-I{PUBLISHED}", f"-I{self.dir}", *flags, *files)


# Each builds the program of a language, and returns the command that runs it.

def python():
    shop = Workshop("python")
    interpreter = shop.dir / "venv" / "bin" / "python"
    packages = (shop.dir / "requirements.txt").read_text().split()
    shop.fetch("requirements.txt", ROOT / "tools" / "lib" / "venv.sh", shop.dir / "venv", *packages)
    shop.protoc(f"--python_out={shop.generated}", f"--grpc_python_out={shop.generated}",
                protoc=(interpreter, "-m", "grpc_tools.protoc"))
    return ["env", f"PYTHONPATH={shop.generated}", interpreter, "-B", shop.dir / "partner.py"]


def go():
    shop = Workshop("go", "go", "protoc")
    here = {"GOBIN": str(shop.dir / "bin"), "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    shop.fetch("go.sum", "go", "mod", "download", **here)
    shop.run("go", "install", "google.golang.org/protobuf/cmd/protoc-gen-go",
             "google.golang.org/grpc/cmd/protoc-gen-go-grpc", **here)
    home = [f"M{name}=partner/generated/edu/v1;eduv1" for name in CONTRACT] + ["Mhouse.proto=partner/generated/house"]
    shop.protoc(*(f"--{kind}_{flag}" for kind in ("go", "go-grpc")
                  for flag in ("out=" + str(shop.dir), "opt=module=partner", "opt=" + ",".join(home))),
                *(f"--plugin={shop.dir}/bin/protoc-gen-{kind}" for kind in ("go", "go-grpc")))
    shop.run("go", "build", "-o", "partner", ".", **here)
    return [shop.dir / "partner"]


def node():
    shop = Workshop("node", "node", "npm")
    shop.fetch("package-lock.json", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    return ["env", "-C", shop.dir, "node", "partner.js", PUBLISHED]


def java():
    shop = Workshop("java", "javac", "mvn", "protoc")
    kind = "linux-" + {"x86_64": "x86_64", "aarch64": "aarch_64"}.get(platform.machine(), platform.machine())
    shop.fetch("pom.xml", "mvn", "-q", "-B", "dependency:copy-dependencies", f"-Dplatform={kind}",
               f"-DoutputDirectory={shop.dir / 'lib'}", "-Dmdep.overWriteReleases=true")
    plugin, = shop.dir.glob("lib/protoc-gen-grpc-java-*.exe")
    plugin.chmod(0o755)
    shop.protoc(f"--java_out={shop.generated}", f"--grpc-java_out={shop.generated}",
                f"--plugin=protoc-gen-grpc-java={plugin}")
    shop.run("javac", "-cp", "lib/*", "-d", shop.generated, "Partner.java", *shop.generated.glob("**/*.java"))
    return ["java", "-cp", f"{shop.generated}:{shop.dir}/lib/*", "Partner"]


class Partners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack().__enter__()
        world = World(cls.stack)
        cls.title = cls.stack.edu("get-course", "--course-id", world.course)["course"]["title"]

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def partner(self, build):
        language = build.__name__
        try:
            command = build()
        except Unavailable as why:
            if language in REQUIRED:
                self.fail(f"{language} was to be tried: {why}")
            self.skipTest(f"{language} was not tried: {why}")
        name = f"partner-in-{language}"
        ran = subprocess.run([*command, self.stack.target, name, PASSWORD], text=True, capture_output=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        told = json.loads(ran.stdout)
        if language != "node":  # whose loader keeps no options at all
            self.assertEqual(told.pop("note"), "the partner's own")
        self.assertEqual(told, {"user_name": name, "titles": [self.title], "code": grpc.StatusCode.INVALID_ARGUMENT.value[0],
                                "domain": "edu.v1", "reason": "FIELD_INVALID", "field": "course_id"})

    def test_go(self):
        self.partner(go)

    def test_java(self):
        self.partner(java)

    def test_node(self):
        self.partner(node)

    def test_python(self):
        self.partner(python)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    sys.exit(1 if not result.wasSuccessful() else SKIPPED if result.skipped else 0)
