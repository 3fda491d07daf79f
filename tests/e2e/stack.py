# SPDX-License-Identifier: Apache-2.0
"""A real EduService for a test: a database of its own, the server process, and the edu command."""
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("EDU_BIN_DIR", ROOT / "build" / "release"))
SERVER = BUILD / "server" / "edu-server"
EDU = BUILD / "client" / "cli" / "edu"
PASSWORD = "correct horse battery"


class CommandFailed(Exception):
    """The edu command ended with an error: its exit code, and the error as it prints it with --output json."""

    def __init__(self, code, stderr):
        super().__init__(f"exit {code}: {stderr.strip()}")
        self.code = code
        self.stderr = stderr


class Clock:
    """A clock of a process's own, by libfaketime: real time and an offset that may change while it runs. What measures
    durations is left alone."""

    def __init__(self, path):
        self.path, self.offset = path, 0.0
        self.set(0.0)

    def set(self, seconds):
        self.offset = seconds
        new = self.path.with_suffix(".new")
        new.write_text(f"{seconds:+.3f}\n", encoding="ascii")
        new.rename(self.path)

    def environment(self):
        library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        return {**os.environ, "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.path),
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_NO_CACHE": "0"}


class Replica:
    """One server process; `how` goes to Popen."""

    def __init__(self, stack, *flags, **how):
        self.stack = stack
        self.log = open(stack.dir / f"server-{uuid.uuid4().hex[:6]}.log", "w+")
        self.process = subprocess.Popen(
            [SERVER, "serve", *stack.db_flags, "--listen", "127.0.0.1:0", "--metrics-listen", "off",
             "--key-dir", stack.dir / "keys", "--rate-login", "0", "--rate-stranger", "0", "--rate-default", "0",
             "--drain-notice-seconds", "0",
             "--argon2-mib", "1", "--argon2-passes", "1", *stack.store_flags, *flags],
            stdout=subprocess.PIPE, stderr=self.log, text=True, **how)
        line = self.process.stdout.readline()
        found = re.match(r"listening on (\S+)", line)
        if not found:
            self.process.wait(10)
            raise RuntimeError("the server did not start: " + pathlib.Path(self.log.name).read_text())
        self.target = found.group(1)

    def stop(self, how=signal.SIGTERM):
        """Stops it and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(60)
        self.process.stdout.close()
        self.log.close()
        return status


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class PrivateDatabase:
    """A MariaDB of the test's own, over TCP and TLS too, that the test may kill. Stop it at the end."""
    environment = None

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="edu-e2e-db-"))
        self.port = free_port()
        self.socket = None
        self.start()

    def devdb(self, command, *flags):
        return subprocess.run([ROOT / "tools" / "devdb", command, "--dir", self.dir, *flags], text=True, check=True,
                              stdout=subprocess.PIPE, env=self.environment).stdout

    def start(self):
        self.socket = self.devdb("start", "--tls", str(self.port)).strip()

    def signal(self, how):
        os.kill(int((self.dir / "server.pid").read_text()), how)

    def kill(self):
        """SIGKILL; returns when nobody can reach it any more."""
        pid = int((self.dir / "server.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        while pathlib.Path(f"/proc/{pid}").exists() and "Z" not in pathlib.Path(f"/proc/{pid}/stat").read_text():
            time.sleep(0.01)

    def stop(self):
        self.devdb("stop")
        shutil.rmtree(self.dir)

    def reach(self):
        """How servers reach it."""
        return ["--db-host", "127.0.0.1", "--db-port", str(self.port), "--db-ca", self.dir / "tls.pem"]


def accounts_sql(database, owner, server):
    """README's: makes the database, the user that owns it and the user that serves, from wherever they connect."""
    sql = re.search(r"sudo mariadb <<'SQL'\n(.*?)    SQL\n", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    for what, name in ((r"\bedu_owner@localhost", owner + "@'%'"), (r"\bedu@localhost", server + "@'%'"),
                       (r"(?<=DATABASE )edu\b|(?<=ON )edu\b", database), (r"'[a-z ]*password'", f"'{PASSWORD}'")):
        sql = re.sub(what, name, sql)
    return sql


class Stack:
    """Use as a context manager. Needs EDU_TEST_DB_SOCKET, which tools/test sets, or a database of the test's own, which
    says how its servers reach it. URLs lead to an object store that there is not, as nobody asks it; object_store.py has one."""

    def __init__(self, *flags, database=None, store=True):
        self.flags = flags
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="edu-e2e-"))
        self.database = "e2e_" + uuid.uuid4().hex[:12]
        self.own_database = database is not None
        self.socket = database.socket if database else os.environ["EDU_TEST_DB_SOCKET"]
        (self.dir / "db.password").write_text(PASSWORD + "\n")
        flags = [*(database.reach() if database else ["--db-socket", self.socket]), "--db-name", self.database,
                 "--db-password-file", self.dir / "db.password"]
        self.owner_flags = [*flags, "--db-user", self.database + "_owner"]  # to migrate
        self.db_flags = [*flags, "--db-user", self.database + "_edu"]  # to serve
        (self.dir / "object.secret").write_text("a secret\n")
        self.store_flags = ["--object-endpoint", "http://store.invalid", "--object-key-id", "AKIDTEST",
                            "--object-secret-file", self.dir / "object.secret"] if store else []
        self.replicas = []
        self.users = {}

    def __enter__(self):
        self.sql(accounts_sql(self.database, self.database + "_owner", self.database + "_edu"), database="")
        subprocess.run([SERVER, "migrate", *self.owner_flags], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([SERVER, "create-admin", *self.db_flags, "--user-name", "root-admin", "--password-file", "-",
                        "--argon2-mib", "1", "--argon2-passes", "1"],
                       input=PASSWORD + "\n", text=True, check=True, stdout=subprocess.DEVNULL)
        self.start()
        self.login("root-admin")
        return self

    def __exit__(self, *exc):
        statuses = [r.stop() for r in self.replicas]
        if exc[0] is None and any(statuses):
            raise RuntimeError(f"a server ended with {statuses}: " + self.server_log())
        if exc[0] is not None:
            sys.stderr.write(self.server_log()[-4000:])
        if not self.own_database:  # one of the test's own goes whole
            self.sql(f"DROP DATABASE {self.database}; DROP USER {self.database}_owner, {self.database}_edu",
                     database="")
        shutil.rmtree(self.dir)

    def start(self, *flags, **how):
        """Starts a replica; all share the database and the keys. `how` goes to Popen."""
        replica = Replica(self, *self.flags, *flags, **how)
        self.replicas.append(replica)
        return replica

    @property
    def target(self):
        return self.replicas[0].target

    def server_log(self):
        return "".join(p.read_text() for p in sorted(self.dir.glob("server-*.log")))

    def sql(self, statement, database=None):
        """Rows of a statement run directly, as lists of strings."""
        out = subprocess.run(["mariadb", "--socket", self.socket, "--user", "root", "--batch", "--skip-column-names",
                              self.database if database is None else database],
                             input=statement, text=True, check=True, capture_output=True).stdout
        return [line.split("\t") for line in out.splitlines()]

    def dump(self, *tables):
        """All that they hold, as bytes."""
        return subprocess.run(["mariadb-dump", "--socket", self.socket, "--user", "root", "--no-create-info", self.database,
                               *tables], check=True, capture_output=True).stdout

    def environment(self, user=None):
        home = self.dir / "home" / (user or "nobody")
        home.mkdir(parents=True, exist_ok=True)
        return {"PATH": os.environ["PATH"], "HOME": str(home), "EDU_TARGET": self.target,
                **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}

    def edu_raw(self, *arguments, user=None, stdin=None, target=None):
        """Runs the command as a user (each has a session of his own); returns the finished process."""
        environment = self.environment(user)
        if target:
            environment["EDU_TARGET"] = target
        return subprocess.run([EDU, *map(str, arguments)], env=environment, input=stdin, text=True,
                              capture_output=True, timeout=60)

    def edu(self, *arguments, user=None, stdin=None, target=None):
        """Runs the command with --output json and returns what it answered."""
        done = self.edu_raw("--output", "json", *arguments, user=user, stdin=stdin, target=target)
        if done.returncode:
            raise CommandFailed(done.returncode, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def login(self, name, target=None):
        return self.edu("login", "--login", name, "--password", PASSWORD, user=name, target=target)

    def register(self, name, *roles, **fields):
        """Registers a user, gives the roles, and logs in; returns the user."""
        flags = [x for k, v in fields.items() for x in ("--" + k.replace("_", "-"), v)]
        user = self.edu("register-user", "--user-name", name, "--password", PASSWORD, *flags)["user"]
        if roles:
            held = [x for r in ("LEARNER", *roles) for x in ("--roles", "ROLE_" + r)]
            self.edu("set-user-roles", "--user-id", user["userId"], *held, "--reason", "test", user="root-admin")
        self.login(name)
        self.users[name] = user["userId"]
        return user

    @functools.cached_property
    def subject(self):
        """A subject that courses may be of: its id."""
        return self.edu("create-subject", "--name-en", "Mathematics", "--name-zh", "数学",
                        user="root-admin")["subject"]["subjectId"]

    def http(self, port, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read().decode()
