# SPDX-License-Identifier: Apache-2.0
"""A network path of our own to a port of this machine: it swallows, delays and cuts what passes."""
import asyncio
import socket
import struct
import threading
import time


class Path:
    """One connection: a stream each way. What was swallowed once makes it mute for good, as a path without a route."""

    def __init__(self, link, near, far):
        self.link, self.ends, self.mute, self.shut = link, (near, far), False, False

    def abort(self):
        """A reset, both ways."""
        for _, writer in self.ends:
            if not writer.transport.is_closing():
                where = writer.get_extra_info("socket")
                where.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()

    async def pump(self, reader, writer, back):
        """`back`: this way answers travel. What breaks at one end breaks at the other, unless the path is mute."""
        try:
            await self.carry(reader, writer, back)
        except (OSError, RuntimeError):
            if not self.mute:
                self.abort()

    async def carry(self, reader, writer, back):
        while data := await reader.read(65536):
            if self.link.swallowing:
                self.mute = True
            if self.mute:
                self.link.swallowed += len(data)
                continue
            if back and self.link.answers_to_lose > 0:
                self.link.answers_to_lose -= 1
                self.link.answers_lost += 1
                self.abort()
                return
            if self.link.delay:
                self.link.delayed += 1
                await asyncio.sleep(self.link.delay)
            writer.write(data)
            await writer.drain()
        if not self.mute:
            writer.write_eof()

    async def run(self):
        near, far = self.ends
        ways = [asyncio.create_task(self.pump(near[0], far[1], False)),
                asyncio.create_task(self.pump(far[0], near[1], True))]
        await asyncio.gather(*ways)
        for _, writer in self.ends:
            writer.close()


class Link:
    """Listens on `port` and passes on to `target`, (host, port) or a function that says it. Any thread may ask."""

    def __init__(self, target):
        self.target, self.paths = target, set()
        self.swallowing, self.delay, self.answers_to_lose = False, 0, 0
        self.swallowed = self.delayed = self.answers_lost = 0
        self.loop, started = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        started.wait()

    def _run(self, started):
        async def listen():
            self.server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
            self.port = self.server.sockets[0].getsockname()[1]
            started.set()
        self.loop.run_until_complete(listen())
        self.loop.run_forever()

    async def _accept(self, reader, writer):
        host, port = self.target() if callable(self.target) else self.target
        try:
            far = await asyncio.open_connection(host, port)
        except OSError:
            writer.transport.abort()
            return
        path = Path(self, (reader, writer), far)
        self.paths.add(path)
        try:
            await path.run()
        finally:
            self.paths.discard(path)

    def _ask(self, function):
        async def run():
            return function()
        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def cut(self):
        """Resets every connection; returns how many."""
        def cut():
            paths = list(self.paths)
            for path in paths:
                path.abort()
            return len(paths)
        return self._ask(cut)

    def half_close(self):
        """Ends one direction of every connection, towards the target; returns how many."""
        def shut():
            count = 0
            for path in self.paths:
                if not path.shut and not path.mute and path.ends[1][1].can_write_eof():
                    path.ends[1][1].write_eof()
                    path.shut = True
                    count += 1
            return count
        return self._ask(shut)

    def close(self):
        while self.cut():
            time.sleep(0.01)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
