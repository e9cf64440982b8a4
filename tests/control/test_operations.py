"""The paths that tell how the process is."""

import json

import pytest
import pytest_asyncio

from penstock.core.errors import Overloaded
from tests.kit.house import house, request

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house() as made:
        yield made


async def ask(there, path, method="GET"):
    async with there.client() as client:
        return await client.ask(f"{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())


async def test_a_process_that_runs_is_alive_and_ready(there):
    for path in ("/healthz", "/readyz"):
        answer = await ask(there, path)
        assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})
        assert answer.headers["content-type"] == "application/json"


async def test_a_process_that_stops_is_alive_and_not_ready():
    async with house() as made:
        async with made.client() as client:
            assert (await client.ask(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")).status == 200
            made.server.app.plane.stopping = True
            answer = await client.ask(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")
            assert (answer.status, json.loads(answer.body)) == (503, {"status": "unavailable", "reason": "stopping"})
        assert (await ask(made, "/healthz")).status == 200


async def test_a_process_that_serves_without_its_store_is_ready_and_says_so():
    async with house() as made, made.client() as client:
        publisher = made.server.app.publisher
        assert publisher is not None
        publisher.away = True
        answer = await client.ask(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")
        told = json.loads(answer.body)
        assert (answer.status, told["status"]) == (200, "ok")
        assert told["lacking"].startswith("the store: ")


async def test_figures_that_cannot_be_had_are_told_as_such():
    async def figures():
        raise Overloaded("nobody answers")

    async with house() as made, made.client() as client:
        made.server.app.figures = figures
        answer = await client.ask(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (answer.status, answer.body) == (503, b"nobody answers\n")


async def test_the_figures_are_in_the_format_of_prometheus(there):
    async with there.client() as client:
        assert (await client.ask(request())).status == 200
    answer = await ask(there, "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    figures = [line for line in answer.body.decode().splitlines() if line.startswith("penstock_calls_total{")]
    assert len(figures) == 1
    assert 'gateway="default"' in figures[0]
    assert 'outcome="answered"' in figures[0]
    assert float(figures[0].rpartition(" ")[2]) == 1


@pytest.mark.parametrize(("method", "path", "status", "code"), [
    ("GET", "/nothing", 404, 7003), ("POST", "/healthz", 405, 7001), ("GET", "/healthz/", 404, 7003),
])  # fmt: skip
async def test_anything_else_is_refused_in_the_control_planes_envelope(there, method, path, status, code):
    answer = await ask(there, path, method)
    told = json.loads(answer.body)
    assert answer.status == status
    assert (told["success"], told["messages"], told["result"]) == (False, [], None)
    assert told["errors"][0]["code"] == code


async def test_a_wrong_method_is_told_the_right_ones(there):
    for path in ("/healthz", "/readyz", "/metrics"):
        answer = await ask(there, path, "POST")
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
