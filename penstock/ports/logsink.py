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
    sender: bytes = (
        b""  # as whose records the store counts them: rows written and pending are the place of the next one
    )
    full_rows: int = 0  # of the written: no rows, because their gateways have as many as they may

    def offer(self, record: LogRecord) -> None:
        """Takes a record; returns at once."""
        ...

    def pending(self) -> int:
        """Rows taken and not yet known to be written."""
        ...

    def stalled(self) -> float:
        """Seconds for which rows have waited without one being written; 0: none waits."""
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


class NullSink(LogSink):
    """That of a process that takes no calls."""

    def __init__(self) -> None:
        self.dropped_bodies = self.dropped_rows = self.written_rows = 0

    def offer(self, record: LogRecord) -> None:
        """Nothing is kept."""

    def pending(self) -> int:
        return 0

    def stalled(self) -> float:
        return 0.0

    async def settled(self) -> None:
        """Nothing is on its way."""

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self, limit: float) -> None:
        """Nothing to stop."""
