"""What a simulated model says to what it is asked: the rules that docs/mock.md tells.

Each dialect reads a request as a `Heard`, and writes a `Saying`.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple

from penstock.core import codec
from penstock.mock.answer import lengthened, pieces, reply
from penstock.mock.controls import Controls
from penstock.mock.schemas import instance

_BOTH = re.compile(r"\bboth\b", re.IGNORECASE)
_BASE64 = ";base64,"
_SEED = 24
_PIECES = 3  # of the arguments of a call, in a stream


class Tool(NamedTuple):
    """A function that may be called."""

    name: str
    schema: Any


class File(NamedTuple):
    """An image or a document, whose bytes are in the request."""

    kind: str
    size: int


class Heard(NamedTuple):
    """What of a request decides on the answer."""

    said: str = ""  # the last text of the user
    tools: Sequence[Tool] = ()  # those that may be called
    named: bool = False  # a tool must be called, by its name
    parallel: bool = True
    results: Sequence[str] = ()  # of tools, in the last turn
    schema: Any = None  # of the answer; None: a text is wanted
    thinks: bool = False
    files: Sequence[File] = ()  # of the last turn of the user


class Call(NamedTuple):
    """A call of a function."""

    name: str
    arguments: Any

    @property
    def text(self) -> str:
        """The arguments in JSON."""
        return codec.encode(self.arguments).decode()

    def cut(self, frames: int) -> list[str]:
        """The arguments as a stream tells them."""
        return [piece for piece in pieces(self.text, max(frames, _PIECES)) if piece]


class Saying(NamedTuple):
    """What an answer is made of: a text or calls, after a thought or none."""

    text: str = ""
    calls: Sequence[Call] = ()
    thought: str = ""

    @property
    def spoken(self) -> str:
        """All that counts as output, but for the thought."""
        return self.text + "".join([call.name + call.text for call in self.calls]) if self.calls else self.text


def say(heard: Heard, controls: Controls) -> Saying:
    """The first rule that fits."""
    thought = f"The user says: {heard.said}" if heard.thinks else ""
    if controls.size is not None or not (heard.tools or heard.results or heard.files or heard.schema is not None):
        return Saying(reply(heard.said, controls), thought=thought)
    words = iter(heard.said.split())
    if heard.tools and not heard.results:
        called = heard.tools if heard.parallel and _BOTH.search(heard.said) else heard.tools[:1]
        return Saying("", [Call(tool.name, instance(tool.schema, words)) for tool in called], thought)
    if heard.schema is not None:
        return Saying(codec.encode(instance(heard.schema, words)).decode(), thought=thought)
    if heard.results:
        quoted = ", ".join([f'"{result}"' for result in heard.results])
        return Saying(lengthened(f"The tools say: {quoted}", controls), thought=thought)
    said = f"You said: {heard.said}" if heard.said else "You said nothing."
    shown = [f" You showed: {one.kind}, {one.size} bytes." for one in heard.files]
    return Saying(lengthened(said + "".join(shown), controls), thought=thought)


def inline(url: str) -> File | None:
    """What a data URL holds; None: it is none in base64, or names no type."""
    if not url.startswith("data:"):
        return None
    kind, found, data = url[5:].partition(_BASE64)
    return file(kind.partition(";")[0], data) if found and kind else None


def file(kind: str, data: str) -> File:
    """What such base64 holds."""
    return File(kind, len(data) * 3 // 4 - data.count("=", -2))


def sign(dialect: str, seed: str, bound: str = "") -> str:
    """A signature of thinking, in base64. ``bound``: the text that must come back with it as it was."""
    mark = hashlib.blake2b(f"{dialect}\n{seed}\n{bound}".encode(), digest_size=12).hexdigest()
    return b64encode(f"{seed}{mark}".encode()).decode()


def signed(dialect: str, signature: str, bound: str = "") -> bool:
    """Whether that signature was made here, for that."""
    try:
        seed = b64decode(signature, validate=True).decode()[:_SEED]
    except ValueError:
        return False
    return sign(dialect, seed, bound) == signature
