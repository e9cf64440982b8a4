"""Eleven situations times five client behaviours on a real server: in each cell one outcome, one row, one settlement,
one closed upstream, and nothing left open."""

import asyncio
import dataclasses
import itertools
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from penstock.app import Application
from penstock.core.budget import Budget
from penstock.core.errors import PromptBlocked, ReplyBlocked
from penstock.core.headers import Headers
from penstock.core.settings import load
from penstock.features.auth import Auth
from penstock.gateway.compile import CompiledGateway
from penstock.gateway.snapshot import Snapshot
from penstock.mock import server as mock
from penstock.model.body import Bounds, RequestBody
from penstock.model.exchange import Exchange, Itinerary
from penstock.model.plan import Origin, Target
from penstock.model.reply import Body, Reply
from penstock.model.request import Request
from penstock.model.step import Step
from penstock.providers.upstream import Upstream
from tests.kit.logsink import MemoryLogSink
from tests.kit.server import Running, running
from tests.kit.store import ACCOUNT, furnish
from tests.kit.tickets import Tickets

FRAMES, PACE = 6, 15  # of a simulated stream: content frames, and milliseconds between two


class BlockedPrompt:
    async def inspect_request(self, step: Step) -> None:
        raise PromptBlocked

    async def inspect_reply(self, step: Step, reply: Reply) -> Reply:
        return reply


class BlockedReply:
    """Lets two frames through and then finds something."""

    async def inspect_request(self, step: Step) -> None: ...

    async def inspect_reply(self, step: Step, reply: Reply) -> Reply:
        reply.put(_BlockAtThird())
        return reply


class _BlockAtThird:
    def __init__(self) -> None:
        self.seen = 0

    def feed(self, data: bytes) -> bytes:
        self.seen += 1
        if self.seen > 2:
            raise ReplyBlocked
        return data

    def end(self) -> bytes:
        return b""


class Fault:
    """A programming error in a stage."""

    async def check(self, step: Step) -> None:
        raise ZeroDivisionError("planted")


class Hit:
    """A cache that always has the answer."""

    async def lookup(self, step: Step) -> Reply:
        body = Body()
        for number in range(3):
            body.feed(b"data: %d\n\n" % number)
        body.finish()
        headers: Headers = [(b"content-type", b"Content-Type", b"text/event-stream")]
        return Reply(200, b"OK", headers, body)

    def capture(self, step: Step, reply: Reply) -> Reply:
        return reply


class TwoSteps(Itinerary):
    """A step to a dead target before the live one, or before another dead one."""

    sees_body = lists = shows_step = False

    def __init__(self, live: CompiledGateway, dead: int, *, all_dead: bool) -> None:
        self.live = live
        self.dead = Origin(False, "127.0.0.1", dead)
        self.all_dead = all_dead

    def itinerary(self, ex: Exchange) -> Itinerary:
        self.live.routing.itinerary(ex)
        return self

    async def first(self, ex: Exchange) -> Step:
        ex.step.last = False
        ex.step.target = self._gone(ex.step)
        return ex.step

    async def after(self, step: Step, why: str) -> Step | None:
        if step.last:
            return None
        following = Step(step.ex, step.request, time.monotonic())
        following.index, following.options = 1, step.options
        following.target = self._gone(step) if self.all_dead else self._live(step)
        return following

    async def then(self, step: Step) -> Step | None:
        return None

    def exhausted(self) -> None:
        return None

    def _live(self, step: Step) -> Target:
        found = Exchange(step.request, 0.0)
        self.live.routing.itinerary(found)
        assert found.step.target is not None
        return found.step.target

    def _gone(self, step: Step) -> Target:
        return _at(self._live(step).upstream, self.dead).target(step.request.path)


def _at(upstream: Upstream, origin: Origin) -> Upstream:
    return Upstream(upstream.provider, f"http://{origin.host}:{origin.port}")


SITUATIONS = {  # gateway, control headers, status a client that stays sees, its outcome, upstream calls
    "all well": ("default", {}, 200, "answered"),
    "unknown gateway": ("unknown", {}, 400, "refused"),
    "not let in": ("closed", {}, 401, "refused"),
    "over the limit": ("full", {}, 429, "refused"),
    "prompt blocked": ("blocked", {}, 424, "refused"),
    "cache hit": ("cached", {}, 200, "answered"),
    "first target down": ("fallback", {}, 200, "answered"),
    "all down": ("dead", {}, 502, "failed"),
    "broken mid-stream": ("default", {"x-mock-cut-frames": "4"}, 200, "broken"),
    "reply blocked mid-stream": ("blocked-reply", {}, 200, "refused"),
    "programming error": ("fault", {}, 500, "bug"),
}
CLIENTS = ["stays", "leaves at chunk 0", "leaves at chunk 1", "leaves at chunk 2", "is cancelled"]
_ENDS = ("requests_begun", "answers_completed", "answers_cut", "aborted_by_peer")
STREAMS = {"all well", "first target down", "broken mid-stream", "reply blocked mid-stream"}


@dataclasses.dataclass
class House:
    server: Running
    provider: mock.MockServer
    sink: MemoryLogSink
    tickets: Tickets


def _situations(app: Application, tickets: Tickets, dead: int) -> Snapshot:
    change = dataclasses.replace
    found = app.snapshots.current.gateway(_anything())
    assert found is not None
    plain = change(found, limits=tickets)
    gateways = {
        "default": plain,
        "closed": change(plain, auth=Auth(app.keyring)),
        "full": change(plain, limits=Tickets(full=True)),
        "blocked": change(plain, guard=BlockedPrompt()),
        "cached": change(plain, cache=Hit()),
        "fallback": change(plain, routing=TwoSteps(plain, dead, all_dead=False)),
        "dead": change(plain, routing=TwoSteps(plain, dead, all_dead=True)),
        "blocked-reply": change(plain, guard=BlockedReply()),
        "fault": change(plain, policies=Fault()),
    }
    return Snapshot(2, {(ACCOUNT, name): gateway for name, gateway in gateways.items()})


