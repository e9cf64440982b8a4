"""All time limits of a process, kept by one sweep.

A timer per call costs microseconds (measured: ``asyncio.timeout`` 5.2); an attribute on the object that waits costs
nothing. Whoever has a time limit sets ``deadline`` (loop time, or ``NEVER``) on itself and is asked every ``STEP``.
"""

import asyncio
from typing import Protocol

NEVER = float("inf")
STEP = 0.05


class Waiting(Protocol):
    """Something that waits. ``overdue`` is called once the loop's time has passed ``deadline``."""

    deadline: float

    def overdue(self) -> None:
        """Ends the wait; must set ``deadline`` anew."""
        ...


class Deadlines:
    """The sweep. ``watched`` is a plain set: add and discard yourself."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.watched: set[Waiting] = set()
        self.now = loop.time()  # as of the last sweep: exact to one STEP, which is enough for limits in seconds
        self._loop = loop
        self._timer = loop.call_later(STEP, self._sweep)

    def stop(self) -> None:
        self._timer.cancel()

    def _sweep(self) -> None:
        now = self.now = self._loop.time()
        self._timer = self._loop.call_later(STEP, self._sweep)  # first, so that one fault does not end all limits
        for waiting in [w for w in self.watched if w.deadline < now]:
            waiting.overdue()
