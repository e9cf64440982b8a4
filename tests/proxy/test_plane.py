"""How a process stops: its calls, its connections, and what it says of itself meanwhile."""

import pytest

from tests.kit.client import connected, until
from tests.kit.house import house, request

STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}'
PACED = {"x-mock-frames": "20", "x-mock-pace": "20"}


async def test_running_calls_end_properly_idle_connections_close_and_new_ones_are_refused():
    async with house(stop_timeout=5) as made:
        async with made.client() as running, made.client() as idle:
            assert (await idle.ask(request(body=STREAM))).status == 200
            await running.send(request(headers=PACED, body=STREAM, event="last"))
            assert (await running.head()).status == 200
            made.server.server.should_exit = True
            assert await idle.rest() == b""
            with pytest.raises(ConnectionError):
                async with connected(made.server.port):
                    pass
            got = b""
            while piece := await running.chunk():
                got += piece
            assert got.endswith(b"data: [DONE]\n\n")
            assert await running.rest() == b""
        assert (await made.row("last")).outcome == "answered"
        await until(lambda: not made.server.app.plane.connections)


async def test_a_call_that_does_not_end_in_time_is_ended():
    async with house(stop_timeout=1) as made:
        async with made.client() as silent, made.client() as streaming:
            await silent.send(request(headers={"x-mock-stall": "head"}, body=STREAM, event="silent"))
            await streaming.send(request(headers={"x-mock-stall": "2"}, body=STREAM, event="streaming"))
            await made.mock.until(lambda stats: stats.requests_running == 2)
            assert (await streaming.head()).status == 200
            made.server.server.should_exit = True
            answer = await silent.answer()
            assert answer.status == 503
            assert b'"code":2010' in answer.body
            rest = await streaming.rest()
            assert not rest.endswith(b"0\r\n\r\n")
            assert b"[DONE]" not in rest
        for event in ("silent", "streaming"):
            assert (await made.row(event)).outcome == "cancelled"
        await made.mock.until(lambda stats: not stats.connections_open)


async def test_what_is_asked_on_a_connection_that_remains_while_stopping_is_not_begun():
    async with house(stop_timeout=5) as made, made.client() as client:
        await client.send(request(headers=PACED, body=STREAM))
        assert (await client.head()).status == 200
        made.server.server.should_exit = True
        await until(lambda: made.server.app.plane.stopping)
        assert made.server.app.unready() == "stopping"
        begun = made.mock.stats()["requests_begun"]
        await client.send(request(body=STREAM))
        while await client.chunk():
            pass
        answer = await client.answer()
        assert answer.status == 503
        assert b'"code":2010' in answer.body
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""
        assert made.mock.stats()["requests_begun"] == begun


async def test_a_stop_that_meets_calls_before_their_first_step_leaves_their_records_too():
    async with house() as made, made.client() as client:
        plane = made.server.app.plane
        await client.send(b"".join(request(headers={"x-mock-stall": "head"}, body=STREAM) for _ in range(3)))
        await until(lambda: plane.calls)
        await plane.stop()
        assert not plane.calls
        assert {row.outcome for row in made.sink.records} <= {"cancelled", "refused"}
        await made.quiet()
        assert not plane.calls
