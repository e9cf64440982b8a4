"""Events come out as they went in, wherever the frames were cut."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.wire import sse
from penstock.wire.sse import Events, Piece, Refrain, data_of, split

LINES = st.sampled_from([b"data: x", b"data:", b"event: e", b": note", b"id: 1", b"\xc3\xa9", b"a" * 9])
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
STREAMS = st.lists(st.one_of(LINES, ENDS), max_size=40).map(b"".join)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(i % (len(data) + 1) for i in at), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def events_of(frames: list[bytes], cap: int = 1 << 20) -> tuple[list[bytes], bytes]:
    events = Events(cap)
    return [event for frame in frames for block in events.feed(frame) for event in split(block)], events.rest()


@given(STREAMS, st.lists(st.integers(0, 500), max_size=60))
def test_cuts_do_not_matter(data: bytes, at: list[int]) -> None:
    told = list[list[bytes]]()
    for frames in ([data], cut(data, at), [data[i : i + 1] for i in range(len(data))]):
        events, rest = events_of(frames)
        assert b"".join(events) + rest == data
        told.append([said for event in [*events, rest] if (said := data_of(event))])
    assert told[0] == told[1] == told[2]


@given(st.lists(st.lists(LINES, min_size=1, max_size=4), max_size=6), ENDS)
def test_every_blank_line_ends_an_event(blocks: list[list[bytes]], end: bytes) -> None:
    told = [end.join(block) + end + end for block in blocks]
    events, rest = events_of([b"".join(told)])
    if rest and end == b"\r":  # the last CR may yet become CRLF
        events.append(rest)
        rest = b""
    assert (events, rest) == (told, b"")


def test_a_blank_line_of_mixed_ends() -> None:
    assert events_of([b"data: a\n\r\ndata: b\r\n\ndata: c\r\rdata: d"]) == (
        [b"data: a\n\r\n", b"data: b\r\n\n", b"data: c\r\r"],
        b"data: d",
    )


@given(st.integers(12, 40), st.lists(st.integers(0, 500), max_size=40))
def test_an_event_above_the_cap_passes_in_pieces_and_the_next_is_whole(cap: int, at: list[int]) -> None:
    before, large, after = b"data: 1\n\n", b"data: " + b"x" * 300 + b"\r\n\r\n", b"data: 2\n\n"
    events = Events(cap)
    out = list[bytes]()
    for frame in cut(before + large + after, at):
        for block in events.feed(frame):
            out += [block] if type(block) is Piece else split(block)
    out.append(events.rest())
    assert b"".join(out) == before + large + after
    assert out[0] == before
    assert out[-2] == after
    for piece in out:
        assert type(piece) is Piece or piece in (before, large, after, b"")


def test_a_large_event_held_to_its_end_in_small_frames_is_bounded() -> None:
    events = Events(1000)
    for _ in range(10_000):
        for piece in events.feed(b"y" * 100):
            assert type(piece) is Piece
            assert len(piece) <= 1100
    assert type(events.rest()) is Piece


def test_an_event_of_many_lines_passes_in_pieces_and_the_next_is_whole() -> None:
    large = b":\n" * (sse.LINES + 1)
    events = Events(1 << 20)
    assert events.feed(b"data: 1\n\n:") == [b"data: 1\n\n"]
    (piece,) = events.feed(b"x\n" + large)
    assert type(piece) is Piece
    end, after = events.feed(b"\ndata: 2\n\n")
    assert (type(end), piece + end) == (Piece, b":x\n" + large + b"\n")
    assert after == b"data: 2\n\n"
    assert type(after) is bytes
    assert not events.holding


def test_data_lines() -> None:
    assert data_of(b"data: {}\n\n") == b"{}"
    assert data_of(b"data:{}") == b"{}"
    assert data_of(b"event: x\r\ndata:  a\r\nid: 3\r\ndata: b\r\n\r\n") == b" a\nb"
    assert data_of(b": keep-alive\n\n") == b""


CHUNK = b'data: {"id":"c","choices":[{"delta":{"content":"%b"}}],"usage":null}\n\n'


def test_a_frame_that_differs_in_its_text_alone_is_recognised() -> None:
    refrain = Refrain(b'"content":"')
    assert not refrain.recognises(CHUNK % b"a")
    refrain.learn(CHUNK % b"a")
    assert refrain.recognises(CHUNK % b"")
    assert refrain.recognises(CHUNK % "größer: als zuvor".encode())


@pytest.mark.parametrize("frame", [
    CHUNK % b'"},"error":{"a":"',
    CHUNK % b"\\",
    CHUNK % b"\n\nevent: error\ndata: ",
    CHUNK % b"\r",
    (CHUNK % b"a").replace(b"null", b"{}"),
    (CHUNK % b"a").replace(b"c", b"d"),
    (CHUNK % b"a") * 2,
    (CHUNK % b"").replace(b'""', b'"'),
    b"",
])  # fmt: skip
def test_no_other_frame_is(frame: bytes) -> None:
    refrain = Refrain(b'"content":"')
    refrain.learn(CHUNK % b"a")
    assert not refrain.recognises(frame)


@pytest.mark.parametrize("frame", [CHUNK % b"\\n", b"data: [DONE]\n\n", b'data: {"content":"never ends', b""])
def test_a_frame_without_a_plain_text_leaves_nothing_to_recognise(frame: bytes) -> None:
    refrain = Refrain(b'"content":"')
    refrain.learn(CHUNK % b"a")
    refrain.learn(frame)
    assert not refrain.recognises(CHUNK % b"a")
    assert not refrain.recognises(frame)


@given(st.lists(st.sampled_from([b"a", b'"', b"\\", b"\n", b',"usage":{}', b'"error"', b"event:", b"usage"])))
def test_what_is_recognised_holds_no_name_that_the_read_frame_did_not(parts: list[bytes]) -> None:
    refrain = Refrain(b'"content":"')
    refrain.learn(CHUNK % b"a")
    frame = CHUNK % b"".join(parts)
    if refrain.recognises(frame):
        assert data_of(frame)
        said = json.loads(data_of(frame))
        said["choices"][0]["delta"]["content"] = "a"
        assert said == json.loads(data_of(CHUNK % b"a"))
