"""Wakes sleepers in whole milliseconds: one timer a tick, however many streams are due in it."""

import asyncio
import math
from typing import Protocol


class Sleeper(Protocol):
    """Something that sleeps. ``tick`` belongs to the pacer: 0 while awake."""

    tick: int

    def wake(self) -> None:
        """Goes on."""
        ...


class Pacer:
    """The sleepers of one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: dict[int, dict[Sleeper, None]] = {}

    def at(self, when: float, sleeper: Sleeper) -> None:
        """Wakes the sleeper once the loop's time has reached ``when``."""
        sleeper.tick = tick = math.ceil(when * 1000)
        due = self._due.get(tick)
        if due is None:
            self._due[tick] = due = {}
            self._loop.call_at(tick / 1000, self._ring, tick)
        due[sleeper] = None

    def forget(self, sleeper: Sleeper) -> None:
        """Lets the sleeper be, if it sleeps."""
        if sleeper.tick:
            self._due[sleeper.tick].pop(sleeper, None)
            sleeper.tick = 0

    def _ring(self, tick: int) -> None:
        due = self._due.pop(tick)
        for sleeper in due:
            sleeper.tick = 0
        for sleeper in due:
            sleeper.wake()
