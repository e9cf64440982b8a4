"""The composition root: settings become ports, ports become planes, planes become a running process."""

import asyncio
import gc
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple, cast

import uvicorn

from penstock.backends.bus import RedisBus
from penstock.backends.cache.choose import cache_store
from penstock.backends.counters.memory import MemoryCounters
from penstock.backends.counters.redis import RedisCounters
from penstock.backends.http.dialer import Dialer
from penstock.backends.http.limits import Limits
from penstock.backends.http.transport import HttpTransport
from penstock.backends.logpipe import LogPipe
from penstock.backends.payments.choose import payments
from penstock.backends.redis_link import RedisLink
from penstock.backends.reservations.known import known
from penstock.backends.reservations.memory import MemoryReservations
from penstock.backends.reservations.redis import RedisReservations
from penstock.control import api, background
from penstock.control.alerts.deliver import Sender
from penstock.control.context import Control
from penstock.control.gateways.created_by_calls import CreatedByCalls
from penstock.control.invoices.terms import terms_of
from penstock.control.oidc.party import Party
from penstock.control.provider_configs.uses import write_again_and_again
from penstock.control.publish import Publisher
from penstock.core.addresses import Rules
from penstock.core.budget import Budget
from penstock.core.deadlines import Deadlines
from penstock.core.exposition import render, with_process
from penstock.core.key_uses import KeyUses
from penstock.core.logs import log
from penstock.core.outbox import Outbox
from penstock.core.proxies import Proxies
from penstock.core.roles import PARTS, Part
from penstock.core.sealing import Vault
from penstock.core.settings import Settings
from penstock.core.tasks import Tasks
from penstock.core.telemetry import Report, Telemetry
from penstock.dashboard import mount
from penstock.features.auth import Keyring
from penstock.features.record import Recorder
from penstock.gateway.compile import Parts, operators, own_prices
from penstock.gateway.simulator import Simulator
from penstock.gateway.snapshot import Snapshot, Snapshots
from penstock.model.body import Bounds
from penstock.model.refusals import RefusedRows
from penstock.ports.bus import Bus
from penstock.ports.counters import Counters, Uncounted
from penstock.ports.logsink import LogSink, NullSink
from penstock.providers.prices import PriceBook
from penstock.providers.upstream import Upstream
from penstock.proxy import tls
from penstock.proxy.asgi import AsgiApp
from penstock.proxy.background import Background
from penstock.proxy.default import DefaultGateway
from penstock.proxy.elsewhere import Elsewhere
from penstock.proxy.handshake import Handshake
from penstock.proxy.ingress import ClientConnection
from penstock.proxy.plane import Calls, Plane
from penstock.proxy.server import Server
from penstock.storage import configuration, opening
from penstock.storage.announcements import Announcements
from penstock.storage.engine import Database
from penstock.storage.log.rollup_reap import days_of
from penstock.storage.log.store import LogStore

# A call leaves no circles of references behind, so the collector has little to find: it may look seldom.
COLLECT = (20_000, 20, 5)

MARGIN = 600.0  # seconds that a step may take longer than a call to its provider

LATE = 5.0  # seconds without a written row, though some wait, after which /readyz says so


class Place(NamedTuple):
    """Where this process keeps what it knows: the database's URL, and the master keys, of which the first one seals."""

    url: str
    master_keys: tuple[bytes, ...]


