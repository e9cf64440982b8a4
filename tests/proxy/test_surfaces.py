"""Which addresses lead where, and which lead nowhere."""

import json

import pytest
import pytest_asyncio

from penstock.core.errors import MethodNotAllowed, UnknownPath
from penstock.proxy import surfaces
from tests.kit.exchange import an_exchange
from tests.kit.house import house, request
from tests.kit.store import ACCOUNT

BASE = f"/v1/{ACCOUNT}/default"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house() as made:
        yield made
        await made.quiet()


async def told(there, path, method="GET"):
    async with there.client() as client:
        answer = await client.ask(f"{method} {path} HTTP/1.1\r\nhost: x\r\nx-mock-echo: 1\r\n\r\n".encode("latin-1"))
        return answer.status, json.loads(answer.body)


@pytest.mark.parametrize(
    ("target", "read"),
    [
        (b"/v1/a/g/p/x", ("a", "g", "p", b"x", b"")),
        (b"/v1/a/g/p/", ("a", "g", "p", b"", b"")),
        (b"/v1/a/g/p/x/y//z/?q=1?2#3", ("a", "g", "p", b"x/y//z/", b"?q=1?2#3")),
        (b"/v1/a/g/p/%2Fx%20", ("a", "g", "p", b"%2Fx%20", b"")),
        (b"/v1//g//x", ("", "g", "", b"x", b"")),
        (b"/v1/a/g/p", ("a", "g", "p", b"", b"")),
        (b"/v1/a/g/p?x=/y/z", ("a", "g", "p", b"", b"?x=/y/z")),
        (b"/v1/a/g/p/x?", ("a", "g", "p", b"x", b"?")),
        (b"/v1/a/g/p/x?a/b/c", ("a", "g", "p", b"x", b"?a/b/c")),
    ],
)
def test_an_address_is_read_as_written(target, read):
    made = an_exchange(target=target).request
    surfaces.read(made)
    assert (made.account, made.gateway, made.provider, made.path, made.query) == read


@pytest.mark.parametrize("target", [b"/v1", b"/v1?a", b"/v1/", b"/v1/a", b"/v1/a/", b"/v1//", b"/v1/a//"])
def test_an_address_that_is_too_short_is_none(target):
    with pytest.raises(UnknownPath):
        surfaces.read(an_exchange(target=target).request)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "path", ["/v1", "/v1?a=/b/c/d/e", "/v1/", f"/v1/{ACCOUNT}", f"/v1/{ACCOUNT}/", "/v1/?a=/b/c/d/e"]
)
async def test_an_address_that_is_too_short_is_not_found(there, path):
    status, body = await told(there, path)
    assert (status, body["internalCode"], body["success"]) == (404, 2004, False)


@pytest.mark.parametrize("target", [b"/v1/a/g", b"/v1/a/g/", b"/v1/a/g?x=/y/z"])
def test_a_gateway_without_a_provider_is_the_universal_endpoint(target):
    made = an_exchange(target=target).request
    surfaces.read(made)
    assert (made.surface.name, made.account, made.gateway, made.provider, made.path) == ("universal", "a", "g", "", b"")


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"])
@pytest.mark.parametrize("target", [b"/v1/a/g", b"/client/v4/accounts/a/ai/run/@cf/x/y"])
def test_an_address_whose_method_is_fixed_takes_no_other(target, method):
    made = an_exchange(target=target).request
    made.method = method
    with pytest.raises(MethodNotAllowed, match="takes POST only") as caught:
        surfaces.read(made)
    assert (caught.value.status, caught.value.code) == (405, 2006)


REST = b"/client/v4/accounts/a/ai/"


