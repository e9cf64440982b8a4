"""What lies outside the data plane, on the same connections."""

import asyncio
import json

import pytest
import pytest_asyncio

from penstock.testing.house import house, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEALTH = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(body_timeout=0.3) as made:
        yield made
        await made.quiet()


async def test_both_planes_share_a_connection(there):
    async with there.client() as client:
        for _ in range(5):
            assert json.loads((await client.ask(HEALTH)).body) == {"status": "ok"}
            assert (await client.ask(request())).status == 200


@pytest.mark.parametrize(
    "path", ["/", "/v1x", "/v", "/v2/x", "/V1/a/b/c/d", "//v1/a/b/c/d", "*", "/%76%31/a/b/c/d", "/health"]
)
async def test_any_other_path_is_not_found_in_the_control_planes_words(there, path):
    async with there.client() as client:
        answer = await client.ask(f"OPTIONS {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        told = json.loads(answer.body)
        assert answer.status == 404
        assert (told["success"], told["errors"][0]["code"], told["result"]) == (False, 7003, None)
        assert (await client.ask(HEALTH)).status == 200


async def test_head_has_no_body(there):
    async with there.client() as client:
        answer = await client.ask(HEALTH.replace(b"GET", b"HEAD"))
        assert int(answer.headers["content-length"]) > 0
        assert json.loads((await client.ask(HEALTH)).body) == {"status": "ok"}


async def test_a_client_that_closes_is_closed(there):
    async with there.client() as client:
        answer = await client.ask(HEALTH.replace(b"host: x", b"host: x\r\nconnection: close"))
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""


async def test_an_old_client_is_answered_and_closed(there):
    async with there.client() as client:
        answer = await client.ask(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert json.loads(answer.body) == {"status": "ok"}
        assert await client.rest() == b""


@pytest.mark.parametrize("size", [5, 3_000_000])
async def test_a_body_that_nobody_wants_does_no_harm(there, size):
    async with there.client() as client:
        client.writer.write(b"POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)
        answer = await client.answer()
        assert answer.status == 405
        assert json.loads(answer.body)["success"] is False


async def test_a_body_that_does_not_arrive_does_not_keep_its_connection(there):
    async with there.client() as client:
        await client.send(b"POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc")
        assert (await client.answer()).status == 405
        await client.rest()


async def test_a_client_that_leaves_leaves_nothing_behind(there):
    for _ in range(10):
        async with there.client() as client:
            await client.send(b"POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc" + HEALTH)
    await there.quiet()
    assert not there.server.server.server_state.tasks


async def test_the_figures_tell_what_is_open(there):
    async with there.client() as client:
        await client.send(request(headers={"x-mock-stall": "head"}))
        await there.mock.until(lambda stats: stats.requests_running == 1)
        async with there.client() as other:
            text = (await other.ask(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")).body.decode()
        figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert float(figures["penstock_calls_in_flight"]) == 1
        assert float(figures["penstock_client_connections"]) == 2
        assert float(figures['penstock_upstream_connections{state="busy"}']) == 1
    await asyncio.sleep(0)
