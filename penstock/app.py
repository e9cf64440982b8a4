"""The composition root: settings become ports, ports become planes, planes become a running process."""

import asyncio
import gc
import math
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any, NamedTuple, cast

import uvicorn
from fastapi import FastAPI

from penstock.backends.http.connection import Limits
from penstock.backends.http.transport import HttpTransport
from penstock.backends.logpipe import LogPipe
from penstock.control import api
from penstock.control.context import Control
from penstock.control.first_start import Start
from penstock.control.gateways.service import ensure_default
from penstock.control.publish import Publisher
from penstock.core.budget import Budget
from penstock.core.deadlines import Deadlines
from penstock.core.outbox import Outbox
from penstock.core.sealing import Vault
from penstock.core.settings import Settings
from penstock.core.tasks import Tasks
from penstock.core.telemetry import Telemetry
from penstock.features.auth import Keyring
from penstock.features.record import Recorder
from penstock.gateway.compile import Parts
from penstock.gateway.snapshot import Snapshot, Snapshots
from penstock.model.body import Bounds
from penstock.model.token import Token
from penstock.ports.births import Births
from penstock.ports.logsink import LogSink
from penstock.providers.prices import PriceBook
from penstock.providers.upstream import Upstream
from penstock.proxy.asgi import AsgiApp
from penstock.proxy.default import DefaultGateway
from penstock.proxy.ingress import ClientConnection
from penstock.proxy.plane import Calls, Plane
from penstock.storage.engine import Database
from penstock.storage.log_store import LogStore

_POLL = 0.05  # seconds between two looks at what still runs

# A call leaves no circles of references behind, so the collector has little to find: it may look seldom.
COLLECT = (20_000, 20, 5)


class Place(NamedTuple):
    """Where this process keeps what it knows: the database's URL and the key that seals the secrets in it."""

    url: str
    master_key: bytes


class DefaultBirths(Births):
    """The data plane's way to the control plane: the one thing it can bring about there."""

    def __init__(self, control: Control) -> None:
        self._control = control

    async def make(self, account: str, token: Token) -> None:
        await ensure_default(self._control, account, token)