@pytest.mark.parametrize(
    ("header", "gateway"),
    [((), "default"), ((b"cf-aig-gateway-id", b"g"), "g"), ((b"cf-aig-gateway-id", b""), "default")],
)
def test_a_rest_address_takes_its_gateway_from_the_header(header, gateway):
    made = an_exchange(*[header] if header else [], target=REST + b"run/@cf/x/y?stream=1").request
    surfaces.read(made)
    assert (made.surface.name, made.account, made.gateway) == ("rest", "a", gateway)
    assert (made.provider, made.path, made.query) == ("workers-ai", b"run/@cf/x/y", b"?stream=1")


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"run/",
        b"run/openai",
        b"run/@",
        b"run/@cf/x",
        b"run/@hf/x/y",
        b"v1/completions",
        b"chat/completions",
        b"nonsense",
    ],
)
def test_a_rest_address_that_is_not_served_is_none(path):
    with pytest.raises(UnknownPath):
        surfaces.read(an_exchange(target=REST + path).request)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (b"/v1", "native"),
        (b"/v1?x", "native"),
        (b"/v1/a/g/p", "native"),
        (REST + b"run", "rest"),
        (b"/client/v4/accounts//ai/x", "rest"),
        (b"/client/v4/accounts/a/ai", None),
        (b"/client/v4/accounts/a/ai?/ai/", None),
        (b"/client/v4/accounts/a?/ai/", None),
        (b"/client/v4/accounts/a/b/ai/", None),
        (b"/client/v4/accounts/a/ai-gateway/gateways", None),
        (b"/v1x", None),
        (b"/", None),
    ],
)
def test_each_target_belongs_to_one_surface_or_to_the_control_plane(target, name):
    found = surfaces.find(target)
    assert (found.name if found else None) == name


@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_account_answers_exactly_as_an_unknown_gateway_does(there):
    answers = []
    for account, gateway in [
        (ACCOUNT, "unknown"),
        ("f" * 32, "elsewhere"),
        ("f" * 32, "unknown"),
        ("", ""),
        ("%00", "x"),
    ]:
        async with there.client() as client:
            answer = await client.ask(f"POST /v1/{account}/{gateway}/openai/x HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            answers.append((answer.status, answer.body, set(answer.headers)))
    assert answers == answers[:1] * len(answers)
    assert answers[0][0] == 400
    assert json.loads(answers[0][1])["internalCode"] == 2001


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("provider", ["nobody", "", "x" * 5000])
async def test_an_unknown_provider_is_refused_and_the_known_ones_are_named(there, provider):
    status, body = await told(there, f"{BASE}/{provider}/x")
    assert (status, body["internalCode"]) == (400, 2008)
    assert body["message"].startswith("Invalid provider")
    assert "anthropic, aws-bedrock, azure, " in body["message"]
    assert len(body["message"]) < 500


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("provider", ["OpenAI", "openai%20"])
async def test_a_provider_that_is_nearly_named_is_suggested(there, provider):
    status, body = await told(there, f"{BASE}/{provider}/x")
    assert (status, body["internalCode"]) == (400, 2008)
    assert body["message"].endswith("did you mean openai?")


OUTSIDE = ["..", "../x", "x/..", "x/../y", ".", "./x", "x/./y", "%2e%2e/x", "x/%2E%2e/y", ".%2e/x", "..%2fx", "..%5cx"]
OUTSIDE += ["..\\x", "%252e%252e/x", "..;/x", "x%00", "x%0d%0ay"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", OUTSIDE)
async def test_a_path_that_does_not_stay_where_it_points_is_refused(there, path):
    begun = there.mock.stats()["requests_begun"]
    status, body = await told(there, f"{BASE}/openai/{path}")
    assert (status, body["internalCode"]) == (400, 2008)
    assert there.mock.stats()["requests_begun"] == begun


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("openai/chat/completions?a=1&b=%2F", "/openai/chat/completions?a=1&b=%2F"),
        ("openai/v1/chat/completions", "/openai/chat/completions"),
        ("openai/a..b/.c/d.", "/openai/a..b/.c/d."),
        ("openai/%E2%82%AC/a%20b", "/openai/%E2%82%AC/a%20b"),
        ("openai/x?../..", "/openai/x?../.."),
        ("anthropic/v1/messages", "/anthropic/v1/messages"),
        ("openai/", "/openai"),
        ("openai", "/openai"),
        ("openai?model=m/n", "/openai?model=m/n"),
    ],
)
async def test_the_rest_of_the_path_reaches_the_provider_as_written(there, path, target):
    _, body = await told(there, f"{BASE}/{path}")
    assert body["target"] == target


@pytest.mark.asyncio(loop_scope="module")
async def test_a_refusal_names_its_call_and_is_logged(there):
    async with there.client() as client:
        answer = await client.ask(request("nobody/x", event="named"))
        row = await there.row("named")
        from penstock.core import ids

        assert answer.headers["cf-aig-log-id"] == ids.text(row.id)
        assert (row.outcome, row.status_code, row.provider, row.success) == (
            "refused",
            400,
            "",
            False,
        )  # strangers' words are not kept