class Application:
    """One process. Built before the loop runs; its parts that need a loop live from ``running``'s start to its end.

    ``figures`` answers /metrics: this process's own, unless somebody puts those of several in its place.
    """

    def __init__(
        self, settings: Settings, place: Place, routes: Mapping[str, Upstream], sink: LogSink, tasks: Tasks
    ) -> None:
        self.settings = settings
        self.place = place
        self.parts = PARTS[settings.role]
        self.routes = routes
        self.sink = sink
        self.telemetry = Telemetry()
        self.key_uses = KeyUses()
        self.vault = Vault(*place.master_keys)
        self.keyring = Keyring(self.telemetry, vault=self.vault)
        self.snapshots = Snapshots(Snapshot(0, {}))
        rows = {slug: upstream.provider for slug, upstream in routes.items()}
        self.prices = PriceBook(rows, own_prices(settings))
        self.tasks = tasks
        self.answers = Budget(settings.answer_memory)
        self.shared = opening.is_shared(place.url)  # other processes may serve from the same database
        self.rules = Rules(settings.allowed_networks)
        self.proxies = Proxies.read(os.environ)  # the start has refused what cannot be read
        self.redis = RedisBus(tasks, settings.redis_url) if settings.redis_url else None
        self.link = RedisLink(tasks, settings.redis_url, "limits") if settings.redis_url else None
        # Of its own: whoever asks for a place waits for no large answer.
        cache_link = RedisLink(tasks, settings.redis_url, "the cache") if settings.redis_url else None
        self.cache = cache_store(settings, cache_link, tasks)
        self.links = [link for link in (self.link, cache_link if self.cache.shared else None) if link is not None]
        self.reservations = self._reservations()
        self.plane: Plane
        self.transport: HttpTransport
        self.control: Control
        self.publisher: Publisher | None = None  # once it is there, if this role has one
        self.announce: Callable[[], None] = _silent  # called once it listens
        self.figures: Callable[[], Awaitable[bytes]] = self.own_figures
        self.api = api.application(self, settings.role, settings.metrics_token)  # everything but the data plane
        if Part.API in self.parts:
            mount.add(self.api)
        self.tls = tls.context(settings)  # None: plain HTTP
        self._outside: AsgiApp | None = None

    def protocol(
        self, config: uvicorn.Config, server_state: Any, app_state: Any, _loop: Any = None
    ) -> asyncio.Protocol:
        """What uvicorn makes for each client connection."""
        if self._outside is None:
            self._outside = AsgiApp(config, server_state, app_state)
        connection = ClientConnection(self.plane, self._outside)
        return connection if self.tls is None else Handshake(connection, self.tls)

    def server(self, *, shared: bool = False) -> Server:
        """uvicorn, with our protocol in the place of its own; ``shared``: other processes accept on the same socket."""
        settings = self.settings
        return Server(
            self,
            uvicorn.Config(
                self.api,
                host=settings.host,
                port=settings.port,
                http=cast("type[asyncio.Protocol]", self.protocol),  # it is only ever called
                ws="none",
                lifespan="off",
                loop="uvloop",
                backlog=2048,
                log_config=None,
                server_header=False,
            ),
            shared=shared,
        )

    def unready(self) -> str:
        """What keeps this process from serving; empty: nothing."""
        return "stopping" if self.plane.stopping else ""

    def lacking(self) -> str:
        """What this process serves without just now; empty: nothing."""
        lacks: list[str] = []
        if self.publisher is not None and self.publisher.away:
            lacks.append(f"the store: what was configured {self.publisher.age():.0f} s ago serves")
        if (seconds := self.sink.stalled()) > LATE:
            lacks.append(f"the log: {self.sink.pending():,} rows wait, and none was written for {seconds:.0f} s")
        return "; ".join(lacks)

    async def own_figures(self) -> bytes:
        """What this process measured."""
        return await asyncio.to_thread(render, self.report())

    def report(self) -> Report:
        """The same, to be put together with that of others."""
        return with_process(self.telemetry.report())

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Starts what needs a loop, and stops it in turn. Raises StoreUnavailable, and may be tried again then."""
        settings = self.settings
        loop = asyncio.get_running_loop()
        calls: Calls = {}
        deadlines, outbox = Deadlines(loop), Outbox(loop, calls)
        limits = Limits(settings.idle_timeout, settings.pool_idle_timeout, settings.call_timeout)
        dialer = Dialer(loop, settings.connect_timeout, self.rules, self.proxies)
        self.transport = HttpTransport(deadlines, outbox, limits, dialer, settings.pool_size)
        self.plane = self._plane(deadlines, outbox, calls)
        self.plane.background = Background(self.transport, self.rules, self.tasks)
        try:
            async with self._stores() as database:
                await self.reservations.start(self.tasks, partial(known, database))
                await self.sink.start()
                self._watch()
                self._begin()
                try:
                    yield
                finally:
                    await self.plane.stop()
                    self.transport.close()
                    await self.sink.stop(settings.stop_timeout)
        finally:
            deadlines.stop()

    def _begin(self) -> None:
        """What goes on in the background."""
        if Part.CALLS in self.parts:
            self.tasks.start("prices", self._load_prices())
        if Part.UPKEEP in self.parts and self.shared:  # on SQLite, the log writer does it
            from penstock.worker.upkeep import Upkeep  # noqa: PLC0415  the driver takes 60 ms to import

            days, longest = days_of(*_days(self.settings)), self.settings.call_timeout
            self.tasks.start("upkeep", Upkeep(self.place.url, _say, days, longest).run())

    @asynccontextmanager
    async def _stores(self) -> AsyncGenerator[Database]:
        """What reads and writes the database beside the log, as far as this role has it."""
        settings = self.settings
        database, logs = Database(self.place.url), LogStore(self.place.url)
        buses = self._buses()
        parts = self._parts()
        vault = self.vault
        sender = Sender(database, vault, self.transport, self.rules, self.telemetry)
        publisher = Publisher(
            *(database, self.snapshots, self.keyring, parts, vault),
            buses=buses,
            prepaid=settings.billing_mode == "prepaid",
        )
        method = payments(settings)
        serves = self.parts & {Part.CALLS, Part.API}
        refresh = publisher.published if serves else publisher.announced
        control = Control(
            *(database, self.keyring, vault, refresh, self.sink, logs, self.rules, self.shared, self.cache, parts),
            simulator=Simulator(parts, parts.counters if self._sees_counts() else Uncounted()),
            sender=sender,
            reservations=parts.reservations if self._sees_counts() else None,
            payments=method,
            terms=terms_of(settings),
            prepaid=settings.billing_mode == "prepaid",
            oidc=Party(settings, self.transport) if settings.oidc_issuer else None,
            public_url=settings.named_url,
        )
        try:
            if serves:
                if self.links:
                    async with database.reading() as connection:
                        installation = await configuration.installation(connection)
                    await asyncio.gather(*(link.start(installation) for link in self.links))
                await self.cache.start()
                self.control = self.api.state.control = control
                created = CreatedByCalls(control)
                self.plane.default = DefaultGateway(self.snapshots, parts.stages.auth[True], created)
                await publisher.refresh()
                self.publisher = publisher
                self.tasks.start("configuration", publisher.watch())
                if Part.CALLS in self.parts:
                    self.tasks.start("key uses", write_again_and_again(database, self.key_uses))
                for bus in buses:
                    self.tasks.start("announcements", bus.listen(publisher.heard))
            if Part.UPKEEP in self.parts:
                background.start(self.tasks, control, sender)
            yield database
        finally:
            await publisher.stop()
            await self.cache.stop()
            await parts.stages.budgets.settled()
            await self.reservations.settled()
            for link in self.links:
                await link.stop()
            await self.tasks.stop()
            method.close()
            await logs.close()
            await database.close()

    def _buses(self) -> list[Bus]:
        """What carries the news that the configuration changed; none on SQLite, where looking costs next to nothing."""
        buses: list[Bus] = [] if self.redis is None else [self.redis]
        return [Announcements(self.place.url), *buses] if self.shared else buses

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
            telemetry=self.telemetry,
            counters=self._counters(),
            reservations=self.reservations,
            cache=self.cache,
            largest_cached=settings.cache_answer_size,
            fetch_media=settings.fetch_media,
            key_uses=self.key_uses,
            operators=operators(settings.provider_keys),
            spend_limit_code=int(settings.spend_limit_code),
        )

    def _sees_counts(self) -> bool:
        """Whether what calls are counted by is here: in Redis, or in the memory of this process, which takes calls."""
        return self.link is not None or Part.CALLS in self.parts

    def _counters(self) -> Counters:
        if self.link is None:
            return MemoryCounters()
        return RedisCounters(self.link, self.settings.limits_without_redis, self.telemetry)

    def _reservations(self) -> MemoryReservations | RedisReservations:
        if self.link is None:
            return MemoryReservations(self.telemetry.reservations_refused)
        settings = self.settings
        return RedisReservations(
            self.link, settings.limits_without_redis, self.telemetry, self.sink, settings.call_timeout + MARGIN
        )

    def _plane(self, deadlines: Deadlines, outbox: Outbox, calls: Calls) -> Plane:
        settings = self.settings
        bounds = Bounds(
            hold=settings.hold_body,
            keep=settings.log_body_limit,
            limit=settings.max_body,
            budget=Budget(settings.buffer_memory),
        )
        refused = RefusedRows(-(-settings.refused_rows // settings.workers), self.telemetry.rows_unkept)
        recorder = Recorder(self.sink, self.telemetry, refused, self.keyring.known)
        kind = Plane if Part.CALLS in self.parts else Elsewhere
        return kind(settings, self.snapshots, recorder, deadlines, bounds, outbox, calls, asyncio.get_running_loop())

    def _watch(self) -> None:
        plane, sink, watch = self.plane, self.sink, self.telemetry.watch
        if self.publisher is not None:
            watch("penstock_configuration_age_seconds", self.publisher.age)
            watch("penstock_configuration_version", lambda: self.snapshots.current.version)
        watch("penstock_calls_in_flight", lambda: len(plane.calls))
        watch("penstock_client_connections", lambda: plane.connections)
        watch("penstock_upstream_connections", self._upstream_connections)
        watch("penstock_log_rows_written_total", lambda: sink.written_rows - sink.full_rows)
        watch("penstock_log_rows_dropped_total", lambda: sink.dropped_rows)
        watch("penstock_log_rows_full_total", lambda: sink.full_rows)
        watch("penstock_log_bodies_dropped_total", lambda: sink.dropped_bodies)
        watch("penstock_log_rows_pending", sink.pending)
        watch("penstock_settlements_pending", self.reservations.waiting)
        watch("penstock_buffered_bytes", lambda: plane.bounds.budget.used)
        watch("penstock_held_answer_bytes", lambda: self.answers.used)
        watch("penstock_cache_bytes", lambda: self.cache.figures()[0])
        watch("penstock_cache_entries", lambda: self.cache.figures()[1])
        watch("penstock_cache_evicted_total", lambda: self.cache.figures()[2])
        watch("penstock_cache_failures_total", lambda: self.cache.figures()[3])
        watch("penstock_workers", lambda: {("running",): 1})

    def _upstream_connections(self) -> dict[tuple[str, ...], float]:
        busy, idle = self.transport.counts()
        return {("busy",): busy, ("idle",): idle}


def _days(settings: Settings) -> tuple[int, int, int]:
    """That roll-ups of minutes, hours and days are kept."""
    return settings.analytics_minute_days, settings.analytics_hour_days, settings.analytics_day_days


def compose(settings: Settings, place: Place, routes: Mapping[str, Upstream]) -> Application:
    """The application of this process; ``routes`` are ``gateway.compile.upstreams`` of its settings."""
    tasks = Tasks()
    sink: LogSink = NullSink()
    if Part.CALLS in PARTS[settings.role]:
        size, rows = settings.log_queue_size, settings.log_queue_rows
        sink = LogPipe(tasks, place.url, max_bytes=size, max_rows=rows, days=_days(settings))
    return Application(settings, place, routes, sink, tasks)


def _say(event: str, **about: object) -> None:
    """One structured line."""
    log.info(event, extra={"fields": about})


def _silent() -> None:
    """Nobody wants to know."""
