"""An answer as it goes over the wire: bytes to write, seconds to wait, acts. Pure; the connection plays it."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import NamedTuple, TypeAlias

from penstock.mock.answer import Act, Answer
from penstock.mock.controls import HEAD, NONE, Controls, Pairs
from penstock.mock.encoding import encode, encode_live

Step: TypeAlias = bytes | float | Act

_CHUNKED = (b"transfer-encoding", b"chunked")
_NO_CONTENT = 204
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload; as=style\r\n\r\n"
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus} | {529: b"Site is overloaded"}


class Line(NamedTuple):
    """What the request line and its head say about how to answer."""

    head_only: bool  # HEAD
    http11: bool
    keep_alive: bool


def play(answer: Answer, c: Controls, line: Line) -> Iterator[Step]:
    """The steps of one answer."""
    if c.delay:
        yield c.delay
    if c.stall == HEAD:
        yield Act.STALL
    frames, length = _body(answer, c)
    framing = c.framing or ("chunked" if answer.stream or length is None else "length")
    if framing == "chunked" and not line.http11:
        framing = "close"
    if c.early_hints and line.http11:
        yield EARLY_HINTS
    closes = not line.keep_alive or framing == "close"
    framed = [] if answer.status == _NO_CONTENT else _framing_header(framing, length)
    yield _head(answer.status, [*_headers(answer, c), *framed, *_connection_header(line, closes=closes)])
    if not line.head_only and answer.status not in (_NO_CONTENT, 304):
        yield from _frames(frames, c, framing)
    if closes or c.close:
        yield Act.CLOSE


def whole(answer: Answer) -> bytes:
    """What `play` amounts to without controls on a plain HTTP/1.1 line, in one piece and in a third of the time."""
    frames = answer.known()
    if answer.stream:
        parts = [b"%x\r\n%b\r\n" % (len(frame), frame) for frame in frames]
        return b"".join([_head(answer.status, [*_headers(answer, NONE), _CHUNKED]), *parts, b"0\r\n\r\n"])
    length = _framing_header("length", sum(map(len, frames)))
    return b"".join([_head(answer.status, [*_headers(answer, NONE), *length]), *frames])


def _body(answer: Answer, c: Controls) -> tuple[Iterable[bytes | Act], int | None]:
    if answer.live:
        return (encode_live(c.encoding, answer.frames), None) if c.encoding else (answer.frames, answer.length)
    frames = answer.known()
    if c.encoding:
        frames = encode(c.encoding, frames)
    if c.frames and not answer.stream:
        whole = b"".join(frames)
        frames = [whole[len(whole) * n // c.frames : len(whole) * (n + 1) // c.frames] for n in range(c.frames)]
    return frames, sum(map(len, frames))


def _frames(frames: Iterable[bytes | Act], c: Controls, framing: str) -> Iterator[Step]:
    sent = count = 0
    for frame in frames:
        if isinstance(frame, Act):
            yield frame
            continue
        yield from _ends(c, count)
        if c.pace and count:
            yield c.pace
        count += 1
        if c.cut_bytes is not None and sent + len(frame) >= c.cut_bytes:
            yield (b"%x\r\n" % len(frame) if framing == "chunked" else b"") + frame[: c.cut_bytes - sent]
            yield Act.CUT
        sent += len(frame)
        if frame:
            yield b"%x\r\n%b\r\n" % (len(frame), frame) if framing == "chunked" else frame
    yield from _ends(c, count)
    if framing == "chunked":
        yield b"0\r\n\r\n"


def _ends(c: Controls, count: int) -> Iterator[Act]:
    """What ends the answer after so many frames, if anything."""
    if c.stall == count:
        yield Act.STALL
    if c.cut_frames == count:
        yield Act.CUT


def _head(status: int, headers: Pairs) -> bytes:
    first = b"HTTP/1.1 %d %b\r\n" % (status, _REASONS.get(status, b"Status"))
    return b"".join([first, *[b"%b: %b\r\n" % pair for pair in headers], b"\r\n"])


def _headers(answer: Answer, c: Controls) -> Pairs:
    headers: Pairs = [(b"content-type", answer.kind)] if answer.kind else []
    headers += answer.headers
    if c.encoding:
        headers.append((b"content-encoding", c.encoding.encode()))
    if c.retry_after:
        headers.append((b"retry-after", c.retry_after.encode("latin-1")))
    if c.headers:
        headers = [(name, value) for name, value in headers if name.decode() not in c.headers]
        headers += [(name.encode(), one.encode("latin-1")) for name, value in c.headers.items() for one in value]
    return headers


def _framing_header(framing: str, length: int | None) -> Pairs:
    if framing == "chunked":
        return [_CHUNKED]
    return [(b"content-length", b"%d" % (length or 0))] if framing == "length" else []


def _connection_header(line: Line, *, closes: bool) -> Pairs:
    if closes:
        return [(b"connection", b"close")]
    return [] if line.http11 else [(b"connection", b"keep-alive")]
