"""One call that others wait for: a leader makes it, and whoever asks the same meanwhile follows it, frame by frame.

The leader's call goes on as long as somebody wants its answer: where its client leaves, until the last follower has.
A slow client keeps nobody waiting while the answer is small enough to be held; beyond that, all go at the pace of the
slowest.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from penstock.core.errors import PenstockError
from penstock.core.headers import Headers
from penstock.model.body import Sink
from penstock.model.reply import GO, Body, Reply, Source
from penstock.model.usage import Reported


class Follower(Body):
    """The answer, as one of those gets it who follow."""

    __slots__ = ("_flight", "at", "slow")

    def __init__(self, flight: "Flight") -> None:
        super().__init__()
        self._flight = flight
        self.at = 0  # of the answer's frames, the next that is due here
        self.slow = False

    def send_to(self, sink: Sink) -> None:
        self._sink = sink
        self.pump()

    def pump(self) -> None:
        """Hands on what has come, and the end."""
        flight, given = self._flight, 0
        while self._sink is not None and not self.slow and self.at < flight.end:
            if given >= GO:
                asyncio.get_running_loop().call_soon(self.pump)
                return
            frame = flight.frames[self.at - flight.base]
            self.at += 1
            given += len(frame)
            self._sink.on_frame(frame)
        if self._sink is None or self.at < flight.end or not flight.over or self.complete:
            return
        if flight.error is not None:
            self.fail(flight.error)
        else:
            self.finish()

    def pause(self) -> None:
        self.slow = True
        self._flight.regulate()

    def resume(self) -> None:
        self.slow = False
        self.pump()
        self._flight.regulate()

    def close(self, _: object = None) -> None:
        super().close()
        self._flight.leave(self)


class Flight:
    """What the leader and its followers share. The leader's client pauses it, too, in the place of the answer.

    ``began``: when the leader's call did, on the monotonic clock. ``form``: what its answer is written in.
    """

    __slots__ = (
        "_abandon",
        "_followers",
        "_leader_slow",
        "_left",
        "_paused",
        "_source",
        "_waiting",
        "answer",
        "base",
        "began",
        "error",
        "fault",
        "form",
        "frames",
        "headers",
        "held",
        "length",
        "over",
        "shared",
        "size",
        "status",
        "stream",
    )

    def __init__(self, began: float, form: str = "") -> None:
        self.began = began
        self.form = form
        self.shared: bool | None = None  # whether the answer may be followed; None: its head has not come
        self.status = 0
        self.headers: Headers = []
        self.stream = False
        self.length: int | None = None  # of the whole answer, where it was told
        self.frames: list[bytes] = []  # from ``base`` on
        self.base = 0
        self.size = 0  # bytes of those
        self.held = True  # all of them, from the first
        self.over = False
        self.error: PenstockError | None = None
        self.answer: Any = None  # what was kept of it, once it is over
        self.fault: Reported | None = None  # what its dialect found wrong with an answer that HTTP calls complete
        self._source: Source | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._followers: list[Follower] = []
        self._leader_slow = self._paused = False
        self._abandon: Callable[[], object] | None = None
        self._left: Callable[[], object] | None = None

    @property
    def end(self) -> int:
        """How many frames have come."""
        return self.base + len(self.frames)

    # The leader's side

    def begin(self, reply: Reply, headers: Headers, *, stream: bool) -> None:
        """The head is here: who waits may follow."""
        self.shared, self.status, self.headers, self.stream = True, reply.status, headers, stream
        self.length = reply.length
        self._source = reply.source
        self._wake()

    def feed(self, data: bytes) -> None:
        if self.held or self._followers:
            self.frames.append(data)
            self.size += len(data)
            for follower in tuple(self._followers):
                follower.pump()
        if not self.held:
            self._drop()

    def outgrow(self) -> None:
        """The answer is too large to be held for others than those who follow it now."""
        self.held = False
        self._drop()
        self.regulate()

    def land(self, error: PenstockError | None) -> None:
        """It is over; ``error``: it broke off. Whoever waits for a head that never came goes its own way."""
        self.shared = bool(self.shared)
        self.over, self.error = True, error
        self._wake()
        for follower in tuple(self._followers):
            follower.pump()

    def when_left(self, call: Callable[[], object]) -> None:
        """It is over; ``call``, once nobody follows any more: what a slow client has still to get is held so long."""
        self._left = call
        self._unwanted()

    def refuse(self) -> None:
        """The answer is for the leader alone."""
        self.shared = False
        self._wake()

    def outlives(self, abandon: Callable[[], object]) -> bool:
        """The leader's client has left. Whether others want the answer; then ``abandon`` is called when they do not."""
        if not (self._waiting or self._followers) or self.over:
            return False
        self._abandon, self._leader_slow = abandon, False
        self.regulate()
        return True

    def pause(self) -> None:
        self._leader_slow = True
        self.regulate()

    def resume(self) -> None:
        self._leader_slow = False
        self.regulate()

    # The followers' side

    async def head(self) -> bool:
        """Waits for the leader's head; whether the answer may be followed."""
        if self.shared is None:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                self._waiting.remove(waiter)
                self._unwanted()
                raise
            self._waiting.remove(waiter)  # only now: meanwhile the leader may have lost its client
        wanted = bool(self.shared) and self.held and self.error is None
        if not wanted:
            self._unwanted()
        return wanted

    def follow(self) -> Follower:
        follower = Follower(self)
        self._followers.append(follower)
        self.regulate()
        return follower

    def leave(self, follower: Follower) -> None:
        if follower in self._followers:
            self._followers.remove(follower)
            self.regulate()
            self._unwanted()

    def regulate(self) -> None:
        """The provider waits while somebody reads slowly for whom nothing more may be held."""
        if self.held and self._followers:
            wanted = False
        else:
            wanted = self._leader_slow or any(follower.slow for follower in self._followers)
        if wanted == self._paused or self._source is None:
            return
        self._paused = wanted
        if wanted:
            self._source.pause()
        else:
            self._source.resume()

    def _drop(self) -> None:
        """What nobody needs any more."""
        needed = min((follower.at for follower in self._followers), default=self.end)
        self.size -= sum(map(len, self.frames[: needed - self.base]))
        del self.frames[: needed - self.base]
        self.base = needed

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _unwanted(self) -> None:
        """Somebody has left: was it the last?"""
        if self._waiting or self._followers:
            return
        if not self.over:
            if self._abandon is not None:
                self._abandon()
        elif self._left is not None:
            left, self._left = self._left, None  # it holds this: a circle
            left()
