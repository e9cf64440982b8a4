"""A serving process as its parent sees it (``cli.supervise``)."""

import asyncio
import signal
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable

from penstock.cli.handover import Handover
from penstock.core import child
from penstock.core.channel import Channel
from penstock.core.tasks import Tasks
from penstock.core.telemetry import Report


class Sibling:
    """One process. ``report`` is the last that it told; ``status`` says in words how it ended."""

    def __init__(self, process: Process, link: socket.socket) -> None:
        self.pid = process.pid
        self.channel = Channel(link)
        self.report = Report()
        self.listened = False
        self.refusal = ""
        self.status = ""
        self._process = process
        self._link = link
        self._started = time.monotonic()
        self._told: asyncio.Event | None = None  # set by the answer to the question that is open

    @classmethod
    async def start(cls, listener: socket.socket, handover: Handover) -> "Sibling":
        """Starts a process; it listens when it says so."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "penstock.cli.member", str(theirs.fileno()), str(listener.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), listener.fileno()],
                start_new_session=True,  # Ctrl-C is for the parent, which tells all
                env=child.environment(),
            )
        sibling = cls(process, ours)
        await sibling.channel.send("handover", handover)
        return sibling

    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started

    def kill(self) -> None:
        self._process.kill()

    async def tell(self, tasks: Tasks) -> None:
        """Returns when ``report`` is new. One question is open at a time: a process that hangs reads none."""
        if self._told is None:
            self._told = asyncio.Event()
            tasks.start("tell", self.channel.send("tell"))  # whole, also where nobody waits for the answer any more
        await self._told.wait()

    async def attend(self, listens: Callable[[], None], asked: "Callable[[Sibling, int], None]") -> None:
        """Hears what it says until it ends."""
        while (message := await self.channel.receive()) is not None:
            if message.kind == "report":
                self.report = message.read(Report)
                told, self._told = self._told, None
                if told is not None:
                    told.set()
            elif message.kind == "ask":
                asked(self, message.number)
            elif message.kind == "refused":
                self.refusal = message.read(str)
            elif message.kind == "listens":
                self.listened = True
                listens()
        self._link.close()
        code = await self._process.wait()
        self.status = signal.Signals(-code).name if code < 0 else f"status {code}"
