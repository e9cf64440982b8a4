"""Calls of several steps times client behaviours, over real sockets: in each cell one outcome and one settlement of the
call, one row for each step that ran, and nothing left open.
"""

import asyncio
import dataclasses
import gzip
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any, NamedTuple, cast

import pytest
import pytest_asyncio

from penstock.app import Application
from penstock.backends.counters.memory import MemoryCounters
from penstock.core import ids
from penstock.core.codec import decode
from penstock.core.errors import PromptBlocked, ReplyBlocked
from penstock.core.key_uses import KeyUses
from penstock.core.retry_budget import RetryBudget
from penstock.features.calls import Calls
from penstock.features.key_gate import KeyGate
from penstock.gateway.snapshot import Snapshot
from penstock.model.record import LogRecord
from penstock.model.reply import Reply
from penstock.model.step import Step
from tests.kit.client import Answer, until
from tests.kit.house import House, house
from tests.kit.provider import Peer, Provider, providing
from tests.kit.store import ACCOUNT
from tests.kit.tickets import Tickets

FAR = "60000"  # milliseconds that no test waits
ERROR = b'{"error":{"message":"no","type":"server_error"}}'
CHAT = b'{"object":"chat.completion","model":"m","choices":[{"index":0,"message":{"content":"hello"}}]}'
LARGE = b'{"error":"' + Random(1).randbytes(20_000).hex().encode() + b'"}'  # more than is read at once
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"hello " * 150 + b'"}}]}\n\n'
LAST = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


