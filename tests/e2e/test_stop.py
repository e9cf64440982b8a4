"""Signals, sent to a real server while calls run."""

import asyncio
import signal
from contextlib import AsyncExitStack

import pytest

from tests.kit.client import connected
from tests.kit.house import request
from tests.kit.process import serving
from tests.kit.server import ACCOUNT

STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'
PACED = {"x-mock-frames": "30", "x-mock-pace": "40"}
STALLED = {"x-mock-frames": "30", "x-mock-stall": "3"}
READY = b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n"


def a_server(tmp_path, **environ):
    """A server whose account is that of ``request``."""
    return serving(tmp_path / "data", environ={"PENSTOCK_ACCOUNT_ID": ACCOUNT} | environ)


async def stopping(client):
    """Returns the answer with which /readyz says, on a connection kept open, that the stop has begun."""
    async with asyncio.timeout(10):
        while (answer := await client.ask(READY)).status == 200:
            await asyncio.sleep(0.01)
    return answer


def outcomes(rows):
    return sorted(row["outcome"] for row in rows)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.deep)])
async def test_running_calls_end_whole_and_new_ones_are_refused(tmp_path, number):
    async with AsyncExitStack() as opened, a_server(tmp_path) as server:
        enter = opened.enter_async_context
        streams = [await enter(connected(server.port)) for _ in range(8)]
        probe, idle, upload = [await enter(connected(server.port)) for _ in range(3)]
        assert (await probe.ask(READY)).status == 200
        for stream in streams:
            await stream.send(request(headers=PACED, body=STREAM))
        heads = [await stream.head() for stream in streams]
        whole = request(headers={"x-mock-echo": "body"}, body=b"x" * 1000)
        await upload.send(whole[:-500])

        server.send(number)
        said = await stopping(probe)
        assert (said.status, said.headers["connection"]) == (503, "close")
        assert b"stopping" in said.body
        assert (await server.get("/healthz"))[0] == 200
        for client in (idle, await enter(connected(server.port))):  # one that was open before, and a new one
            refused = await client.ask(request())
            assert (refused.status, refused.headers["connection"]) == (503, "close")
            assert b'"internalCode":2010' in refused.body
            assert b"stopping" in refused.body
            assert "retry-after" in refused.headers
            assert await client.rest() == b""
        await upload.send(whole[-500:])
        assert (await upload.answer()).body == b"x" * 1000

        assert [head.status for head in heads] == [200] * 8
        for stream in streams:
            rest = await stream.rest()
            assert b"data: [DONE]" in rest
            assert rest.endswith(b"0\r\n\r\n")
        assert await server.ended() == 0
        rows = await server.rows()
        assert outcomes(rows) == ["answered"] * 9 + ["refused"] * 2
        assert server.said == ""


async def test_what_runs_longer_than_the_limit_is_cut_and_logged(tmp_path):
    async with AsyncExitStack() as opened, a_server(tmp_path, PENSTOCK_STOP_TIMEOUT="0.3") as server:
        enter = opened.enter_async_context
        begun, waiting = await enter(connected(server.port)), await enter(connected(server.port))
        await begun.send(request(headers=STALLED, body=STREAM, event="begun"))
        await begun.head()
        await waiting.send(request(headers={"x-mock-stall": "head"}, event="waiting"))
        while (await server.metrics())["penstock_calls_in_flight"] < 2:
            pass
        assert await server.stop() == 0
        assert b"0\r\n\r\n" not in await begun.rest()  # no proper end
        answer = await waiting.answer()
        assert (answer.status, answer.whole) == (503, True)
        rows = {row["event_id"]: row for row in await server.rows()}
        assert [rows[event]["outcome"] for event in ("begun", "waiting")] == ["cancelled", "cancelled"]
        assert (rows["begun"]["status_code"], rows["begun"]["success"]) == (200, False)


async def test_a_second_sigint_ends_at_once(tmp_path):
    async with a_server(tmp_path) as server, connected(server.port) as stream, connected(server.port) as probe:
        assert (await probe.ask(READY)).status == 200
        await stream.send(request(headers=STALLED, body=STREAM))
        await stream.head()
        server.send(signal.SIGINT)
        await stopping(probe)
        assert await server.stop(signal.SIGINT) == 130
        assert outcomes(await server.rows()) == ["cancelled"]


async def test_a_second_sigterm_does_not(tmp_path):
    async with a_server(tmp_path) as server, connected(server.port) as stream, connected(server.port) as probe:
        assert (await probe.ask(READY)).status == 200
        await stream.send(request(headers=PACED, body=STREAM))
        await stream.head()
        server.send(signal.SIGTERM)
        await stopping(probe)
        assert await server.stop() == 0
        assert b"data: [DONE]" in await stream.rest()
        assert outcomes(await server.rows()) == ["answered"]


async def test_idle_connections_hold_nothing_up(tmp_path):
    async with a_server(tmp_path, PENSTOCK_STOP_TIMEOUT="600") as server, connected(server.port) as idle:
        assert (await idle.ask(READY)).status == 200
        assert await server.stop() == 0
        assert await idle.rest() == b""


async def test_every_row_is_written_before_the_process_ends(tmp_path):
    async with a_server(tmp_path) as server, connected(server.port) as client:
        for _ in range(100):
            assert (await client.ask(request())).status == 200
        assert await server.stop() == 0
        assert outcomes(await server.rows()) == ["answered"] * 100


async def test_sighup_says_that_nothing_is_read_again(tmp_path):
    async with a_server(tmp_path) as server, connected(server.port) as client:
        server.send(signal.SIGHUP)
        assert (await client.ask(request())).status == 200
        assert "SIGHUP" in server.said
        assert server.said.count("\n") == 1
        assert await server.stop() == 0


async def test_no_process_is_left_behind(tmp_path):
    async with a_server(tmp_path) as server:
        writer, (provider,) = server.writer, server.children("penstock.mock")
        await server.kill()
        async with asyncio.timeout(10):
            while writer.is_running() or provider.is_running():
                await asyncio.sleep(0.02)