class Application:
    """One process. Built before the loop runs; its parts that need a loop live from ``lifespan``'s start to its end."""

    def __init__(
        self, settings: Settings, place: Place, routes: Mapping[str, Upstream], sink: LogSink, tasks: Tasks
    ) -> None:
        self.settings = settings
        self.place = place
        self.routes = routes
        self.sink = sink
        self.telemetry = Telemetry()
        self.keyring = Keyring(self.telemetry)
        self.snapshots = Snapshots(Snapshot(0, {}))
        self.prices = PriceBook({slug: upstream.provider for slug, upstream in routes.items()})
        self.tasks = tasks
        self.answers = Budget(settings.answer_memory)
        self.plane: Plane
        self.transport: HttpTransport
        self.control: Control
        self.announce: Callable[[], None] = _silent  # called once it listens
        self._outside: AsgiApp | None = None

    def asgi(self) -> FastAPI:
        """Everything but the data plane."""
        return api.application(self.telemetry, self.unready, self.lifespan)

    def protocol(
        self, config: uvicorn.Config, server_state: Any, app_state: Any, _loop: Any = None
    ) -> asyncio.Protocol:
        """What uvicorn makes for each client connection."""
        if self._outside is None:
            self._outside = AsgiApp(config, server_state, app_state)
        return ClientConnection(self.plane, self._outside)

    def server(self) -> uvicorn.Server:
        """uvicorn, with our protocol in the place of its own."""
        settings = self.settings
        return Server(
            self,
            uvicorn.Config(
                self.asgi(),
                host=settings.host,
                port=settings.port,
                http=cast("type[asyncio.Protocol]", self.protocol),  # it is only ever called
                ws="none",
                lifespan="on",
                loop="uvloop",
                backlog=2048,
                log_config=None,
                server_header=False,
            ),
        )

    def unready(self) -> str:
        """What keeps this process from serving; empty: nothing."""
        return "stopping" if self.plane.stopping else ""

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncGenerator[None]:
        """Starts and stops what needs a loop, in this order and back."""
        settings = self.settings
        loop = asyncio.get_running_loop()
        calls: Calls = {}
        deadlines, outbox = Deadlines(loop), Outbox(loop, calls)
        limits = Limits(settings.idle_timeout, settings.pool_idle_timeout)
        self.transport = HttpTransport(deadlines, outbox, limits, settings.connect_timeout, settings.pool_size)
        database, logs = Database(self.place.url), LogStore(self.place.url)
        parts = self._parts()
        publisher = Publisher(database, self.snapshots, self.keyring, parts)
        vault = Vault(self.place.master_key)
        self.control = app.state.control = Control(database, self.keyring, vault, publisher.published, self.sink, logs)
        self.plane = self._plane(deadlines, outbox, calls)
        self.plane.default = DefaultGateway(self.snapshots, parts.stages.auth[True], DefaultBirths(self.control))
        self._watch()
        self.telemetry.watch("penstock_configuration_age_seconds", publisher.age)
        await publisher.refresh()
        self.tasks.start("configuration", publisher.watch())
        self.tasks.start("prices", self._load_prices())
        try:
            yield
        finally:
            await self.plane.stop()
            self.transport.close()
            await self.sink.stop(settings.stop_timeout)
            await publisher.stop()
            await self.tasks.stop()
            await logs.close()
            await database.close()
            deadlines.stop()

    async def _load_prices(self) -> None:
        """In a thread, so that no call waits for the import; what is in memory then stays."""
        await asyncio.to_thread(self.prices.load)
        gc.collect()
        gc.freeze()  # the collector need not look at it ever again
        gc.set_threshold(*COLLECT)

    def _parts(self) -> Parts:
        """What all gateways are made of."""
        settings = self.settings
        return Parts(
            transport=self.transport,
            upstreams=self.routes,
            prices=self.prices,
            keyring=self.keyring,
            first_byte=settings.first_byte_timeout,
            keep=settings.log_body_limit,
            answers=self.answers,
        )

    def _plane(self, deadlines: Deadlines, outbox: Outbox, calls: Calls) -> Plane:
        settings = self.settings
        bounds = Bounds(
            hold=settings.hold_body,
            keep=settings.log_body_limit,
            limit=settings.max_body,
            budget=Budget(settings.buffer_memory),
        )
        recorder = Recorder(self.sink, self.telemetry)
        return Plane(settings, self.snapshots, recorder, deadlines, bounds, outbox, calls, asyncio.get_running_loop())

    def _watch(self) -> None:
        plane, sink, watch = self.plane, self.sink, self.telemetry.watch
        watch("penstock_calls_in_flight", lambda: len(plane.calls))
        watch("penstock_client_connections", lambda: plane.connections)
        watch("penstock_upstream_connections", self._upstream_connections)
        watch("penstock_log_rows_written_total", lambda: sink.written_rows)
        watch("penstock_log_rows_dropped_total", lambda: sink.dropped_rows)
        watch("penstock_log_bodies_dropped_total", lambda: sink.dropped_bodies)
        watch("penstock_log_rows_pending", sink.pending)
        watch("penstock_buffered_bytes", lambda: plane.bounds.budget.used)
        watch("penstock_held_answer_bytes", lambda: self.answers.used)

    def _upstream_connections(self) -> dict[tuple[str, ...], float]:
        busy, idle = self.transport.counts()
        return {("busy",): busy, ("idle",): idle}


class Server(uvicorn.Server):
    """uvicorn, which says when it listens, and shows at once that it stops."""

    def __init__(self, app: Application, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens. Raises StoreUnavailable where the log cannot be opened, which the lifespan would bury."""
        await self._app.sink.start()
        await super().startup(sockets)
        self._app.announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal begins the stop, a second SIGINT cuts it short. uvicorn would raise the signal again at the end, and
        a stop that was asked for would look like a failure.
        """
        self.force_exit = self.force_exit or (self.should_exit and sig == signal.SIGINT)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets running calls end, within the limit. Until then, new ones and /readyz are told that it stops."""
        plane, loop = self._app.plane, asyncio.get_running_loop()
        until = loop.time() + self._app.settings.stop_timeout
        plane.stopping = True
        while plane.calls and not self.force_exit and loop.time() < until:  # noqa: ASYNC110  no event tells of a signal
            await asyncio.sleep(_POLL)
        await plane.stop()
        self.config.timeout_graceful_shutdown = max(1, math.ceil(until - loop.time()))  # for bytes still on their way
        await super().shutdown(sockets)


def compose(settings: Settings, start: Start, routes: Mapping[str, Upstream]) -> Application:
    """The application of this process; ``routes`` are ``gateway.compile.upstreams`` of its settings."""
    tasks = Tasks()
    sink = LogPipe(tasks, start.store.url, max_bytes=settings.log_queue_size, max_rows=settings.log_queue_rows)
    return Application(settings, Place(start.store.url, start.master_key), routes, sink, tasks)


def _silent() -> None:
    """Nobody wants to know."""