class Script:
    """A provider that does what the header ``x-does`` of a request says. ``asked``: what was asked for, by event."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.go_on = asyncio.Event()  # what "held" waits for

    async def __call__(self, peer: Peer) -> None:
        while True:
            request = await peer.request()
            found = re.search(rb"x-does: (.*?)\r\n", request)
            event = re.search(rb"x-event: (.*?)\r\n", request)
            assert found is not None
            assert event is not None
            self.asked.append((event[1].decode(), found[1].decode()))
            await self._do(peer, found[1].decode())

    async def _do(self, peer: Peer, what: str) -> None:
        match what:
            case "whole":
                await peer.say(_head(200, len(CHAT)) + CHAT)
            case "held":
                await self.go_on.wait()
                await peer.say(_head(200, len(CHAT)) + CHAT)
            case "slow":
                await asyncio.sleep(0.1)
                await peer.say(_head(200, len(CHAT)) + CHAT)
            case "held error":
                await self.go_on.wait()
                await peer.say(_head(503, len(ERROR)) + ERROR)
            case "held break":
                await self.go_on.wait()
                await peer.say(b"HTTP/1.1 ")
                raise ConnectionError
            case "stream":
                await peer.say(_head(200, None, b"text/event-stream"))
                for _ in range(3000):  # more than the buffers on the way take
                    await peer.say(_chunk(EVENT))
                await peer.say(_chunk(LAST) + b"0\r\n\r\n")
            case "cut":
                await peer.say(_head(200, None, b"text/event-stream") + _chunk(EVENT))
                raise ConnectionError
            case "error":
                await peer.say(_head(503, len(ERROR)) + ERROR)
            case "final error":
                await peer.say(_head(404, len(ERROR)) + ERROR)
            case "error, gzip":
                body = gzip.compress(ERROR)
                await peer.say(_head(503, len(body), b"application/json\r\ncontent-encoding: gzip") + body)
            case "large error, gzip":
                body = gzip.compress(LARGE)
                await peer.say(_head(503, len(body), b"application/json\r\ncontent-encoding: gzip") + body)
            case "error, its body coming":
                await peer.say(_head(503, len(ERROR)) + ERROR[:9])
                await peer.gone()
            case "error without end":
                await peer.say(_head(503, None))
                while True:
                    await peer.say(_chunk(b"x" * 60_000))
            case "break":  # after a byte, so that nobody takes it for an idle connection that was closed
                await peer.say(b"HTTP/1.1 ")
                raise ConnectionError
            case _:  # "stall"
                await peer.gone()


def _head(status: int, length: int | None, kind: bytes = b"application/json") -> bytes:
    framing = b"transfer-encoding: chunked" if length is None else b"content-length: %d" % length
    return b"HTTP/1.1 %d \r\ncontent-type: %b\r\n%b\r\n\r\n" % (status, kind, framing)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def step(does: str = "whole", provider: str = "openai", /, **more: Any) -> dict[str, Any]:
    """A step to the scripted provider, or to one that cannot be reached."""
    headers = {"x-does": does} | more.pop("headers", {})
    return {"provider": provider, "endpoint": "chat/completions", "headers": headers, "query": {"model": "m"}} | more


Row = tuple[int, str, int]  # status, outcome, attempts
SOON = {"requestTimeout": 40}
TWICE = {"maxAttempts": 2, "retryDelay": 0}
DEAD = step("", "groq")
UNREACHED = BROKE = (502, "failed", 1)
TIMED_OUT, FAILED = (504, "failed", 1), (503, "answered", 1)
WELL, REFUSED = (200, "answered", 1), (400, "refused", 0)


class Situation(NamedTuple):
    """``answer``: status and number of the step that answers. ``rows``: of each step, for a client that stays."""

    steps: list[dict[str, Any]]
    answer: tuple[int, int]
    rows: list[Row]
    gateway: str = "default"
    outcome: str = "answered"


SITUATIONS = {
    "first refuses connections": Situation([DEAD, step()], (200, 1), [UNREACHED, WELL]),
    "first breaks off": Situation([step("break"), step()], (200, 1), [BROKE, WELL]),
    "first is too slow": Situation([step("stall", config=SOON), step()], (200, 1), [TIMED_OUT, WELL]),
    "error, then a stream": Situation([step("error"), step("stream")], (200, 1), [FAILED, WELL]),
    "error in gzip": Situation([step("error, gzip"), step("stream")], (200, 1), [FAILED, WELL]),
    "error whose body is coming": Situation([step("error, its body coming"), step()], (200, 1), [FAILED, WELL]),
    "error without end": Situation([step("error without end"), step("stream")], (200, 1), [FAILED, WELL]),
    "each fails otherwise": Situation(
        [DEAD, step("error"), step("break"), step("stall", config=SOON), step("error without end"), step("stream")],
        (200, 5),
        [UNREACHED, FAILED, BROKE, TIMED_OUT, FAILED, WELL],
    ),
    "all fail, the first with an answer": Situation(
        [step("final error"), DEAD, step("nobody", "nobody")],
        (404, 0),
        [(404, "answered", 1), UNREACHED, REFUSED],
    ),
    "all fail, the last with an answer": Situation(
        [step("error"), step("error, gzip"), step("final error")], (404, 2), [FAILED, FAILED, (404, "answered", 1)]
    ),
    "all fail without an answer": Situation([DEAD, step("break")], (502, 1), [UNREACHED, BROKE], outcome="failed"),
    "all are refused": Situation(
        [step("", "nobody"), step(endpoint="a/../b")], (502, 1), [REFUSED, REFUSED], outcome="failed"
    ),
    "an unknown provider": Situation([step("", "nobody"), step("stream")], (200, 1), [REFUSED, WELL]),
    "a bad path": Situation([step(endpoint="a/%2e%2e/b"), step()], (200, 1), [REFUSED, WELL]),
    "options that nobody understands": Situation(
        [step("error", headers={"cf-aig-max-attempts": "many"}, config={"backoff": "x"}), step()],
        (200, 1),
        [FAILED, WELL],
    ),
    "no list of steps": Situation([{}], (400, 0), [(400, "refused", 0)], outcome="refused"),
    "a stream that breaks": Situation(
        [DEAD, step("cut"), step()], (200, 1), [UNREACHED, (200, "broken", 1)], outcome="broken"
    ),
    "retries before the next step": Situation(
        [step("error", config=TWICE), step("break", config=TWICE), step("stream", config=TWICE)],
        (200, 2),
        [(503, "answered", 2), (502, "failed", 2), WELL],
    ),
    "retries, then no step": Situation(
        [step("break", config=TWICE), step("error", config=TWICE)],
        (503, 1),
        [(502, "failed", 2), (503, "answered", 2)],
    ),
    "the last attempt waits": Situation(
        [step("stall", config=SOON), step("slow", config=SOON)], (200, 1), [TIMED_OUT, WELL]
    ),
    "the only attempt has its limit": Situation(
        [step("", "nobody"), step("slow", config=SOON)], (502, 1), [REFUSED, TIMED_OUT], outcome="failed"
    ),
    "a fault in a step": Situation(
        [step("error"), step(), step()], (500, 1), [FAILED, (500, "bug", 0)], "faulty", "bug"
    ),
    "a fault at the end of a step": Situation(
        [step("error"), step()], (200, 1), [FAILED, (200, "bug", 1)], "faulty-end", "bug"
    ),
    "over the limit": Situation([step(), step()], (429, 0), [(429, "refused", 0)], "full", "refused"),
    "prompt blocked": Situation([step(), step()], (424, 0), [(424, "refused", 0)], "blocked", "refused"),
    "prompt blocked at the second": Situation(
        [step("error"), step(), step()], (424, 1), [FAILED, (424, "refused", 0)], "blocked-later", "refused"
    ),
    "answer blocked": Situation(
        [step("error"), step(), step()], (424, 1), [FAILED, (424, "refused", 1)], "blocked-reply", "refused"
    ),
}
CLIENTS = ["stays", "reads slowly", "leaves at the head", "leaves at once"]


class Blocked:
    """Blocks the prompts of all steps from this one on, or the answers of those that succeed."""

    def __init__(self, *, prompts: int = 99, answers: bool = False) -> None:
        self._prompts = prompts
        self._answers = answers

    async def inspect_request(self, step: Step) -> None:
        if step.index >= self._prompts:
            raise PromptBlocked

    async def inspect_reply(self, step: Step, reply: Reply) -> Reply:
        if self._answers and reply.status == 200:
            raise ReplyBlocked
        return reply


class Fault:
    """A programming error in the second step, or at the end of the first."""

    def __init__(self, *, late: bool) -> None:
        self._late = late

    async def check(self, step: Step) -> None:
        if step.index == 0 and self._late:
            step.defer(self._fail)
        elif step.index == 1 and not self._late:
            self._fail(step)

    def _fail(self, _: Step) -> None:
        raise ZeroDivisionError("planted")


class Line:
    """A house with its script, and what was counted before a call."""

    def __init__(self, made: House, script: Script, provider: Provider, tickets: Tickets) -> None:
        self.house = made
        self.script = script
        self.provider = provider
        self.tickets = tickets
        self._seen = 0, 0  # calls, and places that they took
        self._calls = made.server.app.telemetry.calls.values

    def outcomes(self) -> dict[str, int]:
        """Of all calls so far."""
        counted: dict[str, int] = {}
        for (*_, outcome), number in self._calls.items():
            counted[outcome] = counted.get(outcome, 0) + number
        return counted

    async def over(self, event: str, before: dict[str, int]) -> tuple[str, list[LogRecord]]:
        """The call's outcome and rows, once it is over. Checks that nothing of it is left."""
        await self.house.quiet()
        ended = {word: number - before.get(word, 0) for word, number in self.outcomes().items()}
        (outcome,) = [word for word, number in ended.items() if number]
        assert ended[outcome] == 1
        assert self.tickets.settled == self.tickets.reserved
        counted, reserved, calls = *self._seen, sum(self.outcomes().values())
        assert self.tickets.reserved - reserved <= calls - counted  # once a call, whatever its steps
        self._seen = calls, self.tickets.reserved
        active, idle = self.house.server.app.transport.counts()
        assert active == 0
        await until(lambda: self.provider.open == idle)  # the others are closed
        rows = [row for row in self.house.sink.records if row.event_id == event]
        assert [row.step for row in rows] == list(range(len(rows)))
        assert len({row.id for row in rows}) == len(rows)
        return outcome, rows


