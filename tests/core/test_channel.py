"""Messages between processes, over a real socket pair."""

import asyncio
import socket

import pytest
import uvloop

from penstock.core.channel import Channel
from penstock.core.tasks import Tasks


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def ends():
    left, right = socket.socketpair()
    with left, right:
        yield left, right


async def test_what_one_end_sends_the_other_receives_in_order(ends):
    left, right = map(Channel, ends)
    await left.send("first")
    await left.send("second", {"a": [1, 2.5, "x", None]}, 7)
    first, second = await right.receive(), await right.receive()
    assert first is not None
    assert second is not None
    assert (first.kind, first.number, first.read(type(None))) == ("first", 0, None)
    assert (second.kind, second.number, second.read(dict)) == ("second", 7, {"a": [1, 2.5, "x", None]})


async def test_both_ends_speak_at_once_and_large_messages_do_not_mix(ends):
    left, right = map(Channel, ends)
    tasks = Tasks()
    large = [bytes([number]) * 1_000_000 for number in range(5)]
    for number, content in enumerate(large):
        tasks.start("left", left.send("large", content, number))
        tasks.start("right", right.send("large", content, number))
    for end in (left, right):
        for _ in large:
            message = await end.receive()
            assert message is not None
            assert message.read(bytes) == large[message.number]


async def test_the_end_of_one_side_is_told_to_the_other(ends):
    left, right = map(Channel, ends)
    await left.send("last")
    ends[0].close()
    assert (await right.receive()) is not None
    assert (await right.receive()) is None
    await right.send("nobody hears this")
    assert (await right.receive()) is None


@pytest.mark.parametrize("rest", [b"", b"\x00\x00", b"\x00\x00\x00\x09half", b"\xff\xff\xff\xff"])
async def test_a_message_that_was_cut_is_none(ends, rest):
    left, right = ends
    left.sendall(rest)
    left.close()
    assert (await Channel(right).receive()) is None
