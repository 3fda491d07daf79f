# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 by hand, for what no gRPC library would send: calls without an end, unread answers, forged frames."""
import gzip
import select
import socket
import ssl
import struct

DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4
WINDOW = 65535  # of a connection, and of a stream, until the peer says otherwise
CHUNK = 16384  # of data in a frame


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _integer(value, bits, first=0):
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytearray([first | most]), value - most
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def header(key, value):
    """A literal that no table keeps (RFC 7541, 6.2.3)."""
    key, value = key.encode(), value if isinstance(value, bytes) else value.encode()
    return b"\x10" + _integer(len(key), 7) + key + _integer(len(value), 7) + value


def headers(path, *extra):
    return b"".join(header(k, v) for k, v in (
        (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"),
        ("content-type", "application/grpc"), ("te", "trailers"), *extra))


def message(payload, compressed=False):
    if compressed:
        payload = gzip.compress(payload)
    return bytes([compressed]) + struct.pack(">I", len(payload)) + payload


class Connection:
    """One connection of a peer that keeps to no rule but those it wants to."""

    def __init__(self, target, source="", tls=False, **settings):
        host, port = target.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), 10, (source, 0))
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket)
        self.buffer, self.stream = b"", 1
        self.initial, self.windows, self.ended = WINDOW, {0: WINDOW}, set()
        packed = b"".join(struct.pack(">HI", int(k[1:]), v) for k, v in settings.items())
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, packed))
        self.read(lambda f: f[0] == SETTINGS and f[1] & ACK)

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def begin(self, path, payload=None, *extra, end=True):
        """Begins a call, with this as its data if there is any; returns its stream."""
        stream, self.stream = self.stream, self.stream + 2
        data = frame(HEADERS, END_HEADERS, stream, headers(path, *extra))
        self.windows[stream] = self.initial - len(payload or b"")
        self.windows[0] -= len(payload or b"")
        for i in range(0, len(payload or b""), CHUNK):
            data += frame(DATA, 0, stream, payload[i:i + CHUNK])
        if payload is not None and end:
            data += frame(DATA, END_STREAM, stream)
        self.send(data)
        return stream

    def next(self):
        """The next frame that is here already, as (kind, flags, stream, payload), or None."""
        end = 9 + int.from_bytes(self.buffer[:3], "big")
        if len(self.buffer) < 9 or len(self.buffer) < end:
            return None
        got = (self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9], "big"), self.buffer[9:end])
        self.buffer = self.buffer[end:]
        self.note(got)
        if got[0] in (SETTINGS, PING) and not got[1] & ACK:
            self.send(frame(got[0], ACK, 0, got[3] if got[0] == PING else b""))
        return got

    def read(self, wanted, timeout=10):
        """Frames up to the wanted one; ends early when the peer closes."""
        frames = []
        self.socket.settimeout(timeout)
        while not frames or not wanted(frames[-1]):
            got = self.next()
            if got:
                frames.append(got)
                continue
            more = self.socket.recv(65536)
            if not more:
                break
            self.buffer += more
        return frames

    def note(self, got):
        """What a frame says of windows, and of streams that are over."""
        kind, flags, stream, payload = got
        if kind == WINDOW_UPDATE:
            self.windows[stream] = self.windows.get(stream, self.initial) + int.from_bytes(payload, "big")
        elif kind == SETTINGS:
            for i in range(0, len(payload), 6):
                key, value = struct.unpack(">HI", payload[i:i + 6])
                if key == INITIAL_WINDOW_SIZE:
                    for s in self.windows:
                        self.windows[s] += value - self.initial if s else 0
                    self.initial = value
        elif kind == RESET or kind in (HEADERS, DATA) and flags & END_STREAM:
            self.ended.add(stream)

    def pump(self, stream, size, timeout=5):
        """Sends so many bytes as fast as the peer takes them. Returns how many it took before it ended the call or the
        connection, or took no more for so many seconds."""
        sent, body = 0, b"\0" * CHUNK
        while sent < size and stream not in self.ended:
            n = max(0, min(CHUNK, size - sent, self.windows[0], self.windows[stream]))
            try:
                if n > 0:
                    self.send(frame(DATA, 0, stream, body[:n]))
                elif not select.select([self.socket], [], [], timeout)[0]:
                    break
                if select.select([self.socket], [], [], 0)[0]:
                    more = self.socket.recv(65536)
                    self.buffer += more
                    if not more:
                        break
                while self.next():
                    pass
            except OSError:
                break
            self.windows[0] -= n
            self.windows[stream] -= n
            sent += n
        return sent

    def answer(self, stream, timeout=10):
        """Everything up to the end of a call, as bytes."""
        def over(f):
            return f[0] == GOAWAY or f[2] == stream and (f[0] == RESET or f[0] in (DATA, HEADERS) and f[1] & END_STREAM)
        return b"".join(f[3] for f in self.read(over, timeout) if f[2] == stream)
