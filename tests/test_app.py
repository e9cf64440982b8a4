"""What the parts make together that none of them promises alone."""

import asyncio
import gc

import uvloop

from penstock.core.telemetry import METRICS
from penstock.model.exchange import Exchange
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Origin
from penstock.proxy.ingress import ClientConnection
from tests.kit.client import until
from tests.kit.house import ACCOUNT, house, request


async def test_everything_that_is_measured_is_shown():
    async with house() as h, h.client() as client:
        assert (await client.ask(request(event="one"))).status == 200
        await h.row("one")
        text = (await client.ask(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")).body.decode()
    assert [row.name for row in METRICS if f"# TYPE {row.name.removesuffix('_total')}" not in text] == []
    assert (
        f'penstock_calls_total{{account="{ACCOUNT}",gateway="default",outcome="answered",provider="openai"}} 1.0'
        in text
    )
    assert "penstock_client_connections 1.0" in text
    assert 'penstock_upstream_connections{state="idle"} 1.0' in text


async def test_the_bytes_of_answers_are_bounded_over_all_gateways_and_calls():
    gateways = {"default": {}, "other": {}}
    async with house(gateways=gateways, answer_memory=2000) as h, h.client() as client, h.client() as held:
        await held.send(request(headers={"x-mock-stall": "2"}, body=STREAM, event="held"))
        await held.head()
        app = h.server.app
        assert app.answers.limit == 2000
        await until(lambda: app.answers.used)
        text = (await client.ask(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")).body.decode()
        assert "penstock_held_answer_bytes 0.0" not in text
        app.answers.limit = app.answers.used
        for body in (STREAM, CALL):
            answer = await client.ask(request(gateway="other", body=body, event=str(len(body))))
            assert answer.status == 200
            row = await h.row(str(len(body)))
            assert (row.outcome, row.response) == ("answered", None)
            assert b"answer_memory" in row.detail
        held.reset()
        assert (await h.row("held")).response
        assert app.answers.used == 0


async def test_every_account_has_every_gateway_of_the_configuration():
    gateways = {"default": {}, "quiet": {"collect_logs": False}}
    async with house(gateways=gateways) as h, h.client() as client:
        answer = await client.ask(request(gateway="quiet", event="unseen"))
        assert (answer.status, "cf-aig-log-id" in answer.headers) == (200, False)
        assert (await client.ask(request(event="seen"))).status == 200
        await h.row("seen")
        assert [row.event_id for row in h.sink.records] == ["seen"]


async def test_it_says_that_it_listens_when_it_does():
    said = []
    async with house(adjust=lambda app: said.append(app.plane.stopping)) as h, h.client() as client:
        assert (await client.ask(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")).status == 200
    assert said == [False]


async def test_a_call_that_comes_in_the_moment_of_the_stop_leaves_its_row_too():
    async with house() as h, h.client() as client:
        assert (await client.ask(request())).status == 200
        (connection,) = h.server.server.server_state.connections
        connection.data_received(request(event="early"))  # its task is there, and has not run
        await h.server.app.plane.stop()
        answer = await client.answer()
        assert answer.status == 503
        assert b"stopping" in answer.body
        assert (await h.row("early")).outcome == "refused"
        assert not h.server.app.plane.calls


CALL = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}'
STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'


async def _calls_of_all_kinds():
    """Calls that end well and badly, and clients that leave as soon as they have asked; what is alive after them."""
    async with house(pool_size=0) as h:
        for number in range(60):
            async with h.client() as client:
                await client.send(request(event=f"left-{number}"))
                await asyncio.sleep(0.0003 * (number % 10))
                client.reset()
        for controls in ({}, {"x-mock-cut-frames": "2"}, {"x-mock-reset": "1"}, {"x-mock-encoding": "gzip"}):
            async with h.client() as client:
                await client.ask(request(headers=controls, body=STREAM))
            async with h.client() as client:
                await client.send(request(headers=controls | {"x-mock-stall": "2"}, body=STREAM))
                await client.head()
        async with h.client() as client:
            await client.send(request(body=b"x" * 1000)[:-10])
        await h.quiet()
        await until(lambda: not h.server.app.plane.deadlines.watched)
        return [type(one).__name__ for one in gc.get_objects() if isinstance(one, Exchange | ClientConnection)]


def test_a_call_holds_nothing_in_circles_and_a_client_that_leaves_leaves_nothing():
    gc.collect()
    gc.disable()
    try:
        assert uvloop.run(_calls_of_all_kinds()) == []  # the loop that serves
    finally:
        gc.enable()


async def _connects_given_up_at_every_moment():
    """What is still watched after calls that were cancelled while their connection was being made."""
    async with house(pool_size=0) as h:
        app, origin = h.server.app, Origin(False, "127.0.0.1", h.mock.port, trusted=True)
        for steps in range(40):
            asked = Outgoing(origin, b"GET", b"x", b"/openai/models")
            task = app.tasks.start("send", app.transport.send(asked, 5.0))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not task.cancelled():
                task.result().body.close()
        await h.quiet()
        await until(lambda: app.transport.counts() == (0, 0))
        await until(lambda: not h.mock.stats()["connections_open"])
        return app.plane.deadlines.watched


def test_a_connection_that_nobody_waits_for_any_more_is_forgotten():
    assert uvloop.run(_connects_given_up_at_every_moment()) == set()