class _Still:
    """A client that sends nothing."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def proceed(self) -> None: ...


def _anything() -> Exchange:
    request = Request(b"POST", b"/", [], RequestBody(_Still(), Bounds(hold=0, keep=0, limit=0, budget=Budget(0)), 0))
    request.account, request.gateway = ACCOUNT, "default"
    return Exchange(request, 0.0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]
) -> AsyncIterator[House]:
    provider = await mock.start()
    sink, tickets = MemoryLogSink(), Tickets()
    folder = tmp_path_factory.mktemp("line")
    config = folder / "penstock.toml"
    config.write_text(f'[providers.openai]\nbase_url = "{provider.url}/openai"\n')
    settings = load({}, {}, config)
    dead = unused_tcp_port_factory()
    place = await furnish(folder, {"default": {}}, ())
    async with running(settings, place, sink, adjust=lambda app: _situations(app, tickets, dead)) as server:
        yield House(server, provider, sink, tickets)
    await provider.stop()


async def _head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def _request(house: House, gateway: str, controls: dict[str, str], event: str) -> bytes:
    body = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'
    controls = {"x-mock-frames": str(FRAMES), "x-mock-pace": str(PACE), "cf-aig-event-id": event} | controls
    lines = "".join(f"{name}: {value}\r\n" for name, value in controls.items())
    path = f"/v1/{ACCOUNT}/{gateway}/openai/chat/completions"
    lines += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\n{lines}\r\n"
    return head.encode() + body


async def _chunks(reader: asyncio.StreamReader, count: int) -> None:
    for _ in range(count):
        size = int(await reader.readline(), 16)
        await reader.readexactly(size + 2)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("situation", "client"), list(itertools.product(SITUATIONS, CLIENTS)))
async def test_one_outcome_one_row_one_settlement_one_closed_upstream(
    house: House, situation: str, client: str
) -> None:
    gateway, controls, status, expected = SITUATIONS[situation]
    event = f"{situation} / {client}".replace(" ", "-")
    plane = house.server.app.plane
    calls = house.server.app.telemetry.calls.values
    counted, rows, reserved = sum(calls.values()), len(house.sink.records), house.tickets.reserved
    before = house.provider.stats()
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
    writer.write(_request(house, gateway, controls, event))
    streams = situation in STREAMS
    seen = b""
    try:
        if client == "is cancelled":
            await _until(lambda: len(plane.calls) == 1 or len(house.sink.records) > rows)
            running = list(plane.calls.values())
            for task in running:
                task.cancel()
            if running:
                seen = await reader.read()
        elif client == "leaves at chunk 0":
            await writer.drain()
            if streams:
                await _until(lambda: len(plane.calls) == 1)
        else:
            seen = await _head(reader)
            if client == "stays":
                seen += b"" if expected == "answered" and not streams else await _rest(reader, seen)
            elif streams:
                await _chunks(reader, int(client[-1]))
    finally:
        writer.close()
    await _until(lambda: not plane.calls and plane.connections == 0 and len(house.sink.records) > rows)
    await _until(lambda: house.server.app.transport.counts() == (0, house.provider.stats()["connections_open"]))
    await house.provider.until(lambda stats: stats.requests_running == 0)

    *before_it, row = house.sink.records[rows:]  # a row a step, under one event id
    assert [(one.step, one.outcome, one.event_id) for one in before_it] == [
        (number, "failed", event) for number in range(len(before_it))
    ]
    if client == "stays":
        assert len(before_it) == (situation in {"first target down", "all down"})
    assert sum(calls.values()) == counted + 1
    assert row.event_id == event
    if client == "stays":
        assert row.outcome == expected
        assert seen.startswith(b"HTTP/1.1 %d " % status)
        if streams:  # a last chunk only where all went well
            assert (b"0\r\n\r\n" in seen) == (expected == "answered")
    elif streams and client == "is cancelled":
        assert row.outcome == "cancelled"
    elif streams and client != "stays":
        assert row.outcome == "client_gone"
    else:  # it was over before the client could leave, or it left first
        assert row.outcome in {expected, "client_gone", "cancelled"}
    assert house.tickets.settled == house.tickets.reserved
    assert house.tickets.reserved - reserved <= 1
    assert house.server.app.transport.counts()[0] == 0
    assert plane.bounds.budget.used == 0
    _closed_at_the_provider(before, house.provider.stats(), situation, client)


def _closed_at_the_provider(before: dict[str, int], after: dict[str, int], situation: str, client: str) -> None:
    """The provider saw the one call that went to it end, and in which way."""
    begun, completed, cut, left = (after[name] - before[name] for name in _ENDS)
    assert begun == completed + cut + left  # a peer that left, unless the answer had come to its end before
    if situation not in STREAMS:
        assert begun == 0
    elif client in {"stays", "leaves at chunk 1", "leaves at chunk 2"}:
        assert begun == 1
    else:  # it may have ended before the provider was asked
        assert begun <= 1
    if begun and client == "stays" and situation != "reply blocked mid-stream":
        assert (completed, cut) == ((0, 1) if situation == "broken mid-stream" else (1, 0))


async def _rest(reader: asyncio.StreamReader, head: bytes) -> bytes:
    """The rest of an answer: to its last chunk, its length, or the cut."""
    if b"content-length:" in head.lower():
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return await reader.readexactly(length)
    try:
        return await reader.readuntil(b"0\r\n\r\n")
    except asyncio.IncompleteReadError as cut:
        return cut.partial


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)
