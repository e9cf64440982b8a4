"""The parts of provider bodies that several dialects share.

Peers choose what is in a body, so a shape names the members it takes as ``Raw``: nothing is decoded but a short piece
whose first byte says that it is what is wanted. Of a large body only the edges are looked at.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from penstock.core.codec import DecodeError, Raw, Struct, decoder
from penstock.model.usage import Asked
from penstock.providers.accounting import Figures
from penstock.wire.sse import data_in, data_of, many_lines, one_line

S = TypeVar("S", bound=Struct)

NOTHING = Raw(b"")
NAME_LIMIT = 256  # characters: names are remembered and stored, and callers choose them
SHORT = 16 * 1024  # bytes of an object that is decoded: options, usage
WHOLE = 1 << 20  # bytes of a body that is looked through; of a larger one,
EDGE = 1 << 17  # so many at its beginning and at its end
OBJECTS = 4096  # in a list that is decoded
_TRIES = 6  # places in an edge where a member is looked for
_BOM = b"\xef\xbb\xbf"

# a short value behind a member's name; an object may hold objects, as a usage object does
_VALUE = rb'"\s{0,99}:\s{0,99}(?:"(?:[^"\\]|\\.){0,512}"|[-\w.+]{1,40}|\{(?:[^{}]|\{[^{}]{0,4096}\}){0,4096}\})'


class Ask(Struct):
    """A request body."""

    model: Raw = NOTHING
    stream: Raw = NOTHING
    stream_options: Raw = NOTHING


_decode_ask = decoder(Ask).decode
_decode_text = decoder(str).decode


def ask_of(body: bytes) -> Ask | None:
    """What is read of a request body; None where it is no JSON object, as far as it is looked at."""
    return read(body, _decode_ask, _ASKED)


_ASKED = (b"stream_options", b"stream", b"model")


def ask_of_edges(head: bytes, tail: bytes) -> Ask | None:
    """The same of a large body's edges; without ``tail``, of a whole body."""
    return read_edges(head, tail, _decode_ask, _ASKED) if tail else ask_of(head)


def asked(body: bytes, *, always: bool) -> Asked:
    """What a body asks for, where the dialect's streams ``always`` (or never) report usage without being asked."""
    ask = ask_of(body)
    if ask is None:
        return Asked()
    stream = is_true(ask.stream)
    return Asked(name(ask.model), stream, stream and always)


def read(body: bytes, decode: Callable[[bytes], S], members: tuple[bytes, ...]) -> S | None:
    """A JSON object's members; None where it is none. Of a large body, those of ``members`` in its edges alone."""
    if len(body) > WHOLE:
        return read_edges(body[:EDGE], body[-EDGE:], decode, members)
    try:
        return decode(body)
    except DecodeError:
        plain = _mended(body)
    try:
        return None if plain is body else decode(plain)
    except DecodeError:
        return None


def read_edges(head: bytes, tail: bytes, decode: Callable[[bytes], S], members: tuple[bytes, ...]) -> S | None:
    """The same of a body of which only the beginning and the end are here.

    What is found there is the body's own member if all before it, or all after it, makes a whole object with it.
    """
    begun = _first(decode, (head[:end] + b"}" for end in sorted(_ends(head, members), reverse=True)[:_TRIES]))
    ended = _first(decode, (b"{" + tail[at:] for at in sorted(_begins(tail, members))[:_TRIES]))
    if begun is None or ended is None:
        return ended or begun
    for member in members:
        if not len(getattr(ended, member.decode())):
            setattr(ended, member.decode(), getattr(begun, member.decode()))
    return ended


def _ends(head: bytes, members: tuple[bytes, ...]) -> Iterator[int]:
    """Where the first value behind each of these names ends."""
    for member in members:
        if (match := re.search(b'"' + member + _VALUE, head)) is not None:
            yield match.end()


