"""Log records on their way to the writer process (``worker.log_writer``, which describes the protocol)."""

import asyncio
import contextlib
import logging
import secrets
import socket
import struct
import sys
from asyncio.subprocess import Process
from collections import deque

from penstock.core import child, codec
from penstock.core.tasks import Tasks
from penstock.model.record import LogRecord
from penstock.ports.logsink import LogSink
from penstock.storage.errors import StoreUnavailable

FLUSH_SECONDS = 0.02
FLUSH_BYTES = 64 * 1024
FRAME_BYTES = 1024 * 1024
SOCKET_BYTES = 1024 * 1024
LEAST_ROWS = 1024 * 1024  # bytes that rows without bodies may always take, however small the queue
BACK_OFF = (0.05, 5.0)  # seconds before a dead writer is started again: at first, and at most

_REFUSED = b"\xff" * 8
_WORD = 16
_counts = struct.Struct(">QQ").unpack_from  # durable, and left out
_EMPTY = b"\x00\x00\x00\x05\xdd\x00\x00\x00\x00"
_log = logging.getLogger("penstock")


class LogPipe(LogSink):
    """Hands records to a writer process and knows which are durable.

    ``max_bytes`` and ``max_rows`` bound what is not yet written: beyond the first, new records lose their bodies;
    beyond the second, or twice the first, they are dropped. Those that say what is spent lose only what makes rows of
    them then, up to as much again. What the writer has not confirmed is kept, and sent again
    to the next one when it dies. The store knows which of the pipe's records it has (``storage.log.senders``), and
    writes each once. ``days``: roll-ups of minutes, hours and days are kept for so long.
    """

    def __init__(
        self,
        tasks: Tasks,
        database_url: str,
        *,
        max_bytes: int = 64 * 1024 * 1024,
        max_rows: int = 100_000,
        days: tuple[int, int, int] = (62, 400, 1_100),
    ) -> None:
        self.dropped_bodies = 0
        self.dropped_rows = 0
        self.written_rows = 0
        self.writer_pid: int | None = None
        self._tasks = tasks
        self._url = database_url
        self._max_bytes = max_bytes
        self._most_bytes = max(2 * max_bytes, LEAST_ROWS)
        self._max_rows = max_rows
        self.sender = secrets.token_bytes(16)
        self._days = ",".join(map(str, days))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: deque[bytes] = deque()
        self._queued = 0  # bytes in the queue
        self._frames: deque[tuple[int, bytes]] = deque()  # rows and bytes, sent or next to be; gone when confirmed
        self._sent: int = 0  # how many of the frames are wholly sent
        self._offset: int = 0  # bytes of the next one that are sent
        self._bytes = 0  # in queue and frames
        self._taken = 0
        self._left_out = 0  # rows, as the current writer counts
        self._moved = 0.0  # when a row began to wait alone, or was written
        self._armed = False
        self._rushed = False
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._link: socket.socket | None = None
        self._process: Process | None = None
        self._answer = b""
        self._blocked = False
        self._reviving: asyncio.Task[None] | None = None
        self._stopping = False

    # For the calls

    def offer(self, record: LogRecord) -> None:
        full = 2 if record.draft or record.spends or record.charge is not None else 1
        if self._taken - self.written_rows >= self._max_rows * full:
            self.dropped_rows += 1
            return
        try:
            packed, bodies, rows = codec.pack(record), 0, 0
            if self._bytes + len(packed) > self._max_bytes and (record.request or record.response):
                record.request = record.response = None
                packed, bodies = codec.pack(record), 1
            if full > 1 and self._over(len(packed)):
                record.logged, record.detail, record.metadata, record.rolled = False, b"{}", None, ()
                packed, rows = codec.pack(record), 1
        except (TypeError, ValueError, OverflowError) as error:  # text that is no text, a number beyond 64 bits
            self.dropped_rows += 1
            _log.error("a log record cannot be stored: %r", error)
            return
        if self._bytes + len(packed) > self._most_bytes * full:
            self.dropped_rows += 1
            return
        self.dropped_bodies += bodies
        self.dropped_rows += rows
        self._queue.append(packed)
        self._taken += 1
        self._bytes += len(packed)
        self._queued += len(packed)
        if not self._armed:
            self._arm()
        elif self._queued >= FLUSH_BYTES and not self._rushed:
            self._rush()

    def pending(self) -> int:
        return self._taken - self.written_rows

    def stalled(self) -> float:
        return self._loop.time() - self._moved if self._loop is not None and self.pending() else 0.0

    async def settled(self) -> None:
        """Returns when everything offered so far is written."""
        if not self.pending():
            return
        waiting = (self._taken, asyncio.get_running_loop().create_future())
        self._waiters.append(waiting)
        self._flush(hurry=True)
        try:
            await waiting[1]
        finally:
            if waiting in self._waiters:  # whoever asked has given up
                self._waiters.remove(waiting)

    # For the process

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._connect()

    async def stop(self, limit: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + limit
        self._flush(hurry=True)  # at once, for there may be no time to wait
        try:
            await asyncio.wait_for(self.settled(), limit)
        except TimeoutError:
            _log.error("the log writer did not finish in %s s: %d rows may be lost", limit, self.pending())
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        if self._reviving is not None:
            self._reviving.cancel()
            await asyncio.gather(self._reviving, return_exceptions=True)
        if self._link is not None:
            with contextlib.suppress(OSError):  # the writer may be gone already
                self._link.shutdown(socket.SHUT_WR)
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), max(0.5, until - loop.time()))
            except TimeoutError:
                await _end(self._process)
        self._disconnect()

    # Sending

    def _over(self, size: int) -> bool:
        """Whether a record of that many bytes has no row any more."""
        return self._taken - self.written_rows >= self._max_rows or self._bytes + size > self._most_bytes

    def _arm(self) -> None:
        if self._loop is not None:
            self._armed = True
            if self._taken - self.written_rows == 1:
                self._moved = self._loop.time()
            self._timer = self._loop.call_later(FLUSH_SECONDS, self._flush)

    def _rush(self) -> None:
        if self._loop is not None:
            self._rushed = True
            self._loop.call_soon(self._flush)

    def _flush(self, *, hurry: bool = False) -> None:
        """Sends what the socket takes."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._armed = self._rushed = False
        if self._link is None:
            return  # what is queued goes to the next writer
        self._send()
        if hurry:
            while self._queue:
                self._frame()
            self._frames.append((0, _EMPTY))
            self._send()

    def _send(self) -> None:
        link = self._link
        while link is not None and not self._blocked:
            if self._sent == len(self._frames):
                if not self._queue:
                    return
                self._frame()
            frame = self._frames[self._sent][1]
            try:
                self._offset += link.send(memoryview(frame)[self._offset :])
            except BlockingIOError:
                self._blocked = True
                asyncio.get_running_loop().add_writer(link.fileno(), self._writable)
            except OSError:
                return  # the writer is dead: the reading side notices
            if self._offset == len(frame):
                self._sent += 1
                self._offset = 0

    def _writable(self) -> None:
        assert self._link is not None
        asyncio.get_running_loop().remove_writer(self._link.fileno())
        self._blocked = False
        self._send()

    def _frame(self) -> None:
        """Moves a frame's worth from the queue to the frames."""
        queue, packed, size = self._queue, list[bytes](), 5
        while queue and size < FRAME_BYTES:
            one = queue.popleft()
            packed.append(one)
            size += len(one)
        self._queued -= size - 5
        head = size.to_bytes(4, "big") + b"\xdd" + len(packed).to_bytes(4, "big")
        self._frames.append((len(packed), b"".join([head, *packed])))

    # Hearing

    def _readable(self) -> None:
        assert self._link is not None
        try:
            data = self._link.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        self._answer += data
        whole = len(self._answer) // _WORD * _WORD
        if whole:
            durable, left_out = _counts(self._answer, whole - _WORD)
            self._answer = self._answer[whole:]
            self.full_rows += left_out - self._left_out
            self._left_out = left_out
            self._confirm(durable)

    def _confirm(self, durable: int) -> None:
        """So many rows are durable, of all that were ever taken."""
        assert self._loop is not None
        self._moved = self._loop.time()
        while self._sent and self._frames[0][0] <= durable - self.written_rows:
            rows, frame = self._frames.popleft()
            self._sent -= 1
            self.written_rows += rows
            if rows:
                self._bytes -= len(frame) - 9
        while self._waiters and self._waiters[0][0] <= self.written_rows:
            waiter = self._waiters.pop(0)[1]
            if not waiter.done():
                waiter.set_result(None)

    # The writer's life

    async def _connect(self) -> None:
        """Starts a writer and waits until it has opened the store; raises StoreUnavailable."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        process: Process | None = None
        try:
            with theirs:
                process = await self._spawn(theirs)
            await _opened(loop, ours)
        except BaseException:
            ours.close()
            if process is not None:
                await _end(process)
            raise
        self._link, self._process, self.writer_pid = ours, process, process.pid
        self._answer = b""
        self._left_out = self._sent = self._offset = 0
        self._blocked = False
        loop.add_reader(ours.fileno(), self._readable)
        self._flush(hurry=bool(self._waiters))

    def _lost(self) -> None:
        self._disconnect()
        if not self._stopping:
            _log.error("the log writer ended; it is started again, %d rows wait", self.pending())
            self._reviving = self._tasks.start("log writer", self._revive())

    async def _spawn(self, theirs: socket.socket) -> Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "penstock.worker.log_writer"),
            *("--fd", str(theirs.fileno()), "--sender", self.sender.hex(), "--start", str(self.written_rows)),
            *("--days", self._days),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # Ctrl-C is for us; the writer ends when the socket does
            env=child.environment(PENSTOCK_DATABASE_URL=self._url),
        )

    async def _revive(self) -> None:
        wait, most = BACK_OFF
        while not self._stopping:
            if self._process is not None:
                await self._process.wait()
            await asyncio.sleep(wait)
            wait = min(most, wait * 2)
            try:
                await self._connect()
            except (StoreUnavailable, OSError) as error:
                _log.error("the log writer cannot be started: %s", error)
            else:
                return

    def _disconnect(self) -> None:
        if self._link is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._link.fileno())
        if self._blocked:
            loop.remove_writer(self._link.fileno())
        self._link.close()
        self._link = None
        self.writer_pid = None


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def _opened(loop: asyncio.AbstractEventLoop, link: socket.socket) -> None:
    """Waits for the writer's first word; raises StoreUnavailable if it is not that the store is open."""
    answer = await _receive(loop, link, 8)
    if answer == _REFUSED:
        raise StoreUnavailable((await _receive(loop, link, 65536)).decode())
    if len(answer) < 8:  # noqa: PLR2004
        raise StoreUnavailable("The log writer ended while it started; its reason is on stderr, above.")


async def _receive(loop: asyncio.AbstractEventLoop, link: socket.socket, count: int) -> bytes:
    """That many bytes, or fewer if the stream ends before."""
    data = b""
    while len(data) < count and (more := await loop.sock_recv(link, count - len(data))):
        data += more
    return data
