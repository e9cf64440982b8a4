"""What the data plane's connections share."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from penstock.core import tasks
from penstock.core.budget import Budget
from penstock.core.deadlines import Deadlines
from penstock.core.errors import Overloaded
from penstock.core.outbox import Outbox
from penstock.core.settings import Settings
from penstock.features.record import Recorder
from penstock.gateway.compile import CompiledGateway
from penstock.gateway.snapshot import Snapshots
from penstock.model.body import Bounds
from penstock.model.exchange import Exchange
from penstock.model.reply import Reply
from penstock.model.step import Step
from penstock.proxy.cors import NullCors, cors
from penstock.proxy.default import Missing, NullDefault
from penstock.proxy.trusted import Direct, Unnamed, clients

FEW = 8  # calls that an account may always have in flight, however few there may be in all
_BUSY = "The gateway has as many calls in flight as it may; try again."

Attempt = Callable[[Step, CompiledGateway], Awaitable[Reply]]
Calls = dict[Exchange, asyncio.Task[None]]  # those that run


class Runs(Protocol):
    """Runs in the background what a call asks for."""

    async def begun(self, ex: Exchange, gw: CompiledGateway, plane: "Plane", attempt: Attempt) -> Reply | None:
        """The answer to a call that begins a run; None: it is none."""
        ...


class NullRuns(Runs):
    """Runs nothing."""

    async def begun(self, ex: Exchange, gw: CompiledGateway, plane: "Plane", attempt: Attempt) -> Reply | None:
        return None


@dataclass(slots=True)
class Plane:
    """The data plane of one process."""

    settings: Settings
    snapshots: Snapshots
    recorder: Recorder
    deadlines: Deadlines
    bounds: Bounds
    outbox: Outbox
    calls: Calls
    loop: asyncio.AbstractEventLoop
    default: Missing = field(default_factory=NullDefault)
    background: Runs = field(default_factory=NullRuns)
    connections: int = 0
    stopping: bool = False  # no new calls; /readyz says 503
    cors: NullCors = field(init=False)
    clients: Direct = field(init=False)
    named: Direct = field(init=False)  # those that are told of calls
    seats: Budget = field(init=False)  # of calls in flight

    def __post_init__(self) -> None:
        self.cors = cors(self.settings.cors_origins)
        self.clients = clients(self.settings.trusted_proxies)
        self.named = self.clients if self.settings.access_log else Unnamed()
        self.seats = Budget(self.settings.max_calls, reserve=0, floor=FEW)

    def admit(self) -> None:
        """Raises Overloaded once the process stops, and where more calls run than may."""
        if self.stopping:
            raise Overloaded("The gateway is stopping; try again.")
        if len(self.calls) > self.settings.max_calls:
            raise Overloaded(_BUSY)

    def seat(self, ex: Exchange) -> None:
        """From here on the call, and what is held of its body, count as its gateway's. Raises Overloaded where that
        has its share of either.
        """
        account, number = ex.request.account, ex.gateway.number
        seat = self.seats.share(account, number)
        if not seat.try_take(1):
            raise Overloaded(_BUSY)
        ex.defer(seat.leave)
        ex.request.body.charge(self.bounds.budget.share(account, number))

    async def stop(self) -> None:
        """Cancels the calls that still run, and waits until each has left its record."""
        self.stopping = True
        running = list(self.calls.values())
        for task in running:
            if not tasks.unbegun(task):  # it would end without a trace; it is refused as soon as it begins
                task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
