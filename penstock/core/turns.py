"""Work that is done in slices, between the other callbacks of the event loop."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

Step = Callable[[], bool]  # does about a millisecond of work; returns whether some is left. Never raises

_TURN = 0.005  # seconds that all work together may take before the loop has its turn


class Turns:
    """All sliced work of one process. Those who have some take turns."""

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps: deque[Step] = deque()

    def add(self, step: Step) -> None:
        """Calls ``step`` again and again, until it returns False."""
        self._steps.append(step)
        if len(self._steps) == 1:
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        steps, until = self._steps, time.monotonic() + _TURN
        while steps and time.monotonic() < until:
            if steps[0]():
                steps.rotate(-1)
            else:
                steps.popleft()
        if steps:
            asyncio.get_running_loop().call_soon(self._turn)
