"""The application of the control plane as a whole: its document, its page, and that a fault of ours is told as one."""

import re
import sqlite3

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute

from penstock.control import api
from penstock.core.telemetry import Telemetry
from penstock.storage import sqlite_file
from tests.kit.house import house
from tests.kit.store import ACCOUNT, SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = {"authorization": f"Bearer {SECRET}"}
VERIFY = "/client/v4/user/tokens/verify"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http():
    async with house() as served:
        base_url = f"http://127.0.0.1:{served.server.port}"
        async with httpx.AsyncClient(base_url=base_url, timeout=60) as client:  # it takes a second to make the document
            yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def document(http):
    answer = await http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def operations(document):
    return {(path, method): one for path, many in document["paths"].items() for method, one in many.items()}


async def test_the_document_is_free_for_all_and_has_every_route(http, document):
    routes = {
        (route.path, method.lower())
        for router in api.ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert set(operations(document)) == routes
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for operation in operations(document).values())


async def test_it_says_how_callers_show_who_they_are(document):
    schemes = document["components"]["securitySchemes"]
    assert schemes["token"]["scheme"] == "bearer"
    headers = {name: one["name"] for name, one in schemes.items() if one["type"] == "apiKey"}
    assert headers == {"email": "X-Auth-Email", "key": "X-Auth-Key", "service_key": "X-Auth-User-Service-Key"}
    assert document["security"] == [{"token": []}, {"email": [], "key": []}, {"service_key": []}]
    assert not any("security" in operation for operation in operations(document).values())  # it holds for all


CONFLICTS = (
    {"create_gateway", "create_alert", "create_topup", "get_topup_status", "create_topup_config"}
    | {"mark_topup_paid", "cancel_topup", "get_invoice_document"}
    | {f"{does}_{what}" for does in ("create", "update") for what in ("provider_config", "custom_provider", "route")}
)


async def test_the_parameters_of_a_path_stand_in_its_order(document):
    for (path, _), operation in operations(document).items():
        named = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
        assert named == re.findall(r"{(\w+)}", path)


async def test_it_says_how_each_operation_is_refused(document):
    refused = {"400", "401", "403", "404", "503"}
    for (path, method), operation in operations(document).items():
        expected = {"400", "401", "503"} if path == VERIFY else set(refused)
        if "requestBody" in operation:
            expected |= {"413"}
        if operation["operationId"] == "create_topup":
            expected |= {"402"}
        if operation["operationId"] in CONFLICTS:
            expected |= {"409"}
        assert operation["responses"].keys() == expected | {"200"}, (path, method)
        for status in expected:
            content = operation["responses"][status]["content"]
            assert content == {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}


async def test_nothing_in_it_leads_outside(document):
    assert not re.findall(r"https?://(?!json-schema\.org|\\?[(\[{*?.])[\w.-]+\.\w+", str(document["paths"]))
    assert "servers" not in document


async def test_the_page_of_the_api_loads_nothing_from_outside(http):
    for method in ("GET", "HEAD"):
        answer = await http.request(method, "/docs")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_success_has_no_word_about_trying_again(http):
    answer = await http.get(f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways", headers=ALL)
    assert answer.json().keys() == {"success", "errors", "messages", "result", "result_info"}
    assert "x-should-retry" not in answer.headers
    assert "retry-after" not in answer.headers


async def test_a_fault_of_ours_is_told_in_the_envelope_and_logged_with_its_cause(caplog):
    path = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/default"
    async with house() as served, httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.server.port}") as client:
        with sqlite3.connect(sqlite_file.file_of(served.server.app.place.url)) as connection:
            connection.execute("UPDATE gateways SET settings = '{'")
        answer = await client.get(path, headers=ALL)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"], answer.json()["result"]) == (500, 7000, None)
        assert "x-should-retry" not in answer.headers
        assert (await client.get(VERIFY, headers=ALL)).status_code == 200  # on the same connection
    (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert line.exc_info is not None
    assert SECRET not in caplog.text


class Nothing:
    """A process of which there is nothing to tell."""

    telemetry = Telemetry()

    def unready(self):
        return ""

    def lacking(self):
        return ""

    async def figures(self):
        return b""


async def test_no_request_waits_until_its_route_is_made():
    made = [route for router in api.ROUTERS for route in router.routes]
    held = api.application(Nothing()).routes
    assert [route for route in made if not any(route is one for one in held)] == []


async def test_each_application_has_its_own_document():
    apps = [api.application(Nothing()) for _ in range(2)]
    first, second = (app.openapi() for app in apps)
    assert first == second
    assert first is not second


@pytest.mark.parametrize("role", ["proxy", "worker"])
async def test_a_role_without_the_api_says_so_at_every_address_of_it(role):
    transport = httpx.ASGITransport(api.application(Nothing(), role))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        for method, path in (("GET", VERIFY), ("POST", "/client/v4/any"), ("GET", "/docs"), ("PUT", "/openapi.json")):
            answer = await client.request(method, path)
            (error,) = answer.json()["errors"]
            assert (answer.status_code, error["code"]) == (404, 7003)
            assert f"its role is {role}" in error["message"]
        assert (await client.get("/readyz")).status_code == 200
        assert "perhaps" in (await client.get("/elsewhere")).json()["errors"][0]["message"]


async def test_it_says_which_permission_an_address_needs(http, document):
    for (path, _), operation in operations(document).items():
        assert bool(operation.get("x-permissions")) is (path != VERIFY)
    page = (await http.get("/docs")).text
    assert "<b>AI Gateway Read</b> or <b>AI Gateway Metadata Read</b>" in page
    assert "<b>AI Gateway Write</b>" in page
