"""A channel of a real Redis, which hangs and goes; what others use it for: test_bus.py, cache/test_redis.py."""

import os
import signal

import pytest

from penstock.backends import redis_channel
from penstock.backends.redis_channel import connect_to, in_words
from penstock.core.tasks import Tasks
from tests.kit.process import eventually
from tests.kit.services import redis


class Listener:
    def __init__(self, url, heartbeat, *, begins=lambda: None):
        self.begun, self.heard, self.away = 0, [], []
        self._begins = begins
        self.tasks = Tasks()
        self.tasks.start(
            "listen",
            redis_channel.listen(
                url,
                "penstock:test",
                listening=self._listening,
                heard=self.heard.append,
                away=lambda error: self.away.append(in_words(error)),
                heartbeat=heartbeat,
            ),
        )

    async def _listening(self):
        self._begins()
        self.begun += 1


@pytest.fixture
def server():
    with redis() as running:
        yield running


async def tell(url, text):
    client = connect_to(url)
    await client.publish("penstock:test", text)
    await client.aclose()


async def test_what_is_told_is_heard_and_silence_is_no_absence(server):
    listener = Listener(server.url, 0.01)
    await eventually(lambda: listener.begun)
    for number in range(20):  # among many heartbeats
        await tell(server.url, f"{number}")
        await eventually(lambda number=number: len(listener.heard) > number)
    await listener.tasks.stop()
    assert listener.heard == [f"{number}".encode() for number in range(20)]
    assert (listener.begun, listener.away) == (1, [])


async def test_one_that_hangs_and_one_that_is_gone_are_away_until_it_listens_again(server):
    listener = Listener(server.url, 0.05)
    await eventually(lambda: listener.begun)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        await eventually(lambda: listener.away == ["it does not answer"])
    finally:
        os.kill(server.pid, signal.SIGCONT)
    await eventually(lambda: listener.begun == 2)
    server.stop()
    await eventually(lambda: len(listener.away) > 1)
    server.start()
    await eventually(lambda: listener.begun == 3)
    await tell(server.url, "again")
    await eventually(lambda: listener.heard == [b"again"])
    await listener.tasks.stop()


async def test_who_cannot_begin_begins_again(server):
    failures = [ValueError("not yet"), ValueError("nor yet")]

    def begins():
        if failures:
            raise failures.pop(0)

    listener = Listener(server.url, 10, begins=begins)
    await eventually(lambda: listener.begun)
    await listener.tasks.stop()
    assert listener.away == ["not yet", "nor yet"]


async def test_news_in_the_place_of_a_heartbeat_are_heard():
    class Channel:
        messages = (None, {"type": "message", "data": b"news"}, {"type": "pong"}, None, None)
        pings = 0

        def __init__(self):
            self.left = iter(self.messages)

        async def get_message(self, **_):
            return next(self.left)

        async def ping(self):
            self.pings += 1

    channel, heard = Channel(), []
    with pytest.raises(TimeoutError):
        await redis_channel._hear(channel, heard.append, 10)
    assert (heard, channel.pings) == ([b"news"], 2)


async def test_who_is_not_told_that_it_listens_does_not():
    class Channel:
        async def subscribe(self, _):
            """Nothing comes of it."""

        async def get_message(self, **_):
            return None

    with pytest.raises(TimeoutError):
        await redis_channel._subscribe(Channel(), "news")
