"""Where log records go."""

from typing import Protocol

from penstock.model.record import LogRecord


class LogSink(Protocol):
    """Takes records and never makes a call wait.

    Bounded; when full it first drops bodies, then rows, and counts both. A record taken is written once, also when
    the writer process dies and is started anew; it is lost only with the serving process itself.
    """

    dropped_bodies: int
    dropped_rows: int
    written_rows: int

    def offer(self, record: LogRecord) -> None:
        """Takes a record; returns at once."""
        ...

    def pending(self) -> int:
        """Rows taken and not yet known to be written."""
        ...

    async def settled(self) -> None:
        """Returns when everything offered so far is written."""
        ...

    async def start(self) -> None:
        """Starts the writer; returns when it can take rows. Raises StoreUnavailable."""
        ...

    async def stop(self, limit: float) -> None:
        """Hands over and waits, at most ``limit`` seconds, until everything taken is written."""
        ...
