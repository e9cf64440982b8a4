"""Every provider through a running server: the calls of its examples arrive at the simulated provider, come back as it
answered, and are logged as what they were.
"""

import json

import pytest
import pytest_asyncio

from penstock.mock import dispatch
from penstock.mock.controls import NONE
from penstock.providers import catalog
from penstock.providers.upstream import Upstream
from tests.kit import examples
from tests.kit.house import house, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS = list(examples.calls(examples.rows()))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house() as made:
        yield made


@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_a_call_arrives_comes_back_and_is_logged(there, call):
    async with there.client() as client:
        answer = await client.ask(request(str(call), body=call.body, event=str(call)))
    made = simulated(call)
    assert (answer.status, answer.headers["content-type"]) == (made.status, made.kind.decode())
    assert 200 <= answer.status < 300, answer.body
    assert answer.body == b"".join(made.known())
    row = await there.row(str(call))
    assert (row.outcome, row.provider) == ("answered", call.slug)
    assert (row.request_type, row.model) == (call.example.request_type, call.example.model)
    assert (row.request, row.response) == (call.body, answer.body)
    assert (row.tokens_in, row.tokens_out) == call.tokens


def simulated(call):
    """What the provider of that name answers without a gateway before it."""
    path, _, query = call.example.path.partition("?")
    at = Upstream(catalog.load()[call.slug], f"http://mock.example/{call.slug}").target(path.encode()).path
    return dispatch.answer("POST", at + (b"?" + query.encode() if query else b""), call.body, NONE)


@pytest.mark.parametrize("row", examples.rows(), ids=lambda row: row.id)
async def test_every_provider_is_called_in_every_dialect_that_it_speaks(row):
    called = {examples.dialect(row, call.example) for call in CALLS if call.slug == row.id}
    assert called, "a row needs an example with a body, or of a dialect"
    assert called >= {endpoint.dialect for endpoint in row.endpoints if endpoint.dialect}


@pytest.mark.parametrize("row", examples.rows(), ids=lambda row: row.id)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND"])
async def test_any_method_and_any_kind_of_body_pass(there, row, method):
    body = None if method == "HEAD" else b"\x00\xff" * 100
    headers = {"x-mock-echo": "1", "content-type": "application/x-own"}
    async with there.client() as client:
        sent = request(f"{row.id}/{examples.below(row)}x%2Fy//z?a=%2F&b", method=method, headers=headers, body=body)
        answer = await client.ask(sent)
        assert answer.status == 200
        if method != "HEAD":
            told = json.loads(answer.body)
            assert (told["method"], told["length"]) == (method, 200)
            assert told["target"].endswith("x%2Fy//z?a=%2F&b")
            assert ["content-type", "application/x-own"] in told["headers"]
