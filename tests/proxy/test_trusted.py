"""Who the client is, behind proxies and without."""

import asyncio
import ipaddress
import json
import logging

import pytest

from penstock.proxy.trusted import clients
from tests.kit.house import house, request

PROXIES = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "192.0.2.7", "fd00::/8")))


class Transport(asyncio.Transport):
    """A connection from somewhere."""

    def __init__(self, peer, tls=None):
        super().__init__({"peername": peer, "sslcontext": tls})


def told(**headers):
    """Headers as the parser gives them; several of a name each become a line."""
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, values in headers.items() for value in values]
    return [(name, name, value) for name, value in lines]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.9, 203.0.113.5"], "203.0.113.5"),  # the caller's own words come first
        ("10.0.0.1", ["198.51.100.9", "203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["203.0.113.5, 10.2.3.4, 192.0.2.7"], "203.0.113.5"),
        ("10.0.0.1", ["203.0.113.5 ,10.2.3.4"], "203.0.113.5"),
        ("10.0.0.1", ["10.9.9.9, 10.2.3.4"], "10.9.9.9"),  # all of them proxies: the farthest
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5, unknown, 10.2.3.4"], "10.2.3.4"),  # nobody beyond can be told
        ("10.0.0.1", ["203.0.113.5:4711"], "203.0.113.5"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["2001:DB8::1"], "2001:db8::1"),
        ("10.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ['"><script>'], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("fd00::1", ["203.0.113.5"], "203.0.113.5"),
        ("203.0.113.9", ["198.51.100.9"], "203.0.113.9"),  # no proxy of ours: what it says is its own invention
        ("::ffff:203.0.113.9", ["198.51.100.9"], "203.0.113.9"),
    ],
)
def test_the_client_is_the_last_that_is_no_trusted_proxy(peer, forwarded, client):
    headers = told(x_forwarded_for=forwarded)
    found = clients(PROXIES).client(Transport((peer, 1)), headers)
    assert found is not None
    assert found[0] == client
    assert clients(PROXIES).name(Transport((peer, 1)), headers) == client


@pytest.mark.parametrize(
    ("peer", "proto", "tls", "scheme"),
    [
        ("10.0.0.1", ["https"], None, "https"),
        ("10.0.0.1", ["HTTPS"], None, "https"),
        ("10.0.0.1", ["http"], object(), "http"),
        ("10.0.0.1", ["http, https"], None, "https"),
        ("10.0.0.1", ["gopher"], None, "http"),
        ("10.0.0.1", [], object(), "https"),
        ("203.0.113.9", ["https"], None, "http"),
    ],
)
def test_the_scheme_is_what_the_nearest_trusted_proxy_says(peer, proto, tls, scheme):
    assert clients(PROXIES).scheme(Transport((peer, 1), tls), told(x_forwarded_proto=proto)) == scheme


def test_by_default_nobody_is_believed():
    headers = told(x_forwarded_for=["203.0.113.5"], x_forwarded_proto=["https"])
    nobody = clients(())
    assert nobody.client(Transport(("10.0.0.1", 4711)), headers) == ("10.0.0.1", 4711)
    assert nobody.scheme(Transport(("10.0.0.1", 4711)), headers) == "http"


def test_a_connection_that_is_gone_has_no_client():
    for networks in ((), PROXIES):
        assert clients(networks).client(Transport(None), []) is None
        assert clients(networks).name(Transport(None), told(x_forwarded_for=["1.2.3.4"])) == ""
        assert clients(networks).scheme(Transport(None), []) == "http"


FORWARDED = {
    "x-forwarded-for": "203.0.113.5",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "gateway.example",
    "forwarded": "for=203.0.113.5;proto=https",
}


@pytest.mark.parametrize(("trusted", "client"), [((), "127.0.0.1"), (("127.0.0.0/8",), "203.0.113.5")])
async def test_the_access_line_names_the_client_and_nothing_of_it_travels(caplog, trusted, client):
    caplog.set_level(logging.INFO, "penstock.access")
    networks = tuple(map(ipaddress.ip_network, trusted))
    async with house(access_log=True, trusted_proxies=networks) as made, made.client() as asking:
        headers = FORWARDED | {"x-mock-echo": "1", "authorization": "Bearer sk-secret"}
        answer = await asking.ask(request("openai/x?key=sk-secret", headers=headers, event="line"))
        await made.row("line")
    sent = {name.lower() for name, _ in json.loads(answer.body)["headers"]}
    assert not sent & set(FORWARDED)
    (line,) = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "call"]
    assert line["client"] == client
    assert "secret" not in str(line)


@pytest.mark.parametrize(
    ("trusted", "client", "scheme"), [((), "127.0.0.1", "http"), (("127.0.0.1",), "203.0.113.5", "https")]
)
async def test_applications_are_told_the_client_and_its_scheme(trusted, client, scheme):
    seen = []

    async def application(scope, receive, send):
        seen.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    networks = tuple(map(ipaddress.ip_network, trusted))
    async with house(trusted_proxies=networks) as made, made.client() as asking:
        await asking.ask(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert made.server.app._outside is not None
        made.server.app._outside.application = application
        lines = "".join(f"{name}: {value}\r\n" for name, value in FORWARDED.items())
        await asking.ask(f"GET / HTTP/1.1\r\nhost: x\r\n{lines}\r\n".encode())
    assert [(scope["client"][0], scope["scheme"]) for scope in seen] == [(client, scheme)]