def _begins(tail: bytes, members: tuple[bytes, ...]) -> Iterator[int]:
    """Where each of these names stands for the last time, and for the time before that."""
    for member in members:
        at = len(tail)
        for _ in range(2):
            if (at := tail.rfind(b'"' + member + b'"', 0, at)) >= 0:
                yield at
            else:
                break


def _first(decode: Callable[[bytes], S], candidates: Iterable[bytes]) -> S | None:
    return next((found for one in candidates if (found := read(one, decode, ())) is not None), None)


def _mended(body: bytes) -> bytes:
    """The body as JSON's reader takes it: without a byte order mark, and with other characters in the place of those
    that are written as surrogates, which may lack their other half. Nobody reads those texts.
    """
    body = body.removeprefix(_BOM)
    return body.replace(rb"\ud", rb"\u0").replace(rb"\uD", rb"\u0") if rb"\u" in body else body


def name(raw: Raw) -> str:
    """A model's name, or a tier's, as far as names go; empty where it is not a text."""
    if not 0 < len(raw) <= WHOLE:
        return ""
    text = bytes(raw)
    try:
        return _decode_text(text)[:NAME_LIMIT] if text.startswith(b'"') else ""
    except DecodeError:
        return ""


def is_true(raw: Raw) -> bool:
    """Whether a member is true."""
    return len(raw) == 4 and bytes(raw) == b"true"  # noqa: PLR2004


def present(raw: Raw) -> bool:
    """Whether a member was there and not null."""
    return len(raw) > 4 or bytes(raw) not in (b"", b"null")  # noqa: PLR2004


def short(raw: Raw) -> bytes:
    """A member that is an object and short; else empty."""
    return text if len(raw) <= SHORT and (text := bytes(raw)).startswith(b"{") else b""


def items_of(raw: Raw, decode: Callable[[bytes], list[S]]) -> list[S] | None:
    """A list of objects; None: it cannot be read, or has too many objects in it."""
    text = bytes(raw)
    if text.count(b"{") > OBJECTS:
        return None
    try:
        return decode(text)
    except DecodeError:
        return None


def usage_of(raw: Raw) -> tuple[bytes, str]:
    """A usage object as it is read and kept; empty, and why, where it is not."""
    if not present(raw):
        return b"", ""
    if len(raw) > SHORT:
        return b"", f"the usage object has more than {SHORT} bytes"
    return bytes(raw), ""


_ERROR_NAMES = (b"event: error", b"event:error")


def is_error_event(event: bytes) -> bool:
    """Whether an SSE event says by its name that it is an error."""
    if b"error" not in event or (event.startswith(b"data:") and one_line(event)) or many_lines(event):
        return False
    return any(line in _ERROR_NAMES for line in event.splitlines())


def pieces(event: bytes) -> list[bytes]:
    """An event's data; and JSON that stands between events as if there were none."""
    event = event.removeprefix(_BOM)
    if event.startswith(b"data:") and one_line(event):
        return [data_of(event)]
    lines = [] if many_lines(event) else event.splitlines()
    data = data_in(lines)
    bare = b"\n".join([line for line in lines if not line.startswith(_FIELDS)])
    return [data, bare] if bare.lstrip().startswith(b"{") else [data]


_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")

_IN = ("prompt_tokens_details", "input_tokens_details")
_OUT = ("completion_tokens_details", "output_tokens_details")
_MEDIA = ("audio", "image", "video")

OPENAI_FIGURES = Figures(  # chat and embeddings name them by prompt and completion, responses by input and output
    ("prompt_tokens", "input_tokens"),
    ("completion_tokens", "output_tokens"),
    {
        **{f"{details}.cached_tokens": "cache_read" for details in _IN},
        **{f"{details}.cache_write_tokens": "cache_write" for details in _IN},
        **{f"{details}.{medium}_tokens": f"input_{medium}" for details in _IN for medium in _MEDIA},
        **{f"{details}.reasoning_tokens": "output_reasoning" for details in _OUT},
        **{f"{details}.{medium}_tokens": f"output_{medium}" for details in _OUT for medium in _MEDIA},
    },
)