def _gateways(app: Application, tickets: Tickets) -> Snapshot:
    snapshot = app.snapshots.current
    (found,) = [gateway for (_, name), gateway in snapshot._gateways.items() if name == "default"]
    (cached,) = [gateway for (_, name), gateway in snapshot._gateways.items() if name == "cached"]
    change = dataclasses.replace
    ages = itertools.count(0, 100)  # seconds: each call has a budget of its own
    gate = KeyGate(MemoryCounters(), KeyUses())
    calls = Calls(app.transport, 60.0, RetryBudget(lambda: float(next(ages))), app.telemetry, gate)
    plain = change(found, limits=tickets, calls=calls)
    gateways = {
        "default": plain,
        "cached": change(cached, limits=tickets),
        "faulty": change(plain, policies=Fault(late=False)),
        "faulty-end": change(plain, policies=Fault(late=True)),
        "full": change(plain, limits=Tickets(full=True)),
        "blocked": change(plain, guard=Blocked(prompts=0)),
        "blocked-later": change(plain, guard=Blocked(prompts=1)),
        "blocked-reply": change(plain, guard=Blocked(answers=True)),
    }
    return Snapshot(2, {(ACCOUNT, name): gateway for name, gateway in gateways.items()})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(unused_tcp_port_factory: Callable[[], int]) -> AsyncIterator[Line]:
    script, tickets = Script(), Tickets()
    async with providing(script) as provider:
        at = {"openai": provider.url, "groq": f"http://127.0.0.1:{unused_tcp_port_factory()}"}
        gateways: dict[str, dict[str, Any]] = {"default": {}, "cached": {"cache_ttl": 60}}
        async with house(providers=at, gateways=gateways, adjust=lambda app: _gateways(app, tickets)) as made:
            yield Line(made, script, provider, tickets)


