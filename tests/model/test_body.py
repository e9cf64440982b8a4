"""A request body while it arrives: what is held, what streams, what is counted."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.budget import Budget
from penstock.core.errors import BodyTooLarge, MalformedRequest, Overloaded, PenstockError
from penstock.model.body import Bounds, RequestBody


class Client:
    """The reading side; remembers what it was told."""

    def __init__(self):
        self.told = []
        self.paused = False

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False

    def proceed(self):
        self.told.append("proceed")


class Sink:
    def __init__(self):
        self.data = b""
        self.ends = 0
        self.errors = []

    def on_frame(self, data):
        assert not self.ends
        assert not self.errors
        self.data += data

    def on_end(self):
        self.ends += 1

    def on_error(self, error):
        self.errors.append(error)


def a_body(*, hold=10, keep=20, limit=50, memory=1000, length=None):
    client = Client()
    return client, RequestBody(client, Bounds(hold=hold, keep=keep, limit=limit, budget=Budget(memory)), length)


CHUNKS = st.lists(st.binary(max_size=30), max_size=8)
STEPS = st.lists(st.sampled_from(["sink", "feed", "finish", "fail", "release"]), max_size=12)


@given(CHUNKS, STEPS, st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 100))
def test_what_is_held_is_what_is_charged_and_all_of_it_comes_back(chunks, steps, hold, keep, limit, memory):
    _, body = a_body(hold=hold, keep=keep, limit=limit, memory=memory)
    budget = body.bounds.budget
    feeding = iter(chunks)
    over = False
    for step in steps:
        if step == "release":
            body.release()
            assert budget.used == 0
            break
        if step == "sink":
            body.send_to(Sink())
        elif step == "feed" and not over:
            body.feed(next(feeding, b""))
        elif step == "finish" and not over:
            over = True
            body.finish()
        elif step == "fail":
            body.fail(MalformedRequest())
        assert budget.used == body.held == sum(map(len, body.chunks)) <= memory
    body.release()
    body.release()
    assert (budget.used, body.chunks) == (0, [])


@given(CHUNKS, st.integers(0, 8), st.integers(0, 60), st.integers(0, 60), st.integers(0, 100))
def test_a_sink_gets_every_byte_once_whenever_it_comes_or_the_error_and_no_end(chunks, when, hold, keep, limit):
    _, body = a_body(hold=hold, keep=keep, limit=limit)
    sink = Sink()
    for number, chunk in enumerate(chunks):
        if number == when:
            body.send_to(sink)
        body.feed(chunk)
    body.finish()
    whole = b"".join(chunks)
    late = when >= len(chunks)
    if late and body.error is None and body.rewindable():
        body.send_to(sink)
    if body.error is not None:
        assert len(whole) > limit
        assert sink.ends == 0
        assert whole.startswith(sink.data)
    elif not late or body.rewindable():
        assert (sink.data, sink.ends, sink.errors) == (whole, 1, [])
    assert body.size == len(whole)
    assert body.kept() == (whole if body.held == len(whole) <= keep else None)
    body.release()


async def test_a_small_body_is_waited_for_and_held_whole():
    client, body = a_body()
    ready = asyncio.ensure_future(body.ready())
    await asyncio.sleep(0)
    assert client.told == ["proceed"]
    body.feed(b"hel")
    body.feed(b"lo")
    assert (body.whole(), ready.done()) == (None, False)
    body.finish()
    await ready
    assert (body.whole(), body.whole(), body.kept(), client.paused) == (b"hello", b"hello", b"hello", False)


async def test_a_body_that_is_here_is_not_asked_for():
    client, body = a_body()
    body.finish()
    await body.ready()
    assert (client.told, body.whole()) == ([], b"")


async def test_a_larger_body_is_ready_as_soon_as_it_is_too_large_to_hold_and_its_client_pauses():
    client, body = a_body()
    ready = asyncio.ensure_future(body.ready())
    await asyncio.sleep(0)
    body.feed(b"x" * 11)
    await ready
    assert client.paused
    sink = Sink()
    body.send_to(sink)
    assert not client.paused
    body.feed(b"y" * 9)
    assert body.rewindable()
    body.feed(b"z")
    assert not body.rewindable()
    body.finish()
    assert (sink.data, sink.ends) == (b"x" * 11 + b"y" * 9 + b"z", 1)
    assert (body.whole(), body.kept(), body.bounds.budget.used) == (None, None, 0)


async def test_a_body_said_to_be_too_large_is_not_asked_for():
    client, body = a_body(length=51)
    with pytest.raises(BodyTooLarge, match="50"):
        await body.ready()
    assert client.told == []


@pytest.mark.parametrize("then", ["nothing", "finish", "more"])
@pytest.mark.parametrize("waiting", [False, True])
@pytest.mark.parametrize(
    ("bounds", "error"), [({"limit": 5}, BodyTooLarge), ({"memory": 5}, Overloaded), ({}, MalformedRequest)]
)
async def test_what_went_wrong_is_raised_whatever_came_after_it(bounds, error, waiting, then):
    """A body that ends in the same packet is complete, and yet not whole."""
    _, body = a_body(**bounds)
    ready = None
    if waiting:
        ready = asyncio.ensure_future(body.ready())
        await asyncio.sleep(0)
    body.feed(b"123456")
    if not bounds:
        body.fail(MalformedRequest())
    if then == "more":
        body.feed(b"7")
    if then != "nothing":
        body.finish()
    with pytest.raises(error):
        await (ready or body.ready())
    assert body.bounds.budget.used <= 6


def test_only_the_first_error_counts_and_none_after_the_end():
    _, body = a_body()
    sink = Sink()
    body.send_to(sink)
    body.fail(MalformedRequest("first"))
    body.fail(MalformedRequest("second"))
    assert [str(error) for error in sink.errors] == ["first"]
    _, body = a_body()
    body.finish()
    body.fail(PenstockError("late"))
    assert body.error is None


def test_flow_is_only_controlled_while_something_is_to_come():
    client, body = a_body()
    body.pause()
    assert client.paused
    body.resume()
    assert not client.paused
    body.finish()
    body.pause()
    assert not client.paused


def test_a_copy_for_the_log_gives_way_where_memory_is_short():
    _, body = a_body(hold=1, keep=100, limit=100, memory=10)
    sink = Sink()
    body.send_to(sink)
    for _ in range(4):
        body.feed(b"12345")
    body.finish()
    assert (sink.data, sink.ends, sink.errors) == (b"12345" * 4, 1, [])
    assert (body.kept(), body.bounds.budget.used) == (None, 0)


def test_small_pieces_are_put_together_so_that_memory_is_what_is_charged():
    _, body = a_body(hold=100_000, keep=100_000, limit=100_000, memory=100_000)
    for _ in range(20_000):
        body.feed(b"ab")
    assert (body.held, len(body.chunks)) == (40_000, 10)
    body.finish()
    assert body.whole() == b"ab" * 20_000


def test_a_body_larger_than_the_log_may_hold_is_not_kept_though_it_is_held():
    _, body = a_body(hold=10, keep=4)
    body.feed(b"hello")
    body.finish()
    assert (body.whole(), body.kept()) == (b"hello", None)


def test_what_is_held_moves_to_the_share_that_it_is_charged_to():
    _, body = a_body(hold=100, memory=1000, limit=1000)
    budget = body.bounds.budget
    body.feed(b"x" * 50)
    share = budget.share("a", 1)
    body.charge(share)
    assert (budget.used, share.used) == (50, 50)
    body.feed(b"x" * 20)
    assert (budget.used, share.used) == (70, 70)
    body.release()
    assert (budget.used, share.used) == (0, 0)


def test_a_share_without_room_refuses_what_is_held_and_gives_it_back():
    _, body = a_body(hold=1000, memory=1000, limit=1000)
    budget = body.bounds.budget
    body.feed(b"x" * 400)
    with pytest.raises(Overloaded):
        body.charge(budget.share("a", 1))
    body.release()
    assert budget.used == 0


def test_a_large_body_of_known_length_has_its_room_before_it_comes_or_streams():
    for memory, held in ((20_000_000, True), (2_000_000, False)):
        _, body = a_body(hold=1_000, memory=memory, length=2_000_000, limit=10_000_000)
        body.hold(5_000_000)
        assert body.bounds.budget.used == (2_000_000 if held else 0)
        for _ in range(200):
            body.feed(b"x" * 10_000)
        body.finish()
        assert (body.whole() is not None) is held
        body.release()
        assert body.bounds.budget.used == 0


def test_a_body_that_was_too_large_comes_on_once_it_may_be_held():
    client, body = a_body(hold=10, memory=10_000, length=100, limit=1000)
    body.feed(b"x" * 50)
    assert client.paused
    body.hold(500)
    assert not client.paused
