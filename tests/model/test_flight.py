"""A leader and its followers: all get the same frames, in whatever order they come, go and read slowly."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.errors import ProviderBroke
from penstock.model.flight import Flight
from penstock.model.reply import Body, Reply


class Source(Body):
    """The leader's answer; notes whether it is paused."""

    def __init__(self):
        super().__init__()
        self.paused = False

    def pause(self):
        assert not self.paused
        self.paused = True

    def resume(self):
        assert self.paused
        self.paused = False


class Reader:
    def __init__(self):
        self.frames, self.ended, self.error = [], False, None

    def on_frame(self, data):
        assert not self.ended
        self.frames.append(data)

    def on_end(self):
        self.ended = True

    def on_error(self, error):
        self.error = error


def begun():
    flight, source = Flight(0.0), Source()
    flight.begin(Reply(200, b"", [], source), [], stream=True)
    return flight, source


def following(flight):
    follower, reader = flight.follow(), Reader()
    follower.send_to(reader)
    return follower, reader


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("frame"), st.binary(min_size=1, max_size=3)),
        st.tuples(st.sampled_from(["follow", "outgrow", "slow leader", "quick leader"]), st.just(b"")),
        st.tuples(st.sampled_from(["slow", "quick", "leave"]), st.integers(0, 5)),
    ),
    max_size=40,
)


@given(STEPS, st.booleans())
@settings(max_examples=300)
def test_whoever_follows_gets_every_frame_once_and_in_order(steps, breaks):
    flight, source = begun()
    sent, there = [], []
    for what, about in steps:
        if what == "frame":
            if source.paused:
                continue  # the provider waits
            sent.append(about)
            flight.feed(about)
        elif what == "follow":
            if flight.held:
                there.append(following(flight))
        elif what == "outgrow":
            if flight.held:
                flight.outgrow()
        elif what.endswith("leader"):
            flight.pause() if what.startswith("slow") else flight.resume()
        elif there:
            follower, _ = there[about % len(there)]
            {"slow": follower.pause, "quick": follower.resume, "leave": follower.close}[what]()
            if what == "leave":
                del there[about % len(there)]
        for follower, reader in there:
            assert reader.frames == sent[: len(reader.frames)]
            assert follower.slow or len(reader.frames) == len(sent)
        assert flight.size == sum(map(len, flight.frames))
        slow = flight._leader_slow or any(follower.slow for follower, _ in there)
        assert source.paused is (slow and not (flight.held and there))
    error, left = ProviderBroke() if breaks else None, []
    flight.land(error)
    flight.when_left(lambda: left.append(1))
    for follower, reader in there:
        follower.resume()
        assert reader.frames == sent
        assert (reader.ended, reader.error) == (not breaks, error)
        assert not left
        follower.close()
    assert left == [1]


def test_what_is_not_held_any_more_is_forgotten_as_soon_as_all_have_it():
    flight, _ = begun()
    follower, reader = following(flight)
    for number in range(100):
        flight.feed(b"%d" % number)
    assert len(flight.frames) == 100
    flight.outgrow()
    assert flight.frames == []
    follower.pause()
    flight.feed(b"more")
    assert flight.frames == [b"more"]
    follower.resume()
    flight.feed(b"last")
    assert flight.frames == []
    assert reader.frames[-2:] == [b"more", b"last"]


async def test_who_waits_for_a_head_is_told_when_it_comes():
    flight = Flight(0.0)
    waiting = [asyncio.ensure_future(flight.head()) for _ in range(3)]
    await asyncio.sleep(0)
    flight.begin(Reply(200, b"", [], Source()), [], stream=False)
    assert await asyncio.gather(*waiting) == [True] * 3
    assert await flight.head()


@pytest.mark.parametrize("end", ["refuse", "land"])
async def test_who_waits_for_a_head_that_is_not_for_it_goes_its_own_way(end):
    flight = Flight(0.0)
    waiting = asyncio.ensure_future(flight.head())
    await asyncio.sleep(0)
    flight.refuse() if end == "refuse" else flight.land(ProviderBroke())
    assert await waiting is False
    assert await flight.head() is False


async def test_a_leader_without_its_client_goes_on_until_the_last_has_left():
    flight, _ = begun()
    left = []
    assert not flight.outlives(lambda: left.append(1))  # nobody else wants it
    (one, _), (two, _) = following(flight), following(flight)
    assert flight.outlives(lambda: left.append(1))
    one.close()
    assert not left
    two.close()
    two.close()
    assert left == [1]


async def test_who_waits_for_a_head_keeps_a_leader_going_too():
    flight, left = Flight(0.0), []
    waiting = asyncio.ensure_future(flight.head())
    await asyncio.sleep(0)
    assert flight.outlives(lambda: left.append(1))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert left == [1]


async def test_between_the_head_and_the_first_frame_a_leader_is_kept_going():
    flight, left = Flight(0.0), []
    waiting = asyncio.ensure_future(flight.head())
    await asyncio.sleep(0)
    flight.begin(Reply(200, b"", [], Source()), [], stream=True)
    assert flight.outlives(lambda: left.append(1))  # it has been woken, and has not taken it yet
    assert await waiting
    follower, _ = following(flight)
    assert not left
    follower.close()
    assert left == [1]


async def test_after_the_end_too_who_was_woken_may_still_follow():
    flight, left = Flight(0.0), []
    waiting = asyncio.ensure_future(flight.head())
    await asyncio.sleep(0)
    flight.begin(Reply(200, b"", [], Source()), [], stream=True)
    flight.feed(b"all")
    flight.land(None)
    flight.when_left(lambda: left.append(1))
    assert await waiting
    follower, reader = following(flight)
    assert (reader.frames, reader.ended, left) == ([b"all"], True, [])
    follower.close()
    assert left == [1]
