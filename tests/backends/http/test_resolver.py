"""Look-ups that hang, fail, and are asked for a thousand times."""

import asyncio
import socket
import threading

import pytest

from penstock.backends.http import resolver as module
from penstock.backends.http.resolver import AT_ONCE, Resolver, Unresolved
from tests.kit.client import until


class Names:
    """A system's resolver: what it says of a name is an answer, an error, or a wait for the test's word."""

    def __init__(self, **said):
        self.said = said
        self.asked = []
        self.go_on = threading.Event()

    def __call__(self, host, port, *, type, proto):  # noqa: A002
        self.asked.append(host)
        said = self.said.get(host, "192.0.2.1")
        if said == "hangs":
            self.go_on.wait(10)
            said = "192.0.2.9"
        if isinstance(said, Exception):
            raise said
        return [(socket.AF_INET, type, proto, "", (one, 0)) for one in said.split()]


@pytest.fixture
def names():
    made = Names()
    yield made
    made.go_on.set()


@pytest.fixture
async def resolver(names):
    return Resolver(asyncio.get_running_loop(), names)


AGAIN = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
GONE = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def test_a_name_becomes_all_its_addresses_with_the_port(names, resolver):
    names.said["a"] = "192.0.2.1 192.0.2.2"
    assert await resolver("a", 443) == [("192.0.2.1", 443), ("192.0.2.2", 443)]


async def test_the_systems_own_resolver_is_the_one_that_is_used():
    resolve = Resolver(asyncio.get_running_loop())
    assert ("127.0.0.1", 80) in await resolve("localhost", 80)


async def test_ipv6_addresses_keep_their_scope():
    def look_up(host, port, **_):
        return [(socket.AF_INET6, 1, 6, "", ("fe80::1%2", 0, 7, 2))]

    assert await Resolver(asyncio.get_running_loop(), look_up)("a", 1) == [("fe80::1%2", 1, 7, 2)]


async def test_a_thousand_calls_to_one_name_are_one_look_up(names, resolver):
    names.said["dead"] = "hangs"
    waiting = [asyncio.ensure_future(resolver("dead", port)) for port in range(1000)]
    await until(lambda: names.asked == ["dead"])
    threads = threading.active_count()
    assert await resolver("b", 1) == [("192.0.2.1", 1)]
    assert threading.active_count() <= threads + 1
    names.go_on.set()
    assert [found[0][1] for found in await asyncio.gather(*waiting)] == list(range(1000))
    assert names.asked == ["dead", "b"]


async def test_whoever_stops_waiting_takes_nothing_from_the_others(names, resolver):
    names.said["dead"] = "hangs"
    first, second = (asyncio.ensure_future(resolver("dead", 1)) for _ in range(2))
    await until(lambda: names.asked)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    names.go_on.set()
    assert await second == [("192.0.2.9", 1)]


async def test_names_that_hang_take_a_bounded_number_of_threads_and_those_given_up_leave_the_queue(names, resolver):
    dead = [f"dead{number}" for number in range(AT_ONCE + 50)]
    names.said |= dict.fromkeys(dead, "hangs")
    waiting = [asyncio.ensure_future(resolver(name, 1)) for name in dead]
    await until(lambda: len(names.asked) == AT_ONCE)
    late = asyncio.ensure_future(resolver("good", 1))
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert len(names.asked) == AT_ONCE
    names.go_on.set()
    assert await late == [("192.0.2.1", 1)]
    await until(lambda: not resolver._flights and not resolver._flying)
    assert set(names.asked) == {*dead[:AT_ONCE], "good"}


@pytest.mark.parametrize("trouble", ["hangs", AGAIN])
async def test_a_name_known_before_is_bridged_while_the_resolver_is_in_trouble(names, resolver, trouble, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    assert await resolver("a", 1) == [("192.0.2.1", 1)]
    names.said["a"] = trouble
    assert await resolver("a", 2) == [("192.0.2.1", 2)]


async def test_what_was_known_too_long_ago_bridges_nothing(names, resolver, monkeypatch):
    await resolver("a", 1)
    monkeypatch.setattr(module, "STALE", 0.0)
    names.said["a"] = AGAIN
    with pytest.raises(Unresolved):
        await resolver("a", 1)


async def test_a_name_that_is_gone_is_gone_at_once(names, resolver):
    await resolver("a", 1)
    names.said["a"] = GONE
    with pytest.raises(Unresolved, match="Name or service not known"):
        await resolver("a", 1)


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example", "a\0b", ""])
async def test_what_is_no_name_does_not_resolve(host):
    with pytest.raises(Unresolved):
        await Resolver(asyncio.get_running_loop())(host, 1) if host else await _empty()


async def _empty():
    def look_up(host, port, **_):
        return []

    return await Resolver(asyncio.get_running_loop(), look_up)("a", 1)


async def test_as_many_names_are_remembered_as_there_is_room_for(names, resolver, monkeypatch):
    monkeypatch.setattr(module, "KNOWN", 3)
    for name in "abcdef":
        await resolver(name, 1)
    assert list(resolver._known) == ["d", "e", "f"]
