"""Addresses are judged when the connection is made, and what was judged is what is called: nothing else is reached."""

import asyncio
import contextlib
import gc
import ipaddress
import socket

import psutil
import pytest
import uvloop

from penstock.backends.http.resolver import Unresolved
from penstock.core.errors import AddressRefused, ProviderTimeout, ProviderUnreachable
from tests.kit.client import until
from tests.kit.provider import always, providing

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]

# All of these are this machine, where a provider listens that must not be reached.
HERE = """
    127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 017700000001 0177.0.0.1 127.0.0.1. 0 0.0.0.0 0x0
    ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:0.0.0.0 localhost LOCALHOST localhost. a.localhost
"""


@pytest.fixture
async def forbidden():
    """A provider that fails the test when it is called."""
    async with providing(always) as provider:
        yield provider
        assert provider.connections == 0


@pytest.mark.parametrize("host", [host for line in HERE.splitlines() for host in line.split()])
async def test_an_untrusted_host_that_is_this_machine_is_refused(way, forbidden, host):
    with pytest.raises(AddressRefused) as caught:
        await way.ask(forbidden.port, host=host, trusted=False)
    assert (caught.value.status, caught.value.code) == (502, 2005)
    assert host in caught.value.reason
    assert "not public" in caught.value.reason
    assert "allowed_networks" in caught.value.reason


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "0xa9fea9fe", "::ffff:169.254.169.254", "fe80::1%lo", "metadata.google.internal", "metadata"],
)
async def test_nobody_calls_a_metadata_service(a_way, trusted, host):
    way = a_way(allowed=[ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")], connect=0.5)
    with pytest.raises(AddressRefused, match="link-local or that of a metadata service") as caught:
        await way.ask(80, host=host, trusted=trusted)
    assert "allowed_networks" not in caught.value.reason


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["fe80::1%2"],
        ["93.184.215.14 127.0.0.1"],
        ["127.0.0.1 93.184.215.14"],
        ["93.184.215.14 ::1"],
    ],
)
async def test_an_untrusted_name_that_leads_inward_is_refused_without_telling_where(
    a_way, forbidden, resolving, answers
):
    way = a_way(resolve=resolving({"evil.example": answers[0]}))
    with pytest.raises(AddressRefused) as caught:
        await way.ask(forbidden.port, host="evil.example", trusted=False)
    assert "evil.example" in caught.value.reason
    assert caught.value.message == "Failed to get response from provider: its address may not be called"
    assert [address for address in answers[0].split() if address in caught.value.reason] == []


async def test_a_name_that_leads_elsewhere_each_time_is_asked_once_and_the_judged_address_is_called(
    a_way, forbidden, resolving
):
    resolve = resolving({"rebind.example": ["192.0.2.1", "127.0.0.1", "127.0.0.1"]})
    way = a_way(resolve=resolve, allowed=[ipaddress.ip_network("192.0.2.0/24")], connect=0.2)
    with pytest.raises((ProviderTimeout, ProviderUnreachable)):  # nothing is there
        await way.ask(forbidden.port, host="rebind.example", trusted=False)
    assert resolve.asked == ["rebind.example"]
    with pytest.raises(AddressRefused):
        await way.ask(forbidden.port, host="rebind.example", trusted=False)


async def test_no_name_is_resolved_where_the_host_is_an_address(a_way, resolving):
    resolve = resolving({})
    way = a_way(resolve=resolve)
    async with providing(always) as provider:
        assert await way.ask(provider.port, host="2130706433") == (200, b"ok", False)
    assert resolve.asked == []


async def test_the_operators_own_names_may_lead_inward_but_never_to_the_link(a_way, resolving):
    way = a_way(resolve=resolving({"own.example": "fe80::1 127.0.0.1", "link.example": "169.254.1.1"}))
    async with providing(always) as provider:
        assert await way.ask(provider.port, host="own.example") == (200, b"ok", False)
        with pytest.raises(AddressRefused):
            await way.ask(provider.port, host="link.example")


