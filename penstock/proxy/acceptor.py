"""Taking connections from a socket on which several processes accept.

The loop's own server takes all that wait each time it wakes, so that of a burst one process may get everything and the
others nothing. Here it is one connection a turn of the loop: whoever is busy turns slower and takes fewer.
"""

import asyncio
import errno
import socket
from collections.abc import Callable

from penstock.core.logs import log
from penstock.core.tasks import Tasks

_FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE = 1.0  # seconds without accepting when the process has no descriptor left


class Acceptor:
    """Begins at once. ``close`` and ``wait_closed`` are those of ``asyncio.Server``; the socket stays the others'."""

    def __init__(self, listener: socket.socket, make: Callable[[], asyncio.Protocol], tasks: Tasks) -> None:
        self._listener = listener
        self._make = make
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self._wanted = False
        listener.setblocking(False)  # noqa: FBT003  the system's own name
        self.resume()

    def pause(self) -> None:
        """Leaves what comes to the others."""
        self._wanted = False
        self._loop.remove_reader(self._listener.fileno())

    def resume(self) -> None:
        self._wanted = True
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        self.pause()

    async def wait_closed(self) -> None:
        """Nothing is left to wait for."""

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return  # another process was quicker, or the client has left
        except OSError as error:
            if error.errno not in _FULL:
                raise
            log.error("no connection can be accepted for %s s: %s", _PAUSE, error.strerror)
            self._loop.remove_reader(self._listener.fileno())
            self._loop.call_later(_PAUSE, self._again)
            return
        connection.setblocking(False)  # noqa: FBT003
        self._tasks.start("connection", self._serve(connection))

    def _again(self) -> None:
        if self._wanted:
            self.resume()

    async def _serve(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make, connection)
        except OSError:  # it has left already
            connection.close()
