"""Writes of one turn of the loop leave together, in order, and none to a closed transport."""

import asyncio

from penstock.core.outbox import FEW, MOST, Outbox

MANY = range(FEW)


class Transport:
    """Remembers what was written to it."""

    def __init__(self, *, closing: bool = False) -> None:
        self.written: list[bytes] = []
        self.closing = closing

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closing


async def turn():
    await asyncio.sleep(0)


async def test_what_is_written_in_one_turn_leaves_at_its_end_in_order():
    outbox, one, two = Outbox(asyncio.get_running_loop(), MANY), Transport(), Transport()
    outbox.write(one, b"a")
    outbox.write(two, b"b")
    outbox.write(one, b"c")
    assert (one.written, two.written) == ([], [])
    await turn()
    assert (one.written, two.written) == ([b"a", b"c"], [b"b"])


async def test_a_flush_is_at_once_and_what_comes_after_it_leaves_as_well():
    outbox, transport = Outbox(asyncio.get_running_loop(), MANY), Transport()
    outbox.write(transport, b"a")
    outbox.flush()
    assert transport.written == [b"a"]
    outbox.write(transport, b"b")
    await turn()
    assert transport.written == [b"a", b"b"]


async def test_nothing_is_written_to_a_closed_transport():
    outbox, closed, open_ = Outbox(asyncio.get_running_loop(), MANY), Transport(closing=True), Transport()
    outbox.write(closed, b"a")
    outbox.write(open_, b"b")
    await turn()
    assert (closed.written, open_.written) == ([], [b"b"])


async def test_while_few_calls_run_nothing_waits():
    outbox, transport, closed = Outbox(asyncio.get_running_loop(), MANY[1:]), Transport(), Transport(closing=True)
    outbox.write(transport, b"a")
    outbox.write(closed, b"b")
    assert (transport.written, closed.written) == ([b"a"], [])


async def test_order_holds_when_the_calls_become_few():
    calls = [*MANY]
    outbox, transport = Outbox(asyncio.get_running_loop(), calls), Transport()
    outbox.write(transport, b"a")
    calls.clear()
    outbox.write(transport, b"b")
    await turn()
    assert transport.written == [b"a", b"b"]


async def test_much_is_written_at_once_so_that_it_shows_whether_the_peer_reads():
    outbox, transport, other = Outbox(asyncio.get_running_loop(), MANY), Transport(), Transport()
    outbox.write(other, b"first")
    outbox.write(transport, b"x" * MOST)
    assert (other.written, transport.written) == ([b"first"], [b"x" * MOST])
    outbox.write(transport, b"y")
    await turn()
    assert transport.written[1:] == [b"y"]
