"""The words every simulated provider speaks: what it is asked, what it answers, and the text and tokens it makes up."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from penstock.core import codec
from penstock.mock.controls import Controls, Pairs

JSON = b"application/json"
EVENTS = b"text/event-stream; charset=utf-8"
CREATED = 1735689600  # every answer was created at 2025-01-01T00:00:00Z: the same request has the same answer
ERRORS = 400  # the first status that is an error
SERVER_ERRORS = 500
MOST_FRAMES = 256  # of a stream whose request does not say how many

FILLER = "The quick brown fox jumps over the lazy dog, and the dog lets it pass. "
_WORD = re.compile(r"\S*\s*")


class Act(Enum):
    """What an answer does besides sending bytes and waiting."""

    MORE = "wait for more of the request body"
    STALL = "send no more until the peer leaves"
    CUT = "close the connection in the middle of the answer"
    RESET = "reset the connection"
    CLOSE = "close the connection after the answer"


class Refusal(Exception):
    """A request that the provider refuses with a status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(slots=True)
class Ask:
    """One request to a provider. ``path`` lies below the provider's prefix, without what may be left out of it."""

    method: str
    path: str
    body: bytes
    controls: Controls
    seed: str  # 24 hex digits, a function of method, target and body; identifiers are made of it
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    named: Sequence[str] = ()  # what the stars of the route's path stand for, decoded


@dataclass(slots=True)
class Answer:
    """One answer. The ``frames`` of a stream are its events; any other body is one frame."""

    status: int
    kind: bytes
    frames: Iterable[bytes | Act]
    headers: Pairs = field(default_factory=list[tuple[bytes, bytes]])
    stream: bool = False
    failure: bytes = b""  # the event with which this stream tells of a failure midway
    live: bool = False  # the frames follow the request body as it comes; ``length`` is its, where known
    length: int | None = None

    def known(self) -> list[bytes]:
        """The frames of an answer that is not live."""
        return [frame for frame in self.frames if isinstance(frame, bytes)]


class Route(NamedTuple):
    """A path of a provider. ``texts``: whether the answer has a text, so that the controls of text and usage act."""

    method: str
    handler: Callable[[Ask], Answer]
    texts: bool = False


def _none(status: int) -> Pairs:
    return []


class Fault(Enum):
    """What is wrong with the credential of a request."""

    MISSING = "there is none"
    WRONG = "it is not known"
    SIGNATURE = "its signature is not that of the request"
    EXPIRED = "it was signed too long ago"


class Denial(NamedTuple):
    """How a credential is refused. ``message`` None: the usual sentence of the status; ``body``: in place of it."""

    status: int = 401
    message: str | None = None
    body: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()  # in place of those of the same name


class Provider(NamedTuple):
    """A simulated provider: pure functions over bytes."""

    routes: Mapping[str, Route]  # by path; ``*`` stands for a segment or a part of one, ``**`` for several segments
    error: Callable[[int, str | None, str], bytes]  # status, sentence (None: the usual one), seed -> body
    headers: Callable[[str], Pairs]  # seed -> the headers of every answer
    failing: int  # the status whose error body a 200 carries when asked to
    prefixes: tuple[str, ...] = ("v1/",)  # may be left out of a path
    error_headers: Callable[[int], Pairs] = _none  # status -> further headers of an error
    denials: Mapping[Fault, Denial] = MappingProxyType({})  # where they are not the usual 401


class Usage(NamedTuple):
    """Tokens. ``fresh`` input was neither read from the provider's cache nor written to it."""

    fresh: int
    cached: int
    cache_write: int
    output: int
    reasoning: int  # part of ``output``

    @property
    def input(self) -> int:
        """All input tokens, cached ones included."""
        return self.fresh + self.cached + self.cache_write


def json(body: object, status: int = 200, headers: Pairs | None = None) -> Answer:
    """An answer in JSON."""
    return Answer(status, JSON, [codec.encode(body)], headers or [])


def identified(name: bytes) -> Callable[[str], Pairs]:
    """``Provider.headers`` of a provider that only names the request, in a header of that name."""
    return lambda seed: [(name, seed.encode())]


def tokens(text: str) -> int:
    """One token for every four characters begun, and at least one."""
    return max(1, (len(text) + 3) // 4)


def usage(prompt: str, text: str, controls: Controls, times: int = 1, thought: str = "") -> Usage:
    """The usage of an answer that gives ``text`` so many ``times``; what the controls add comes on top."""
    reasoning = controls.reasoning_tokens + (tokens(thought) * times if thought else 0)
    return Usage(
        fresh=tokens(prompt),
        cached=controls.cached_tokens,
        cache_write=controls.cache_write_tokens,
        output=tokens(text) * times + reasoning,
        reasoning=reasoning,
    )


def reply(said: str, controls: Controls) -> str:
    """The text of an answer: an echo of what was said, or filler of the size asked for."""
    if controls.size is not None:
        return _filler(controls.size)
    return lengthened(f"You said: {said}" if said else "You said nothing.", controls)


def lengthened(text: str, controls: Controls) -> str:
    """The text, with filler where it has fewer characters than it is to have frames."""
    if len(text) < controls.frames:
        text += _filler(4 * controls.frames - len(text))
    return text


def pieces(text: str, frames: int) -> list[str]:
    """The text in so many parts of like size; in words when ``frames`` is 0."""
    if not frames:
        words = _WORD.findall(text[: 64 * MOST_FRAMES])[:-1]
        if len(text) <= 64 * MOST_FRAMES and len(words) <= MOST_FRAMES:
            return words
        frames = MOST_FRAMES
    return [text[len(text) * n // frames : len(text) * (n + 1) // frames] for n in range(frames)]


def _filler(length: int) -> str:
    return (FILLER * (length // len(FILLER) + 1))[:length]