def universal(steps: list[dict[str, Any]], event: str, gateway: str = "default", **headers: str) -> bytes:
    told = [one | {"headers": {"x-event": event} | one["headers"]} if one else one for one in steps]
    body = json.dumps(told).encode()
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"POST /v1/{ACCOUNT}/{gateway} HTTP/1.1\r\nhost: x\r\ncf-aig-event-id: {event}\r\n{lines}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("name", "client"), list(itertools.product(SITUATIONS, CLIENTS)))
async def test_one_outcome_one_settlement_one_row_a_step_and_nothing_left(line: Line, name: str, client: str) -> None:
    situation, event, before = SITUATIONS[name], f"{name}/{client}".replace(" ", "-"), line.outcomes()
    plane = line.house.server.app.plane
    answer: Answer | None = None
    async with line.house.client(limit=1 << 12) as calling:
        calling.writer.write(universal(situation.steps, event, situation.gateway))
        if client == "leaves at once":
            await until(lambda: line.outcomes() != before or plane.calls)
        elif client == "leaves at the head":
            answer = await calling.head()
        else:
            if client == "reads slowly":
                calling.deafen()
                await until(lambda: line.outcomes() != before or any(call.begun for call in plane.calls))
                calling.undeafen()
            answer = await calling.answer()
    outcome, rows = await line.over(event, before)
    seen = [(row.status_code, row.outcome, len(_attempts(row))) for row in rows]
    if client in {"stays", "reads slowly"}:
        assert (outcome, seen) == (situation.outcome, situation.rows)
    else:  # it left before the answer's end, or was too late for that
        *whole, last = seen
        assert whole == situation.rows[: len(whole)]
        # a call that a fault ends before its client has anything is a 500, and one that had begun is not
        assert last[1] == "client_gone" or last[1:] == situation.rows[len(whole)][1:]
        assert outcome in {situation.outcome, "client_gone"}
    if answer is not None:
        status, number = situation.answer
        assert (answer.status, answer.headers["cf-aig-step"]) == (status, str(number))
        assert answer.headers["cf-aig-log-id"] == ids.text(rows[number].id)


