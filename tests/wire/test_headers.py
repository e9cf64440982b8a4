"""Which headers travel, as functions and as the provider sees them."""

import json

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.headers import HOP_BY_HOP, back, onward
from tests.kit.house import house, request
from tests.kit.provider import providing
from tests.kit.store import a_token

TOKEN = "pst_our-own-token-0123456789"


def as_headers(*pairs):
    return [(name.lower(), name, value) for name, value in pairs]


NAMES = st.sampled_from(
    [*HOP_BY_HOP, b"cf-aig-x", b"cookie", b"x-forwarded-for", b"x-real-ip", b"forwarded", b"x-a", b"x-b", b"accept"]
)
VALUES = st.sampled_from([b"", b"close", b"keep-alive", b"x-a", b"X-B , keep-alive", b"te, x-a", b"accept"])


@given(st.lists(st.tuples(NAMES, VALUES)))
def test_what_travels_keeps_its_order_and_spelling_and_nothing_of_the_neighbour_travels(pairs):
    headers = as_headers(*[(name.title(), value) for name, value in pairs])
    named = {
        token.strip().lower() for lower, _, value in headers if lower == b"connection" for token in value.split(b",")
    }
    for travels, ours in (
        (onward, (b"cf-aig-", b"x-forwarded-", b"x-real-ip", b"cookie", b"forwarded")),
        (back, (b"cf-aig-",)),
    ):
        expected = [h for h in headers if h[0] not in HOP_BY_HOP and h[0] not in named and not h[0].startswith(ours)]
        assert travels(headers) == expected


def test_remembered_names_are_bounded():
    for number in range(5000):
        assert onward(as_headers((b"x-%d" % number, b"")))
        assert not onward(as_headers((b"cf-aig-%d" % number, b"")))
    from penstock.wire import headers as module

    assert len(module._ONWARD) <= 2048


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(tokens=[a_token(TOKEN)]) as made:
        yield made
        await made.quiet()


async def seen(there, headers, path="openai/x", body=b"hello"):
    """The headers as they arrive at the provider: pairs as spelt."""
    async with there.client() as client:
        answer = await client.ask(request(path, headers={"x-mock-echo": "1"} | headers, body=body))
        assert answer.status == 200, answer.body
        return [tuple(pair) for pair in json.loads(answer.body)["headers"]]


STAYS = {
    "Connection": "x-private, Keep-Alive",
    "X-Private": "1",
    "Keep-Alive": "timeout=5",
    "TE": "trailers",
    "Trailer": "x-t",
    "Proxy-Authorization": "Basic eDp5",
    "Proxy-Connection": "keep-alive",
    "Cookie": "session=1",
    "Forwarded": "for=10.0.0.1",
    "X-Forwarded-For": "10.0.0.1",
    "X-Forwarded-Host": "inside.example",
    "X-Forwarded-Proto": "https",
    "CF-Connecting-IP": "10.0.0.1",
    "CF-Ray": "1",
    "Cf-Access-Jwt-Assertion": "x.y.z",
    "cf-aig-metadata": '{"user":"u1"}',
    "CF-AIG-Anything-At-All": "1",
}
TRAVELS = {
    "Authorization": "Bearer sk-the-client's-own",
    "X-Api-Key": "sk-ant-the-client's-own",
    "api-key": "of-azure",
    "OpenAI-Organization": "org-1",
    "anthropic-beta": "one,two",
    "anthropic-version": "2023-06-01",
    "User-Agent": "Own/1.0",
    "Content-Type": "application/json",
    "X-CaSe-KePt": "as sent",
    "Accept": "*/*",
    "Idempotency-Key": "k",
}


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_the_gateways_own_or_its_neighbours_stays_and_the_rest_travels_as_sent(there):
    got = await seen(there, STAYS | TRAVELS)
    assert {name.lower() for name in STAYS} & {name.lower() for name, _ in got} == set()
    assert set(TRAVELS.items()) <= set(got)
    assert [pair for pair in got if pair[0].lower() == "host"] == [("host", f"127.0.0.1:{there.mock.port}")]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "place",
    ["Authorization", "authorization", "X-Api-Key", "api-key", "x-goog-api-key", "cf-aig-authorization"],
)
@pytest.mark.parametrize("scheme", ["", "Bearer ", "bearer ", "BEARER  ", "Token ", "Key ", "Api-Key "])
async def test_a_token_of_the_gateway_never_travels_wherever_it_comes(there, place, scheme):
    got = await seen(there, {place: scheme + TOKEN, "x-own": "stays"})
    assert not [value for _, value in got if TOKEN in value]
    assert ("x-own", "stays") in got


@pytest.mark.asyncio(loop_scope="module")
async def test_a_key_of_the_client_travels_beside_a_token_of_the_gateway(there):
    got = await seen(there, {"cf-aig-authorization": f"Bearer {TOKEN}", "authorization": "Bearer sk-own"})
    assert ("authorization", "Bearer sk-own") in got
    assert not [value for _, value in got if TOKEN in value]
    got = await seen(there, {"x-api-key": TOKEN, "authorization": "Bearer sk-own"})
    assert ("authorization", "Bearer sk-own") in got
    assert "x-api-key" not in dict(got)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("gzip, deflate, br, zstd", "gzip, deflate, br, zstd"),
        ("br;q=1.0, gzip;q=0.8, snappy;q=0.1", "br;q=1.0, gzip;q=0.8"),
        ("dcb, dcz", "identity"),
        (None, None),
    ],
)
async def test_only_codings_that_the_gateway_can_read_are_offered(there, asked, sent):
    got = dict(await seen(there, {"accept-encoding": asked} if asked else {}))
    assert got.get("accept-encoding") == sent


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("asked", ["gzip, br", None])
@pytest.mark.parametrize("wants", [False, True])
async def test_a_stream_that_the_gateway_will_change_is_asked_for_in_the_clear(there, asked, wants):
    """Also where the client said nothing, which would leave the provider free to encode."""
    body = b'{"model":"m","stream":true,%b"messages":[]}' % (
        b'"stream_options":{"include_usage":true},' if wants else b""
    )
    headers = {"accept-encoding": asked} if asked else {}
    got = await seen(there, headers, "openai/chat/completions", body)
    sent = [value for name, value in got if name.lower() == "accept-encoding"]
    assert sent == ([asked] if asked else []) if wants else sent == ["identity"]


@pytest.mark.asyncio(loop_scope="module")
async def test_of_a_providers_answer_only_what_concerns_the_client_comes_back():
    async def serve(peer):
        await peer.request()
        await peer.say(
            b"HTTP/1.1 200 Fine So Far\r\nContent-Length: 2\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\n"
            b"Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nUpgrade: h2\r\ncf-aig-cache-status: HIT\r\n"
            b"Trailer: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Request-ID: r1\r\n\r\nok"
        )
        await peer.gone()

    async with (
        providing(serve) as provider,
        house(providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        answer = await client.ask(request("openai/x"))
        assert (answer.reason, answer.body) == (b"Fine So Far", b"ok")
        assert answer.headers["set-cookie"] == "a=1, b=2"
        assert b"X-Request-ID: r1\r\n" in answer.head
        gone = {"connection", "x-hop", "keep-alive", "proxy-authenticate", "upgrade", "cf-aig-cache-status", "trailer"}
        assert not gone & answer.headers.keys()
