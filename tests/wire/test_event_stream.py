"""AWS event streams: each message an event, wherever the frames were cut, and nothing that is corrupt."""

import json
from base64 import b64encode
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.mock.providers.eventstream import event, exception, message
from penstock.wire.event_stream import HEAD, HEADERS, LARGEST, Messages
from penstock.wire.sse import Piece, data_of, split

# Vectors that AWS publishes with its SDKs
EMPTY = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2H\xeb}\x98\xc8\xff"
PLAIN = b"\x00\x00\x00\x1d\x00\x00\x00\x00\xfdR\x8cZ{'foo':'bar'}\xc3e96"
NUMBER = b"\x00\x00\x00+\x00\x00\x00\x0e4\x8b\xec{\x08event-id\x04\x00\x00\xa0\x0c{'foo':'bar'}\xd3\x89\x02\x85"
TEXT = (
    b"\x00\x00\x00=\x00\x00\x00 \x07\xfd\x83\x96\x0ccontent-type\x07\x00\x10application/json"
    b"{'foo':'bar'}\x8d\x9c\x08\xb1"
)

STREAM = (
    event("messageStart", b'{"role":"assistant"}')
    + event("chunk", b'{"bytes":"%b"}' % b64encode(b'{"type":"ping"}'))
    + event("metadata", b'{\r\n"usage": {}}')
    + exception("throttlingException", b'{"message":"m"}')
)
EVENTS = [
    b'data: {"messageStart":{"role":"assistant"}}\n\n',
    b'data: {"type":"ping"}\n\n',
    b'data: {"metadata":{  "usage": {}}}\n\n',
    b'event: error\ndata: {"throttlingException":{"message":"m"}}\n\n',
]


def events_of(*frames: bytes) -> list[bytes]:
    """Events, and Pieces."""
    cutter = Messages()
    found = list[bytes]()
    for frame in frames:
        for block in cutter.feed(frame):
            found += [block] if type(block) is Piece else split(block)
    return found


@pytest.mark.parametrize("vector", [EMPTY, PLAIN, NUMBER, TEXT])
def test_published_vectors_are_messages(vector: bytes) -> None:
    (found,) = events_of(vector)
    assert type(found) is not Piece
    for at in range(len(vector)):
        flipped = bytearray(vector)
        flipped[at] ^= 1
        assert all(type(one) is Piece for one in events_of(bytes(flipped))), "a checksum holds it"


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_cuts_do_not_matter(at: list[int]) -> None:
    edges = [0, *sorted(at), len(STREAM)]
    assert events_of(*(STREAM[a:b] for a, b in pairwise(edges))) == EVENTS


def test_nor_does_a_frame_a_byte() -> None:
    assert events_of(*(bytes([byte]) for byte in STREAM)) == EVENTS


def test_what_is_not_complete_is_no_event() -> None:
    cutter = Messages()
    cutter.feed(STREAM[:-1])
    assert cutter.holding
    assert type(cutter.rest()) is Piece
    assert (cutter.holding, cutter.held, cutter.rest()) == (False, 0, b"")


def test_after_a_corrupt_message_nothing_is_read_or_held() -> None:
    cutter = Messages()
    good, *more = cutter.feed(STREAM + b"\xff" * 12 + STREAM)
    assert [good, *map(type, more)] == [b"".join(EVENTS), Piece]
    (piece,) = cutter.feed(STREAM)
    assert (type(piece), cutter.held) == (Piece, 0)


@pytest.mark.parametrize(
    "large",
    [
        event("e", b"x" * LARGEST),
        message({f"h{at}": "" for at in range(HEADERS + 1)}, b""),
        message({"a": "x" * HEAD}, b""),
    ],
)
def test_what_is_too_large_is_not_read(large: bytes) -> None:
    assert {type(found) for found in events_of(large)} == {Piece}


def test_what_is_too_large_is_not_held_either() -> None:
    cutter = Messages()
    large = event("e", b"x" * LARGEST)
    assert [type(block) for block in cutter.feed(large[:20])] == [Piece]
    assert cutter.held == 0


@pytest.mark.parametrize("name", ['a"', "a\n", "", "\xff"])
def test_a_type_cannot_break_out_of_its_event(name: str) -> None:
    (found,) = events_of(event(name, b"{}"))
    assert found == b'data: {"unknown":{}}\n\n'


@given(st.binary(max_size=200))
def test_any_payload_stays_one_event(payload: bytes) -> None:
    (found,) = events_of(event("e", payload))
    line = payload.replace(b"\r", b" ").replace(b"\n", b" ") or b"null"
    assert data_of(found) == b'{"e":%b}' % line


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_raise_nothing(frames: list[bytes]) -> None:
    events_of(*frames)
    events_of(*(EMPTY[:8] + frame for frame in frames))


def test_a_chunk_that_holds_no_bytes_is_shown_as_it_is() -> None:
    assert json.loads(data_of(events_of(event("chunk", b'{"bytes":1}'))[0])) == {"chunk": {"bytes": 1}}