def _attempts(row: LogRecord) -> list[dict[str, Any]]:
    return decode(row.detail).get("attempts", [])


def _waits(line: Line, event: str, index: int = 1) -> Callable[[], bool]:
    """Whether the call of that event waits in that step for a provider."""
    calls = line.house.server.app.plane.calls
    return lambda: any(call.event_id == event and call.step.index == index and call.step.attempts for call in calls)


BETWEEN = {
    "before the next head": [step("error, its body coming"), step("stall")],
    "in a delay": [step("error, its body coming"), step("error", config=TWICE | {"retryDelay": int(FAR)})],
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("when", BETWEEN)
@pytest.mark.parametrize("end", ["client_gone", "cancelled"])
async def test_a_call_that_ends_between_steps_leaves_a_row_of_each(line: Line, when: str, end: str) -> None:
    event, before = f"{when}/{end}".replace(" ", "-"), line.outcomes()
    plane = line.house.server.app.plane
    async with line.house.client() as calling:
        calling.writer.write(universal(BETWEEN[when], event))
        await until(_waits(line, event))
        if when == "in a delay":
            await until(lambda: any(call.step.attempts[-1].status for call in plane.calls))
        if end == "cancelled":
            for task in plane.calls.values():
                task.cancel()
            answer = await calling.answer()
            assert (answer.status, answer.headers["cf-aig-step"]) == (503, "1")
    outcome, (first, second) = await line.over(event, before)
    assert outcome == second.outcome == end
    assert (first.status_code, first.outcome, first.response) == (503, "answered", ERROR[:9])
    assert len(_attempts(second)) == 1


@pytest.mark.asyncio(loop_scope="module")
async def test_a_provider_waits_while_its_endless_error_is_not_needed(line: Line) -> None:
    before = line.outcomes()
    line.script.go_on.clear()
    async with line.house.client() as calling:
        calling.writer.write(universal([step("error without end"), step("held")], "endless"))
        await until(_waits(line, "endless"))
        (call,) = line.house.server.app.plane.calls
        assert call.steps[0].reply is not None
        wire = cast("Any", call.steps[0].reply.body)._wire
        await until(lambda: wire._paused)
        line.script.go_on.set()
        assert (await calling.answer()).status == 200
    _, (first, _) = await line.over("endless", before)
    assert first.response


@pytest.mark.asyncio(loop_scope="module")
async def test_a_large_error_of_a_failed_step_is_in_its_row(line: Line) -> None:
    before = line.outcomes()
    async with line.house.client() as calling:
        answer = await calling.ask(universal([step("large error, gzip"), step()], "large-error"))
        assert answer.status == 200
    _, (row, _) = await line.over("large-error", before)
    assert row.response == LARGE
    assert "warnings" not in decode(row.detail)


@pytest.mark.asyncio(loop_scope="module")
async def test_each_step_says_whether_it_is_logged(line: Line) -> None:
    async with line.house.client() as calling:
        unlogged = step(headers={"cf-aig-collect-log": "false"})
        answer = await calling.ask(universal([step("error"), unlogged], "unlogged"))
        assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
        assert "cf-aig-log-id" not in answer.headers
    await line.house.quiet()
    assert (await line.house.row("unlogged")).step == 0


SHARED = {"x-event": "shared"}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_later_step_is_answered_from_the_cache(line: Line) -> None:
    cached = step(headers=SHARED)
    async with line.house.client() as calling:
        assert (await calling.ask(universal([cached], "fill", "cached"))).headers["cf-aig-cache-status"] == "MISS"
        before, asked = line.outcomes(), len(line.script.asked)
        answer = await calling.ask(universal([DEAD, cached], "hit", "cached"))
        assert (answer.headers["cf-aig-cache-status"], answer.headers["cf-aig-step"]) == ("HIT", "1")
    outcome, (_, row) = await line.over("hit", before)
    assert (outcome, row.cached, row.cost, _attempts(row)) == ("answered", True, 0, [])
    assert answer.headers["cf-aig-log-id"] == ids.text(row.id)
    assert len(line.script.asked) == asked


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("does", "config", "asked", "last"),
    [
        ("held", {}, 1, (200, "answered", 0)),
        ("held error", {}, 2, (503, "answered", 1)),
        ("held break", {}, 2, (502, "failed", 1)),
        ("held", SOON, 2, (200, "answered", 1)),  # the last attempt waits without a limit
    ],
)
async def test_a_later_step_follows_a_call_that_runs(
    line: Line, does: str, config: dict[str, int], asked: int, last: Row
) -> None:
    key = {"x-event": f"shared-{does}-{len(config)}".replace(" ", "-")}
    event = key["x-event"] + "-follows"
    line.script.go_on.clear()
    async with line.house.client() as leading, line.house.client() as following:
        leading.writer.write(universal([step(does, headers=key)], "leads", "cached"))
        await until(lambda: (key["x-event"], does) in line.script.asked)
        (leader,) = line.house.server.app.plane.calls
        flight = leader.step.flight
        assert flight is not None
        following.writer.write(universal([DEAD, step(does, headers=key, config=config)], event, "cached"))
        await until(lambda: flight._waiting)
        if config:
            await until(lambda: line.script.asked.count((key["x-event"], does)) == 2)
        line.script.go_on.set()
        await leading.answer()
        answer = await following.answer()
    await line.house.quiet()
    first, second = await line.house.rows(event, 2)
    assert [first.status_code, first.outcome] == [502, "failed"]
    assert (second.status_code, second.outcome, len(_attempts(second))) == last
    assert (answer.status, answer.headers["cf-aig-step"]) == (last[0], "1")
    assert line.script.asked.count((key["x-event"], does)) == asked


