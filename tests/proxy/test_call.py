"""One call from its first step to its last, whoever ends it."""

import asyncio
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from penstock.core import tasks
from penstock.core.turns import Turns
from penstock.model.body import RequestBody
from penstock.providers.reading.base import STOPPED
from penstock.proxy.call import DataCall
from tests.kit.client import until
from tests.kit.house import house, request
from tests.kit.provider import answering, providing
from tests.kit.store import ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")

STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}'
STALL = {"x-mock-stall": "head"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house() as made:
        yield made
        await made.quiet()


class Owner:
    """A client's connection that only listens."""

    http10 = closing = False

    def __init__(self, plane):
        self.plane = plane
        self.cors = plane.cors
        self.transport = asyncio.Transport()
        self.written = b""
        self.cuts = self.done = 0

    def write(self, data):
        self.written += data

    def cut(self):
        self.cuts += 1

    def reads_from(self, source): ...
    def pause(self): ...
    def resume(self): ...
    def proceed(self): ...

    def answered(self, call):
        self.done += 1


def a_call(there, event, body=b"hello"):
    owner = Owner(there.server.app.plane)
    incoming = RequestBody(owner, owner.plane.bounds, len(body))
    headers = [(b"cf-aig-event-id", b"cf-aig-event-id", event.encode()), (b"x-mock-stall", b"x-mock-stall", b"head")]
    call = DataCall(owner, b"POST", f"/v1/{ACCOUNT}/default/openai/x".encode(), headers, incoming)
    incoming.feed(body)
    incoming.finish()
    return owner, call


async def test_a_call_that_never_began_leaves_nothing(there):
    rows = len(there.sink.records)
    owner, call = a_call(there, "never")
    assert owner.plane.bounds.budget.used == 5
    call.client_gone()
    assert (owner.plane.bounds.budget.used, owner.plane.calls, owner.done) == (0, {}, 0)
    assert len(there.sink.records) == rows


async def test_a_client_that_leaves_before_the_first_step_leaves_a_row_and_nothing_else(there):
    begun = there.mock.stats()["requests_begun"]
    owner, call = a_call(there, "at-once")
    call.start()
    call.client_gone()
    await until(lambda: owner.done)
    assert (owner.plane.bounds.budget.used, owner.plane.calls, owner.written) == (0, {}, b"")
    (row,) = [row for row in there.sink.records if row.outcome == "client_gone"][-1:]
    assert row.status_code == 0
    assert there.mock.stats()["requests_begun"] == begun


async def test_a_client_may_leave_twice(there):
    owner, call = a_call(there, "twice")
    call.start()
    await there.mock.until(lambda stats: stats.requests_running == 1)
    call.client_gone()
    call.client_gone()
    await until(lambda: owner.done)
    call.client_gone()
    assert (await there.row("twice")).outcome == "client_gone"
    assert owner.written == b""
    await there.mock.until(lambda stats: not stats.requests_running)


async def test_a_cancelled_call_says_so_where_nothing_was_said_yet(there):
    owner, call = a_call(there, "cancelled")
    call.start()
    await there.mock.until(lambda stats: stats.requests_running == 1)
    owner.plane.calls[call._ex].cancel()
    await until(lambda: owner.done)
    row = await there.row("cancelled")
    assert (row.outcome, row.status_code) == ("cancelled", 503)
    assert owner.written.startswith(b"HTTP/1.1 503 ")
    assert owner.cuts == 0


async def test_a_client_that_leaves_amid_a_large_body_costs_no_memory():
    """The provider fails right after the client has left, before the gateway has noticed that it did."""
    fail = asyncio.Event()

    async def stalls(peer):  # amid the TLS handshake
        await fail.wait()

    async with (
        providing(stalls) as provider,
        house(providers={"mistral": f"https://127.0.0.1:{provider.port}"}) as made,
    ):
        budget, hold = made.server.app.plane.bounds.budget, made.server.app.plane.bounds.hold
        async with made.client() as client:
            whole = request("mistral/v1/chat/completions", body=b"x" * 10 * hold, event="amid")
            await client.send(whole[: hold + (1 << 17)])
            await until(lambda: budget.used > hold and provider.open)
            client.close()
            fail.set()
            assert (await made.row("amid")).outcome in {"failed", "client_gone"}
        await made.quiet()
        assert budget.used == 0


async def test_calls_beyond_the_cap_are_refused_and_room_comes_back():
    async with house(max_calls=2) as small, small.client() as one, small.client() as two, small.client() as three:
        for client in (one, two):
            await client.send(request(headers=STALL, body=STREAM))
        await small.mock.until(lambda stats: stats.requests_running == 2)
        answer = await three.ask(request(body=STREAM, event="third"))
        assert answer.status == 503
        assert b'"code":2010' in answer.body
        assert int(answer.headers["retry-after"]) >= 1
        row = await small.row("third")
        assert (row.outcome, row.status_code) == ("refused", 503)
        one.close()
        await until(lambda: len(small.server.app.plane.calls) == 1)
        assert (await three.ask(request(body=STREAM))).status == 200


async def test_a_gateway_has_a_share_of_the_calls_and_leaves_the_rest_to_others():
    gateways = {"default": {}, "other": {}}
    async with house(gateways=gateways, max_calls=30) as small, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(small.client()) for _ in range(12)]
        *busy, late, other = clients
        for client in busy:
            await client.send(request(headers=STALL, body=STREAM))
        await small.mock.until(lambda stats: stats.requests_running == 10)
        answer = await late.ask(request(body=STREAM, event="late"))
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert (await small.row("late")).gateway == 1
        assert (await other.ask(request(gateway="other", body=STREAM))).status == 200
        busy[0].close()
        await until(lambda: len(small.server.app.plane.calls) == 9)
        assert (await late.ask(request(body=STREAM))).status == 200


ASKED = b'{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true}}'
ROW_ONLY = {"cf-aig-collect-log-payload": "false"}
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}\n\ndata: [DONE]\n\n'
EVENTS = b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n' * 2000 + USAGE
SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(EVENTS) + EVENTS


@pytest.fixture
def steps(monkeypatch):
    """What reads answers waits for the test."""
    held = []
    monkeypatch.setattr(Turns, "add", lambda _, step: held.append(step))
    return held


@pytest.mark.parametrize("stops", [False, True])
async def test_a_connection_does_not_wait_until_its_answer_is_read(steps, stops):
    async with (
        providing(answering(SSE)) as provider,
        house(providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        plane, rows = made.server.app.plane, made.sink.records
        large = request("openai/chat/completions", headers=ROW_ONLY, body=ASKED + b" " * 2_000_000)
        assert (await client.ask(large)).body == EVENTS
        assert (await client.ask(request(gateway="nowhere"))).status == 400
        await until(lambda: len(plane.calls) == 1)
        assert not [row for row in rows if row.response_size == len(EVENTS)]
        assert plane.bounds.budget.used == 0, "nor is its body held"
        if stops:
            plane.stopping = True
        else:
            for step in steps:
                while step():
                    pass
        await until(lambda: not plane.calls)
        (row,) = [row for row in rows if row.response_size == len(EVENTS)]
        assert (row.outcome, row.tokens_in, STOPPED.encode() in row.detail) == ("answered", None if stops else 3, stops)
        assert (await client.ask(request(gateway="nowhere"))).status in {400, 503}


async def test_tasks_know_whether_they_have_begun():
    async def work():
        await asyncio.Event().wait()

    task = tasks.spawn(asyncio.get_running_loop(), work())
    assert tasks.unbegun(task)
    await asyncio.sleep(0)
    assert not tasks.unbegun(task)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not tasks.unbegun(task)
