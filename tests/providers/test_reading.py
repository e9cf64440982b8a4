"""How much of an answer is read in one go, how much is held of it, and where reading ends."""

import asyncio
import gzip

import brotli
import pytest
import zstandard

from penstock.core.budget import Budget
from penstock.core.turns import Step, Turns
from penstock.model.pace import Pace
from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS, Dialect
from penstock.providers.reading import NOT_KEPT, Stream, Whole
from penstock.providers.reading.base import AHEAD, NO_ROOM, STOPPED, TOO_LARGE, TOO_MUCH, UNREADABLE
from penstock.providers.reading.stream import EVENTS, FEW
from penstock.wire.encodings import MEMBERS
from penstock.wire.sse import LINES

CHAT = DIALECTS["openai_chat"]
EVENT = b"data:{}\n\n"
WORD = b"data:" + b"x" * 293 + b"\n\n"
TOLD = Reported("m", b'{"prompt_tokens":1}')


class Reader:
    """Looks at every event."""

    def __init__(self) -> None:
        self.events = 0
        self.fault: Exception | None = None

    def dull(self, data: bytes) -> bool:
        return False

    def event(self, data: bytes) -> None:
        self.events += 1
        if self.fault is not None:
            raise self.fault

    def reported(self) -> Reported:
        return TOLD


