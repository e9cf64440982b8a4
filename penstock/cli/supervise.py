"""The parent of several serving processes: starts them, starts them again when they die, and stops them together.

It keeps the listening socket, serves nothing itself, and imports little. To each process (``cli.member``) it has a
socket (``core.channel``), and the end of either side's process is the end of that.

What the parent says: ``handover`` first; ``tell``: what have you measured?; ``figures`` of all, as asked for; ``stop``;
``now``: do not wait for running calls. What a process says: ``listens``; ``refused`` and why; ``report``: what it
measured; ``ask`` for the figures of all.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable

import msgspec

from penstock.cli.handover import Handover
from penstock.cli.refused import Refused
from penstock.cli.sibling import Sibling
from penstock.core.exposition import lasting, merge
from penstock.core.logs import log
from penstock.core.settings import Settings
from penstock.core.tasks import Tasks
from penstock.core.telemetry import Report

BACK_OFF = (0.1, 5.0)  # seconds before a process is started again: at first, and at most
LIVED = 10.0  # seconds after which a process did not die of its start
TRIES = 4  # starts that may fail before the server has been up
ANSWER = 1.0  # seconds a process has to tell its figures; then its last ones count
MOMENT = 5.0  # seconds beyond its own limits that a process has to end
STATES = ("running", "silent", "starting", "down")


def run(settings: Settings, handover: Handover, listener: socket.socket, greet: Callable[[], None]) -> int:
    """Serves until a signal ends it; returns the exit status. ``greet`` is called once all listen. Raises Refused."""
    return asyncio.run(Supervisor(settings, handover, listener, greet).run())


class Supervisor:
    """Of ``settings.workers`` processes."""

    def __init__(
        self, settings: Settings, handover: Handover, listener: socket.socket, greet: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._handover = handover
        self._listener = listener
        self._greet = greet
        self._tasks = Tasks()
        self._siblings: dict[int, Sibling] = {}
        self._gone = Report()  # what those counted that are no more
        self._up = False  # all have listened once
        self._stopping = asyncio.Event()
        self._now = asyncio.Event()
        self._refusal = ""

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signal, number)
        kept = [self._tasks.start(f"process {slot}", self._keep(slot)) for slot in range(self._settings.workers)]
        await self._stopping.wait()
        await self._stop(kept)
        if self._refusal:
            raise Refused(self._refusal)
        return 128 + signal.SIGINT if self._now.is_set() else 0

    def _signal(self, number: signal.Signals) -> None:
        """The first begins the stop, a second SIGINT cuts it short."""
        if number == signal.SIGINT and self._stopping.is_set():
            self._now.set()
        self._stopping.set()

    async def _stop(self, kept: list[asyncio.Task[None]]) -> None:
        self._tell_all("stop")
        cut = self._tasks.start("now", self._now.wait())
        ended = self._tasks.start("ended", asyncio.wait(kept))
        limit = 2 * self._settings.stop_timeout + MOMENT  # for calls, and for what they left to write
        await asyncio.wait({cut, ended}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            self._tell_all("now")
            await asyncio.wait({ended}, timeout=MOMENT)
        for sibling in self._siblings.values():
            log.error("serving process %d does not end, and is killed", sibling.pid)
            sibling.kill()
        await ended
        cut.cancel()

    def _tell_all(self, word: str) -> None:
        for sibling in self._siblings.values():
            self._tasks.start(word, sibling.channel.send(word))

    # The life of one

    async def _keep(self, slot: int) -> None:
        """One after the other."""
        least, most = BACK_OFF
        wait, failures = least, 0
        while not self._stopping.is_set():
            try:
                sibling = await self._run(slot)
            except OSError as error:
                log.error("no serving process can be started: %s", error)
                await self._pause(most)
                continue
            if self._stopping.is_set():
                return
            failures = 0 if sibling.listened else failures + 1
            if not self._up and (sibling.refusal or failures >= TRIES):
                self._refusal = sibling.refusal or f"its processes end as they start ({sibling.status}), as told above."
                self._stopping.set()
                return
            wait = least if sibling.age() > LIVED else min(most, 2 * wait)
            log.error("serving process %d ended (%s) and is started again", sibling.pid, sibling.status)
            await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        """Less, where the stop begins."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _run(self, slot: int) -> Sibling:
        """One process, from its start to its end."""
        handover = msgspec.structs.replace(self._handover, first=not self._up)
        sibling = self._siblings[slot] = await Sibling.start(self._listener, handover)
        if self._stopping.is_set():
            await sibling.channel.send("stop")
        await sibling.attend(self._listens, self._asked)
        del self._siblings[slot]
        self._gone = merge([self._gone, lasting(sibling.report)])
        return sibling

    def _listens(self) -> None:
        if not self._up and len([one for one in self._siblings.values() if one.listened]) == self._settings.workers:
            self._up = True
            self._greet()

    # The figures of all

    def _asked(self, sibling: Sibling, number: int) -> None:
        self._tasks.start("figures", self._answer(sibling, number))

    async def _answer(self, sibling: Sibling, number: int) -> None:
        await sibling.channel.send("figures", await self.figures(), number)

    async def figures(self) -> Report:
        """What all measured. Of a process that does not answer in time, what it told last."""
        siblings = list(self._siblings.values())
        told = {one: self._tasks.start("tell", one.tell(self._tasks)) for one in siblings if one.listened}
        if told:
            await asyncio.wait(told.values(), timeout=ANSWER)
        states = dict.fromkeys(STATES, 0) | {"down": self._settings.workers - len(siblings)}
        for one in siblings:
            states["starting" if one not in told else "running" if told[one].done() else "silent"] += 1
        for task in told.values():
            task.cancel()
        merged = merge([self._gone, *(one.report for one in siblings)])
        merged.figures["penstock_workers"] = [((state,), count) for state, count in states.items()]
        return merged