async def test_networks_that_the_operator_allows_may_be_called_by_anybody(a_way, resolving):
    way = a_way(
        allowed=LOOPBACK, resolve=resolving({"own.example": "127.0.0.1", "mixed.example": "127.0.0.1 10.0.0.1"})
    )
    async with providing(always) as provider:
        for host in ("127.0.0.1", "::ffff:127.0.0.1", "own.example"):
            assert (await way.ask(provider.port, host=host, trusted=False))[:2] == (200, b"ok")
        with pytest.raises(AddressRefused):
            await way.ask(provider.port, host="mixed.example", trusted=False)


async def test_a_connection_that_the_operator_may_make_serves_nobody_else(way):
    async with providing(always) as provider:
        await way.ask(provider.port)
        with pytest.raises(AddressRefused):
            await way.ask(provider.port, trusted=False)
        assert way.transport.counts() == (0, 1)


async def test_an_address_that_refuses_is_passed_over_for_one_that_answers(a_way, resolving):
    way = a_way(resolve=resolving({"two.example": "::1 127.0.0.9 127.0.0.1"}))
    async with providing(always) as provider:
        assert await way.ask(provider.port, host="two.example") == (200, b"ok", False)


@pytest.mark.parametrize("host", ["unknown.example", "a..b", "x" * 64])
async def test_a_name_that_does_not_resolve_is_told(way, host):
    way.dialer._resolve = way.dialer._resolve if "." not in host or ".." in host else _nobody
    with pytest.raises(ProviderUnreachable) as caught:
        await way.ask(80, host=host)
    assert (caught.value.status, caught.value.code) == (502, 2005)
    assert f"no connection to {host}: the name does not resolve" in caught.value.reason


async def _nobody(host, port):
    raise Unresolved("the name does not resolve (nobody knows it)")


async def test_a_name_without_addresses_is_told(a_way):
    async def resolve(host, port):
        return []

    with pytest.raises(ProviderUnreachable, match="the name has no address"):
        await a_way(resolve=resolve).ask(80, host="empty.example")


async def test_a_resolver_that_hangs_ends_with_half_of_the_connect(a_way):
    async def resolve(host, port):
        await asyncio.sleep(60)

    with pytest.raises(ProviderTimeout, match=r"the name slow\.example was not resolved within 0\.2 seconds") as caught:
        await a_way(resolve=resolve, connect=0.4).ask(80, host="slow.example")
    assert (caught.value.status, caught.value.code) == (504, 2005)


# Nothing is left over


async def _failures(way, port, closed):
    for host, at in [("127.0.0.1", closed), ("own.example", port), ("link.example", port), ("unknown.example", port)]:
        with contextlib.suppress(ProviderUnreachable, AddressRefused):
            await way.ask(at, host=host, tls=host == "own.example")


async def _no_tls(peer):
    await peer.reader.read(10)
    await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def test_connects_that_fail_leave_no_descriptor_and_no_circle(a_way, resolving):
    way = a_way(resolve=resolving({"own.example": "127.0.0.1", "link.example": "169.254.1.1"}))
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    async with providing(_no_tls) as provider:
        await _failures(way, provider.port, closed)
        await until(lambda: not provider.open)
        gc.collect()
        before = psutil.Process().num_fds()
        gc.disable()
        try:
            gc.set_debug(gc.DEBUG_SAVEALL)
            await _failures(way, provider.port, closed)
            await until(lambda: not provider.open)
            await asyncio.sleep(0.01)
            gc.collect()
            ours = [type(one).__name__ for one in gc.garbage if type(one).__module__.startswith("penstock.")]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
        if isinstance(asyncio.get_running_loop(), uvloop.Loop):  # the standard loop's TLS is a circle itself
            assert ours == []
        assert psutil.Process().num_fds() == before
        assert not way.transport._open
        assert not way.transport._idle
