"""Calls to providers without TLS through a proxy that forwards them."""

import pytest

from penstock.core.errors import AddressRefused, ProviderUnreachable
from penstock.core.proxies import Proxies
from tests.kit.client import until
from tests.kit.provider import OK, answering, providing


def through(proxy, credentials=""):
    return Proxies.read({"HTTP_PROXY": f"http://{credentials}127.0.0.1:{proxy.port}"})


@pytest.fixture
def asked():
    return []


@pytest.fixture
def forward(asked):
    async def serve(peer):
        while True:
            asked.append(await peer.request())
            await peer.say(OK)

    return serve


@pytest.mark.parametrize(
    ("host", "port", "place"),
    [
        ("models.example", 80, b"models.example"),
        ("models.example", 8080, b"models.example:8080"),
        ("2001:db8::1", 80, b"[2001:db8::1]"),
        ("2001:db8::1", 8080, b"[2001:db8::1]:8080"),
    ],
)
async def test_each_request_names_its_whole_address(a_way, resolving, forward, asked, host, port, place):
    async with providing(forward) as proxy:
        way = a_way(proxies=through(proxy), resolve=resolving({}))
        for turn in range(2):
            assert await way.ask(port, host=host) == (200, b"ok", turn > 0)
        assert proxy.connections == 1
    expected = b"POST http://%b/x HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello" % place
    assert asked == [expected, expected]


async def test_the_forwarding_proxy_gets_its_credentials_with_each_request(a_way, resolving, forward, asked):
    async with providing(forward) as proxy:
        way = a_way(proxies=through(proxy, "me:secret@"), resolve=resolving({}))
        for _ in range(2):
            await way.ask(80, host="models.example")
    assert [request.count(b"\r\nproxy-authorization: Basic bWU6c2VjcmV0\r\n") for request in asked] == [1, 1]


async def test_a_proxy_may_be_reached_by_tls(a_way, trusting, resolving, forward, asked):
    async with providing(forward, trusting.server("127.0.0.1")) as proxy:
        proxies = Proxies.read({"HTTP_PROXY": f"https://127.0.0.1:{proxy.port}"})
        way = a_way(proxies=proxies, resolve=resolving({}))
        assert await way.ask(80, host="models.example") == (200, b"ok", False)
    assert asked[0].startswith(b"POST http://models.example/x ")


async def test_a_dead_connection_to_the_proxy_costs_one_silent_retry(a_way, resolving, stream, asked):
    async def serve(peer):
        asked.append(await peer.request())
        if peer.number == 1:
            await peer.say(OK)
            asked.append(await peer.request())
            return
        await peer.say(OK)

    async with providing(serve) as proxy:
        way = a_way(proxies=through(proxy), resolve=resolving({}))
        await way.ask(80, host="models.example")
        assert await way.ask(80, host="models.example", stream=stream(b"hello")) == (200, b"ok", False)
    assert asked[1] == asked[2] == asked[0]


async def test_a_407_is_no_answer_of_the_provider(a_way, resolving):
    async with providing(
        answering(b"HTTP/1.1 407 No\r\nproxy-authenticate: Basic\r\ncontent-length: 2\r\n\r\nno")
    ) as proxy:
        way = a_way(proxies=through(proxy, "me:secret@"), resolve=resolving({}))
        with pytest.raises(ProviderUnreachable, match=r"asks for other credentials \(407\)") as caught:
            await way.ask(80, host="models.example")
        await until(lambda: not proxy.open)
    assert "secret" not in caught.value.message


async def test_another_error_of_the_proxy_is_handed_on(a_way, resolving):
    async with providing(answering(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno")) as proxy:
        way = a_way(proxies=through(proxy), resolve=resolving({}))
        assert await way.ask(80, host="models.example") == (502, b"no", False)


async def test_what_may_not_be_called_may_not_be_forwarded(a_way, resolving, forward):
    async with providing(forward) as proxy:
        way = a_way(proxies=through(proxy), resolve=resolving({"inward.example": "10.0.0.1"}))
        for host in ("10.0.0.1", "inward.example", "metadata.google.internal"):
            with pytest.raises(AddressRefused):
                await way.ask(80, host=host, trusted=False)
        assert proxy.connections == 0
