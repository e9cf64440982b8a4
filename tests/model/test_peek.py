"""What was looked at is still there."""

import asyncio

import pytest

from penstock.core.errors import ProviderBroke
from penstock.model.peek import peek
from penstock.model.reply import Body


class Sink:
    def __init__(self):
        self.seen = []

    def on_frame(self, data):
        self.seen.append(data)

    def on_end(self):
        self.seen.append("end")

    def on_error(self, error):
        self.seen.append(error)


class Paused(Body):
    state = ""

    def pause(self):
        self.state += "paused "

    def resume(self):
        self.state += "resumed"


async def test_a_body_that_ends_is_seen_whole_and_stays():
    body, sink = Body(), Sink()
    body.feed(b"a")
    looking = asyncio.ensure_future(peek(body, 100, 5.0))
    await asyncio.sleep(0)
    body.feed(b"b")
    body.finish()
    assert await looking == b"ab"
    body.send_to(sink)
    assert sink.seen == [b"a", b"b", "end"]


async def test_a_large_one_waits_until_it_is_taken():
    body, sink = Paused(), Sink()
    body.feed(b"abc")
    assert await peek(body, 2, 5.0) == b"abc"
    assert body.state == "paused resumed"
    body.feed(b"d")
    body.send_to(sink)
    assert sink.seen == [b"abc", b"d"]


@pytest.mark.parametrize("breaks", [True, False])
async def test_one_that_breaks_or_pauses_is_seen_as_far_as_it_came(breaks):
    body, sink, error = Body(), Sink(), ProviderBroke()
    body.feed(b"a")
    if breaks:
        body.fail(error)
    assert await peek(body, 100, 5.0 if breaks else 0.001) == b"a"
    body.send_to(sink)
    assert sink.seen == ([b"a", error] if breaks else [b"a"])
