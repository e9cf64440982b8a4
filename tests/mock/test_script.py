"""Answers as they go over the wire, without a wire."""

import pytest

from penstock.mock.answer import EVENTS, JSON, Act, Answer
from penstock.mock.controls import HEAD, NONE, Controls
from penstock.mock.script import EARLY_HINTS, Line, play, whole

LINE = Line(head_only=False, http11=True, keep_alive=True)


def stream():
    return Answer(200, EVENTS, [b"one", b"two", b"three"], stream=True)


def plain(body=b"{}", status=200):
    return Answer(status, JSON, [body])


def steps(answer, c=NONE, line=LINE):
    """The steps up to the one that ends the answer."""
    found = []
    for step in play(answer, c, line):
        found.append(step)
        if step in {Act.STALL, Act.CUT}:
            break
    return found


def head(status="200 OK", kind=JSON, *more):
    return "\r\n".join([f"HTTP/1.1 {status}", f"content-type: {kind.decode()}", *more, "", ""]).encode()


JSON_HEAD = head("200 OK", JSON, "content-length: 2")
STREAM_HEAD = head("200 OK", EVENTS, "transfer-encoding: chunked")
CHUNKS = [b"3\r\none\r\n", b"3\r\ntwo\r\n", b"5\r\nthree\r\n", b"0\r\n\r\n"]


@pytest.mark.parametrize(
    ("answer", "c", "line", "expected"),
    [
        (plain(), NONE, LINE, [JSON_HEAD, b"{}"]),
        (stream(), NONE, LINE, [STREAM_HEAD, *CHUNKS]),
        (plain(), Controls(delay=0.25), LINE, [0.25, JSON_HEAD, b"{}"]),
        (stream(), Controls(pace=0.02), LINE, [STREAM_HEAD, CHUNKS[0], 0.02, CHUNKS[1], 0.02, *CHUNKS[2:]]),
        (stream(), Controls(stall=HEAD), LINE, [Act.STALL]),
        (stream(), Controls(stall=0), LINE, [STREAM_HEAD, Act.STALL]),
        (stream(), Controls(stall=2), LINE, [STREAM_HEAD, *CHUNKS[:2], Act.STALL]),
        (stream(), Controls(stall=3), LINE, [STREAM_HEAD, *CHUNKS[:3], Act.STALL]),
        (stream(), Controls(stall=4), LINE, [STREAM_HEAD, *CHUNKS]),
        (stream(), Controls(cut_frames=0), LINE, [STREAM_HEAD, Act.CUT]),
        (stream(), Controls(cut_frames=1), LINE, [STREAM_HEAD, CHUNKS[0], Act.CUT]),
        (stream(), Controls(cut_bytes=4), LINE, [STREAM_HEAD, CHUNKS[0], b"3\r\nt", Act.CUT]),
        (plain(), Controls(cut_bytes=1), LINE, [JSON_HEAD, b"{", Act.CUT]),
        (plain(), Controls(cut_bytes=0), LINE, [JSON_HEAD, b"", Act.CUT]),
        (plain(), Controls(frames=2, pace=1.0), LINE, [JSON_HEAD, b"{", 1.0, b"}"]),
        (plain(), Controls(early_hints=True), LINE, [EARLY_HINTS, JSON_HEAD, b"{}"]),
        (plain(), Controls(close=True), LINE, [JSON_HEAD, b"{}", Act.CLOSE]),
        (
            plain(),
            Controls(framing="chunked"),
            LINE,
            [head("200 OK", JSON, "transfer-encoding: chunked"), b"2\r\n{}\r\n", b"0\r\n\r\n"],
        ),
        (
            stream(),
            Controls(framing="length"),
            LINE,
            [head("200 OK", EVENTS, "content-length: 11"), b"one", b"two", b"three"],
        ),
        (plain(), Controls(framing="close"), LINE, [head("200 OK", JSON, "connection: close"), b"{}", Act.CLOSE]),
        (plain(), NONE, LINE._replace(head_only=True), [JSON_HEAD]),
        (plain(status=204), NONE, LINE, [head("204 No Content", JSON)]),
        (plain(status=304), NONE, LINE, [head("304 Not Modified", JSON, "content-length: 2")]),
        (plain(status=529), NONE, LINE, [head("529 Site is overloaded", JSON, "content-length: 2"), b"{}"]),
        (
            plain(),
            NONE,
            LINE._replace(keep_alive=False),
            [head("200 OK", JSON, "content-length: 2", "connection: close"), b"{}", Act.CLOSE],
        ),
        (
            plain(),
            NONE,
            LINE._replace(http11=False),
            [head("200 OK", JSON, "content-length: 2", "connection: keep-alive"), b"{}"],
        ),
        (
            stream(),
            NONE,
            LINE._replace(http11=False),
            [head("200 OK", EVENTS, "connection: close"), b"one", b"two", b"three", Act.CLOSE],
        ),
        (
            plain(),
            Controls(retry_after="7", headers={"x-one": ["a", "b"], "content-type": []}),
            LINE,
            [b"HTTP/1.1 200 OK\r\nretry-after: 7\r\nx-one: a\r\nx-one: b\r\ncontent-length: 2\r\n\r\n", b"{}"],
        ),
    ],
)
def test_the_steps_of_an_answer(answer, c, line, expected):
    assert steps(answer, c, line) == expected


def test_a_body_on_its_way_is_sent_as_it_comes():
    def arriving():
        yield b"one"
        yield Act.MORE
        yield b"two"

    known = Answer(200, JSON, arriving(), live=True, length=6)
    assert steps(known) == [head("200 OK", JSON, "content-length: 6"), b"one", Act.MORE, b"two"]
    unknown = Answer(200, JSON, arriving(), live=True)
    assert steps(unknown)[1:] == [b"3\r\none\r\n", Act.MORE, b"3\r\ntwo\r\n", b"0\r\n\r\n"]


@pytest.mark.parametrize("answer", [plain, stream])
def test_in_one_piece_it_is_the_same(answer):
    assert whole(answer()) == b"".join(step for step in play(answer(), NONE, LINE) if isinstance(step, bytes))
