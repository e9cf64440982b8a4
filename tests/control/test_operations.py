"""The paths that tell how the process is."""

import json

import httpx
import pytest
import pytest_asyncio

from penstock.core.errors import Overloaded
from tests.kit.house import house, request
from tests.kit.store import ACCOUNT, SECRET

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


TOKEN = "for-the-one-who-scrapes"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded():
    async with house(metrics_token=TOKEN) as made:
        yield made


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f"authorization: Bearer {TOKEN}", 200),
        (f"Authorization: bearer {TOKEN}", 200),
        (f"authorization: Bearer {SECRET}", 401),  # the API's tokens are of an account, and metrics of all
        (f"authorization: Basic {TOKEN}", 401),
        (f"authorization: {TOKEN}", 401),
        ("authorization: Bearer", 401),
        ("x-any: 1", 401),
    ],
)
async def test_with_a_token_the_figures_are_for_whoever_has_it(guarded, given, status):
    async with guarded.client() as client:
        answer = await client.ask(f"GET /metrics HTTP/1.1\r\nhost: x\r\n{given}\r\n\r\n".encode())
        assert answer.status == status
        assert (b"penstock_calls_total" in answer.body) == (status == 200)
        assert answer.headers.get("www-authenticate") == (None if status == 200 else "Bearer")
        assert (await client.ask(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")).status == 200


@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded", "x-real-ip", "via"])
async def test_without_a_token_the_figures_are_for_this_machine_alone(there, name):
    async with there.client() as client:
        answer = await client.ask(f"GET /metrics HTTP/1.1\r\nhost: x\r\n{name}: 127.0.0.1\r\n\r\n".encode())
        assert (answer.status, b"metrics_token" in answer.body) == (403, True)


@pytest.mark.parametrize(
    ("address", "status"),
    [("127.0.0.1", 200), ("::1", 200), ("127.9.9.9", 200), ("192.0.2.1", 403), ("fe80::1%eth0", 403), ("x", 403)],
)
async def test_who_is_this_machine(there, address, status):
    transport = httpx.ASGITransport(there.server.app.api, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        assert (await client.get("/metrics")).status_code == status


async def test_the_figures_tell_accounts_apart(there):
    async with there.client() as client:
        await client.ask(request())
    answer = await ask(there, "/metrics")
    assert f'account="{ACCOUNT}"' in answer.body.decode()


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