@pytest.mark.asyncio(loop_scope="module")
async def test_no_step_follows_for_a_client_that_left_while_others_waited(line: Line) -> None:
    key = {"x-event": "left"}
    line.script.go_on.clear()
    before = line.outcomes()
    async with line.house.client() as following:
        async with line.house.client() as leading:
            leading.writer.write(universal([step("held break", headers=key), step()], "left-leader", "cached"))
            await until(_waits(line, "left-leader", 0))
            (leader,) = line.house.server.app.plane.calls
            flight = leader.step.flight
            assert flight is not None
            following.writer.write(universal([step("held break", headers=key)], "left-follower", "cached"))
            await until(lambda: flight._waiting)
        await until(lambda: leader.client_gone)
        line.script.go_on.set()
        assert (await following.answer()).status == 502
    await line.house.quiet()
    (row,) = await line.house.rows("left-leader")
    assert row.outcome == "failed"
    assert line.outcomes()["client_gone"] == before.get("client_gone", 0) + 1
    assert ("left-leader", "whole") not in line.script.asked


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("gateway", ["default", "full"])
async def test_a_list_that_was_not_read_is_not_in_the_row_for_it_holds_credentials(line: Line, gateway: str) -> None:
    event = f"unread-{gateway}"
    broken = step(headers={"authorization": "Bearer sk-secret", "x-bad": ["no header"]})
    async with line.house.client() as calling:
        assert (await calling.ask(universal([broken], event, gateway))).status in {400, 429}
    assert (await line.house.row(event)).request is None
