"""The parts of the server in processes of their own, on one database."""

import asyncio
import os
from contextlib import AsyncExitStack, closing

import pytest
import pytest_asyncio

from penstock.core import codec
from penstock.storage import opening
from tests.kit.client import connected
from tests.kit.databases import SERVER, postgres_on
from tests.kit.house import ACCOUNT, request
from tests.kit.process import PATIENCE, eventually, serving, shared
from tests.kit.several import control
from tests.kit.store import OPEN

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "a-token-of-my-own-choice"
GATEWAYS = "/accounts/{account}/ai-gateway/gateways"
ROLES = ("control", "proxy", "worker")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory):
    """The server of each role; no Redis, and no two start at the same moment."""
    folder = tmp_path_factory.mktemp("roles")
    async with AsyncExitStack() as opened:
        url = opened.enter_context(postgres_on(os.environ[SERVER], migrated=False))
        environ = shared(url) | {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_API_TOKEN": TOKEN}
        found = {}
        for role in ROLES:
            server = serving(folder / role, "--role", role, environ=environ, gateways=(), simulate=role == "proxy")
            found[role] = await opened.enter_async_context(server)
        yield found


async def ask(server, data):
    async with connected(server.port) as client:
        answer = await client.ask(data)
        return answer.status, codec.decode(answer.body)


async def test_each_says_its_role(parts):
    for role, server in parts.items():
        assert f"  Role       {role}\n" in server.greeting
    assert "Try it" in parts["proxy"].greeting
    assert f"See {parts['control'].origin}/docs" in parts["control"].greeting
    assert f"See {parts['worker'].origin}/readyz" in parts["worker"].greeting


async def test_each_has_health_and_figures(parts):
    for server in parts.values():
        for path in ("/healthz", "/readyz"):
            assert await server.get(path) == (200, b'{"status":"ok"}')
        assert (await server.metrics())['penstock_workers{state="running"}'] == 1


async def test_only_who_takes_calls_has_a_log_writer(parts):
    writers = {role: len(server.children("penstock.worker.log_writer")) for role, server in parts.items()}
    assert writers == {"control": 0, "proxy": 1, "worker": 0}


async def test_a_gateway_is_made_by_one_called_through_another_and_cleared_away_by_the_third(parts):
    api, proxy = parts["control"], parts["proxy"]
    status, told = await api.ask("POST", GATEWAYS, dict(OPEN) | {"id": "shared"})
    assert status == 200, told
    async with connected(proxy.port) as client:
        call = request(gateway="shared")
        async with asyncio.timeout(PATIENCE):
            while (answer := await client.ask(call)).status != 200:
                await asyncio.sleep(0.01)
        log = f"{GATEWAYS}/shared/logs/{answer.headers['cf-aig-log-id']}"
        status, told = await api.ask("GET", log)
        assert (status, told["result"]["id"]) == (200, answer.headers["cf-aig-log-id"])
    assert rows(proxy, "shared")
    assert (await api.ask("DELETE", f"{GATEWAYS}/shared"))[0] == 200
    await eventually(lambda: not rows(proxy, "shared"))  # the worker's work


def rows(server, gateway):
    """How many there are of a gateway, deleted or not."""
    with closing(opening.connect(server.environ["PENSTOCK_DATABASE_URL"])) as connection:
        found = connection.execute(
            "SELECT count(*) FROM logs JOIN gateways ON number = gateway WHERE gateways.id = ?", (gateway,)
        )
    return found[0][0]


async def test_the_gateway_default_is_made_by_a_call_to_it(parts):
    call = request(headers={"cf-aig-authorization": f"Bearer {TOKEN}"})
    assert (await ask(parts["proxy"], call))[0] == 200
    assert (await parts["control"].ask("GET", f"{GATEWAYS}/default"))[0] == 200


@pytest.mark.parametrize("role", ["control", "worker"])
async def test_a_call_to_who_takes_none_is_told_where_calls_go(parts, role):
    for method in ("POST", "GET", "DELETE"):
        status, told = await ask(parts[role], request(method=method))
        (error,) = told["error"]
        assert (status, told["success"], error["code"]) == (404, False, 2004)
        assert f"its role is {role}" in error["message"]
        assert "role proxy" in error["message"]
    assert "Traceback" not in parts[role].said


@pytest.mark.parametrize("role", ["proxy", "worker"])
async def test_whoever_has_no_api_says_where_it_is(parts, role):
    server = parts[role]
    for method in ("GET", "POST", "PUT", "DELETE"):
        for data in (control(server, method, GATEWAYS), f"{method} /docs HTTP/1.1\r\nhost: x\r\n\r\n".encode()):
            status, told = await ask(server, data)
            (error,) = told["errors"]
            assert (status, told["success"], error["code"]) == (404, False, 7003)
            assert f"its role is {role}" in error["message"]
            assert "role control" in error["message"]
    assert (await server.get("/openapi.json"))[0] == 404
    assert (await ask(server, b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n"))[1]["errors"][0]["code"] == 7003


async def test_who_has_the_api_has_its_document(parts):
    for path in ("/openapi.json", "/docs"):
        assert (await parts["control"].get(path))[0] == 200


async def test_each_stops_when_it_is_asked_to(parts):
    for server in parts.values():
        assert await server.stop() == 0
        assert server.said == ""
