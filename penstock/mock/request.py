"""One request as it arrives."""

import hashlib
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from penstock.core import codec
from penstock.mock import controls, dispatch
from penstock.mock.answer import ERRORS, JSON, Act, Answer
from penstock.mock.controls import NONE, PREFIX, BadControl, Pairs
from penstock.mock.script import Line

MAX_BODY = 32 << 20  # of a body that a provider must see whole; an echoed one may have any size
MAX_HELD = 256 << 10  # of an echoed body on its way through

PLAIN = Line(head_only=False, http11=True, keep_alive=True)


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class Request:
    """One request. What becomes of its body depends on the answer: held, digested, or handed through."""

    __slots__ = (
        "complete",
        "controls",
        "counted",
        "digest",
        "discards",
        "expects",
        "headers",
        "held",
        "length",
        "line",
        "method",
        "parts",
        "refusal",
        "size",
        "target",
    )

    def __init__(self) -> None:
        self.target = b""
        self.headers: Pairs = []
        self.method = ""
        self.line = PLAIN
        self.controls = NONE
        self.refusal: tuple[int, str | None] | None = None
        self.expects = False  # a 100 Continue before it sends the body
        self.counted = True
        self.parts: deque[bytes] = deque()
        self.held = 0  # bytes in parts
        self.size = 0  # bytes received
        self.length: int | None = None  # announced by content-length
        self.digest: _Digest | None = None
        self.discards = False  # the rest of the body is of no interest
        self.complete = False

    def read_head(self) -> None:
        """Takes from the headers what concerns the way to answer."""
        asks = b"x-mock-" in self.target.lower()
        for written, value in self.headers:
            name = written.lower()
            if name == b"content-length":
                self.length = int(value)
            elif name == b"expect":
                self.expects = value.lower() == b"100-continue"
            elif name.startswith(PREFIX):
                asks = True
        if asks and self.counted:
            self._read_controls()

    def _read_controls(self) -> None:
        try:
            asked = controls.read(self.headers, self.target.partition(b"?")[2])
            if asked.echo:
                dispatch.check_echo(asked, self.length)
        except BadControl as why:
            self.refuse(400, str(why))
        else:
            self.controls = asked
            self.digest = hashlib.sha256() if asked.echo == "1" else None

    @property
    def streams(self) -> bool:
        """Whether the answer begins before the body is whole."""
        return self.controls.echo == "body"

    @property
    def refused_early(self) -> bool:
        """Whether the client asks before it sends the body, and may save itself the trouble."""
        return self.expects and not self.complete and (self.refusal is not None or self.controls.status >= ERRORS)

    def refuse(self, status: int, message: str | None) -> None:
        """The provider refuses this request."""
        self.refusal = (status, message)
        self.discard()

    def discard(self) -> None:
        """Forgets the body, and what is still to come of it."""
        self.discards = True
        self.parts.clear()
        self.held = 0

    def take(self, chunk: bytes) -> None:
        """Takes a part of the body."""
        self.size += len(chunk)
        if self.digest is not None:
            self.digest.update(chunk)
        elif self.discards:
            return
        elif self.size > MAX_BODY and not self.streams:
            self.refuse(413, None)
        else:
            self.parts.append(chunk)
            self.held += len(chunk)

    def body(self) -> bytes:
        """The whole body."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)

    def described(self) -> Answer:
        """The request in JSON."""
        told = {
            "method": self.method,
            "target": self.target.decode("latin-1"),
            "version": "1.1" if self.line.http11 else "1.0",
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in self.headers],
            "length": self.size,
            "sha256": self.digest.hexdigest() if self.digest else "",
        }
        return Answer(self.controls.status or 200, JSON, [codec.encode(told)])

    def returned(self) -> Answer:
        """The body itself, as it comes."""
        kind = next((value for name, value in self.headers if name.lower() == b"content-type"), b"")
        return Answer(self.controls.status or 200, kind, self._flow(), live=True, length=self.length)

    def _flow(self) -> Iterator[bytes | Act]:
        while True:
            while self.parts:
                part = self.parts.popleft()
                self.held -= len(part)
                yield part
            if self.complete:
                return
            yield Act.MORE