class Steps(Turns):
    """Turns that come when the test says so."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, step: Step) -> None:
        self.steps.append(step)


def a_stream(coding: bytes = b"", room: int = 1 << 30, keep: int = 0) -> tuple[Stream, Reader, Steps, Budget]:
    reader, steps, budget = Reader(), Steps(), Budget(room)
    return Stream(CHAT._replace(reader=lambda: reader), coding, keep, budget, steps), reader, steps, budget


def a_whole(coding: bytes = b"", dialect: Dialect | None = None, room: int = 1 << 30) -> tuple[Whole, Steps, Budget]:
    steps, budget = Steps(), Budget(room)
    return Whole(dialect, coding, 1 << 24, budget, steps), steps, budget


@pytest.mark.parametrize("coding", [b"", b"gzip"])
@pytest.mark.parametrize("event", [EVENT, b"\n\n" * 5 + EVENT])
async def test_what_comes_at_once_is_read_in_slices_and_waited_for(coding: bytes, event: bytes) -> None:
    stream, reader, steps, budget = a_stream(coding)
    data = event * 50_000
    sent = gzip.compress(data, 0) if coding else data
    assert stream.feed(sent) is sent
    assert reader.events < 5000, "in one go"
    assert budget.used > len(sent) * 0.9, "what waits is counted"
    rest = stream.rest()
    assert rest is not None
    (step,) = steps.steps
    before, waited = reader.events, budget.used
    while step():
        assert budget.used <= waited, "and no longer than it waits"
        waited = budget.used
        assert reader.events - before < 5000
        before = reader.events
    await rest
    assert reader.events == 50_000
    assert stream.reported() == TOLD
    stream.close()
    assert budget.used == 0


def test_a_small_plain_frame_needs_no_turn() -> None:
    stream, reader, steps, _ = a_stream()
    for _ in range(100):
        stream.feed(EVENT * 20)
    assert (reader.events, steps.steps, stream.rest()) == (2000, [], None)
    whole, steps, _ = a_whole(b"gzip")
    whole.feed(gzip.compress(bytes(1000)))
    assert (steps.steps, whole.rest()) == ([], None)


def finished(reading: Stream | Whole, steps: Steps) -> str:
    while steps.steps and steps.steps[0]():
        pass
    reading.reported()
    fault = reading.fault
    reading.close()
    return fault


def test_an_answer_that_is_mostly_air_is_not_read() -> None:
    stream, reader, steps, budget = a_stream(b"gzip")
    stream.feed(gzip.compress(b"\n\n" * (10 << 20)))
    assert finished(stream, steps) == TOO_MUCH
    assert (reader.events, budget.used) == (0, 0)


def test_events_beyond_number_are_not_read() -> None:
    stream, reader, steps, _ = a_stream()
    for _ in range(EVENTS // 100 + 1):
        stream.feed(EVENT * 100)
    assert finished(stream, steps) == TOO_MUCH
    assert reader.events == EVENTS
    assert stream.reported().raw == b"", "it may have changed since"


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("frame", [1000, 1 << 20])
def test_an_event_of_too_many_lines_is_not_read(end: bytes, frame: int) -> None:
    stream, reader, steps, budget = a_stream()
    data = b"data: 1" + end + end + b":" + (end + b":") * (LINES + 1) + end + end + b"data: 2" + end + end
    for at in range(0, len(data), frame):
        stream.feed(data[at : at + frame])
    assert finished(stream, steps) == TOO_LARGE
    assert (reader.events, budget.used) == (2, 0)
    assert stream.reported().lost


def test_a_small_frame_of_too_many_lines_is_not_read() -> None:
    stream, reader, steps, _ = a_stream()
    stream.feed(b"x" + b"\nx" * LINES + b"\n\n")
    assert finished(stream, steps) == TOO_LARGE
    assert reader.events == 0


@pytest.mark.parametrize("member", [b"[],", b"1,", b'{"a":1},'])
def test_a_large_text_of_many_members_is_not_parsed(member: bytes) -> None:
    body = b'{"usage":[' + member * ((4 << 20) // len(member)) + b"0]}"
    whole, _, _ = a_whole(dialect=CHAT)
    whole.feed(body)
    told = whole.reported()
    assert told is not None
    assert (told.raw, bool(told.unread)) == (b"", True)


def test_a_large_text_of_few_members_is() -> None:
    body = b'{"data":[' + b"0.0123456789," * 200_000 + b'0],"model":"m","usage":{"prompt_tokens":3}}'
    whole, _, _ = a_whole(dialect=CHAT)
    whole.feed(body)
    told = whole.reported()
    assert told is not None
    assert told.raw == b'{"prompt_tokens":3}'


def test_gzip_members_beyond_number_are_not_read() -> None:
    whole, steps, _ = a_whole(b"gzip", CHAT)
    whole.feed(gzip.compress(b"") * (MEMBERS + 1))
    assert finished(whole, steps) == UNREADABLE


def test_small_encoded_bytes_buy_few_events() -> None:
    stream, reader, steps, budget = a_stream(b"gzip")
    stream.feed(gzip.compress(b'data:{"error":0}\n\n' * 200_000))
    assert finished(stream, steps) == TOO_MUCH
    assert (reader.events <= 2 * FEW, budget.used) == (True, 0)


class Flow:
    """A source that notes whether it is paused."""

    paused = False

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


def reads_on(steps: Steps) -> None:
    while steps.steps and steps.steps[0]():
        pass
    steps.steps.clear()


async def test_a_stream_that_comes_faster_than_it_is_read_is_paused_and_read_whole() -> None:
    stream, reader, steps, budget = a_stream(room=4 << 20)
    flow = Flow()
    stream.pace = Pace(flow)
    most = fed = 0
    while fed < 100_000 and not stream.fault:
        while not flow.paused:
            stream.feed(WORD * 100)
            fed += 100
        most = max(most, budget.used)
        reads_on(steps)
        await asyncio.sleep(0)
    assert (stream.fault, stream.reported(), most < 2 * AHEAD) == ("", TOLD, True)
    stream.close()
    assert (reader.events, budget.used) == (fed, 0)


def test_what_is_kept_for_the_log_makes_room_for_reading() -> None:
    stream, reader, steps, budget = a_stream(room=1 << 20, keep=1 << 20)
    for _ in range(2000):
        stream.feed(WORD)
    assert budget.used > 500_000
    stream.feed(WORD * 2000)
    assert finished(stream, steps) == NOT_KEPT
    assert (reader.events, stream.kept, budget.used) == (4000, None, 0)


async def test_what_is_not_read_any_further_is_not_held_up() -> None:
    stream, _, steps, _ = a_stream()
    flow = Flow()
    stream.pace = Pace(flow)
    stream.feed(EVENT * EVENTS + EVENT)
    assert flow.paused
    reads_on(steps)
    await asyncio.sleep(0)
    assert (stream.fault, flow.paused) == (TOO_MUCH, False)


WIDE = (b":" + b"x" * 997 + b"\n\n") * 1000


@pytest.mark.parametrize(
    ("coding", "sent"),
    [
        (b"br", brotli.compress(WIDE, lgwin=24)),
        (b"zstd", zstandard.compress(WIDE)),
        (b"gzip, br", brotli.compress(gzip.compress(WIDE, 0, mtime=0))),
        (b"zstd, br", brotli.compress(zstandard.compress(WIDE))),
    ],
)
def test_what_a_decoder_keeps_of_its_output_is_counted(coding: bytes, sent: bytes) -> None:
    for room, fault in ((1 << 30, ""), (1 << 19, NO_ROOM)):
        stream, _, steps, budget = a_stream(coding, room)
        stream.feed(sent)
        reads_on(steps)
        assert (stream.fault, 900_000 < budget.used < 1_100_000) == (fault, not fault)
        stream.close()
        assert budget.used == 0


def test_an_event_that_does_not_end_is_counted() -> None:
    stream, _, steps, budget = a_stream()
    for _ in range(100):
        stream.feed(b"x" * 10_000)
        while steps.steps and steps.steps[0]():
            pass
    assert budget.used >= 990_000
    stream.feed(b"\n\n")
    assert budget.used == 0
    for _ in range(100):
        stream.feed(b"x" * 10_000)
    stream.close()
    assert budget.used == 0
    stream, _, _, budget = a_stream(room=50_000)
    for _ in range(6):
        stream.feed(b"x" * 10_000)
    assert (stream.fault, budget.used) == (NO_ROOM, 0)


def test_decoded_bytes_are_counted() -> None:
    whole, steps, budget = a_whole(b"gzip", CHAT)
    whole.feed(gzip.compress(bytes(1 << 20)))
    while steps.steps[0]():
        pass
    assert budget.used >= 1 << 20
    whole.reported()
    whole.close()
    assert budget.used == 0
    whole, steps, budget = a_whole(b"gzip", CHAT, room=1 << 19)
    whole.feed(gzip.compress(bytes(1 << 20)))
    assert finished(whole, steps) == NO_ROOM
    assert budget.used == 0


def test_a_gateway_that_stops_does_not_wait() -> None:
    stream, _, _, budget = a_stream()
    stream.feed(EVENT * 50_000)
    assert stream.reported().raw == b""
    stream.close()
    assert (stream.fault, budget.used) == (STOPPED, 0)


async def test_what_fails_in_a_turn_is_raised_at_the_end() -> None:
    stream, reader, steps, budget = a_stream()
    reader.fault = KeyError("x")
    stream.feed(EVENT * 50_000)
    rest = stream.rest()
    assert rest is not None
    assert not steps.steps[0]()
    await asyncio.wait_for(rest, 5)
    with pytest.raises(KeyError):
        stream.close()
    assert budget.used == 0
