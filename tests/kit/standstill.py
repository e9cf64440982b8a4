"""How long the event loop of this process stands still, and peers that are in threads of their own meanwhile."""

import asyncio
import contextlib
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager

LIMIT = 0.1  # seconds that the loop may be kept from others
_TRIES = 4
_NAMED = re.compile(rb"\r\nx-hostile: (\d+)\r\n")


class Watch:
    """Looks every millisecond. Only time that this process worked counts, so another one's load is no fault."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._loop = asyncio.get_running_loop()
        self._wall, self._cpu = time.monotonic(), time.process_time()
        self._next = self._loop.call_soon(self._look)

    def stop(self) -> None:
        self._next.cancel()

    def _look(self) -> None:
        wall, cpu = time.monotonic(), time.process_time()
        self.longest = max(self.longest, min(wall - self._wall, cpu - self._cpu))
        self._wall, self._cpu = time.monotonic(), time.process_time()
        self._next = self._loop.call_later(0.001, self._look)


async def standstill(run: Callable[[], Awaitable[object]]) -> float:
    """Seconds for which the loop stood still while ``run`` ran: the least of a few times, once they are too many."""
    least = float("inf")
    for _ in range(_TRIES):
        watch = Watch()
        try:
            await run()
            await asyncio.sleep(0.002)
        finally:
            watch.stop()
        least = min(least, watch.longest)
        if least <= LIMIT:
            break
    return least


def exchange(port: int, request: bytes) -> bytes:
    """Sends what may be no request at all and returns what is answered until the server closes."""
    answer = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sending = threading.Thread(target=_send, args=(sock, request))
        sending.start()
        with contextlib.suppress(ConnectionError):
            while data := sock.recv(1 << 18):
                answer += data
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sending.join()
    return bytes(answer)


def _send(sock: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        sock.sendall(data)


@contextmanager
def hostile(answers: Mapping[int, bytes]) -> Generator[str]:
    """A provider's URL. It answers with the bytes of the number in ``x-hostile`` and closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                threading.Thread(target=one, args=(sock,), daemon=True).start()

    def one(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            asked = b""
            while b"\r\n\r\n" not in asked and (data := sock.recv(1 << 16)):
                asked += data
            if found := _NAMED.search(asked):
                sock.sendall(answers[int(found[1])])
                sock.shutdown(socket.SHUT_WR)
            while sock.recv(1 << 18):
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
