"""Workers AI through the API's own address, below the control plane's prefix and served by the data plane."""

import json

import pytest
import pytest_asyncio

from penstock.model.token import Scope
from tests.kit.house import house
from tests.kit.store import ACCOUNT, SECRET, a_token

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "@cf/meta/llama-3.1-8b-instruct"
WORKERS, READER = "pst_only_for_workers_ai_1", "pst_reads_the_log_only_1"
TOKENS = [
    a_token(WORKERS, scopes=frozenset({Scope.WORKERS})),
    a_token(READER, scopes=frozenset({Scope.READ})),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(gateways={"default": {}, "mine": {}}, tokens=TOKENS) as made:
        yield made
        await made.quiet()


async def ask(there, path=f"run/{MODEL}", *, token=SECRET, account=ACCOUNT, method="POST", **headers):
    lines = [f"{method} /client/v4/accounts/{account}/ai/{path} HTTP/1.1", "host: x", "content-length: 15"]
    lines += [f"authorization: Bearer {token}"] if token else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    async with there.client() as client:
        return await client.ask("\r\n".join([*lines, "", '{"prompt":"hi"}']).encode())


def told(answer):
    """The code in the envelope of the API."""
    body = json.loads(answer.body)
    assert (body["success"], body["messages"], body["result"]) == (False, [], None)
    assert set(body) == {"success", "messages", "result", "errors"}
    return answer.status, body["errors"][0]["code"]


@pytest.mark.parametrize("token", [SECRET, WORKERS])
async def test_workers_ai_is_called_through_the_gateway_that_the_header_names(there, token):
    answer = await ask(there, token=token, cf_aig_gateway_id="mine", cf_aig_event_id=f"mine-{token}", x_mock_echo="1")
    sent = json.loads(answer.body)
    assert (answer.status, sent["target"], sent["length"]) == (200, f"/workers-ai/run/{MODEL}", 15)
    assert {"authorization", "cf-aig-gateway-id"}.isdisjoint(dict(sent["headers"]))
    row = await there.row(f"mine-{token}")
    assert (row.provider, row.model, row.path) == ("workers-ai", MODEL, f"run/{MODEL}")
    await ask(there, cf_aig_event_id=f"default-{token}")
    assert row.gateway != (await there.row(f"default-{token}")).gateway


async def test_without_the_header_the_gateway_is_default_and_the_answer_is_the_providers(there):
    answer = await ask(there)
    assert answer.status == 200
    assert "cf-aig-log-id" in answer.headers
    assert "cf-aig-step" not in answer.headers


@pytest.mark.parametrize(
    ("token", "code"),
    [("", 10000), ("pst_nobody_knows_this_one", 10000), (READER, 10000)],
    ids=["none", "unknown", "scope"],
)
async def test_a_token_is_needed_though_the_gateway_asks_for_none(there, token, code):
    assert told(await ask(there, token=token)) == (401, code)


async def test_a_workers_ai_token_opens_no_other_surface(there):
    async with house(gateways={"locked": {"authentication": True}}, tokens=TOKENS) as other, other.client() as client:
        answer = await client.ask(
            f"POST /v1/{ACCOUNT}/locked/workers-ai/run/{MODEL} HTTP/1.1\r\nhost: x\r\n"
            f"cf-aig-authorization: Bearer {WORKERS}\r\ncontent-length: 2\r\n\r\n{{}}".encode()
        )
        assert answer.status == 401


async def test_what_is_not_served_is_told_in_the_envelope_of_the_api(there):
    assert told(await ask(there, "v1/chat/completions")) == (404, 7003)
    assert told(await ask(there, method="PUT")) == (405, 7001)
    assert told(await ask(there, cf_aig_gateway_id="nowhere")) == (400, 2001)
    assert told(await ask(there, account="f" * 32)) == (401, 10000)
    assert told(await ask(there, "run/@cf/../x")) == (400, 2008)


async def test_a_body_may_be_as_large_as_on_every_surface_of_the_data_plane(there):
    size = 3 << 20
    async with there.client() as client:
        head = f"POST /client/v4/accounts/{ACCOUNT}/ai/run/{MODEL} HTTP/1.1\r\nhost: x\r\nx-mock-echo: 1\r\n"
        head += f"authorization: Bearer {SECRET}\r\ncontent-length: {size}\r\n\r\n"
        answer = await client.ask(head.encode() + b"x" * size)
    assert (answer.status, json.loads(answer.body)["length"]) == (200, size)
