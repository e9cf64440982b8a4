"""What turns and answers are made of."""

from typing import Any

from penstock.core.codec import Struct

Extra = dict[str, Any] | None  # members that the dialect alone has, decoded, under their own names


class Cache(Struct, frozen=True):
    """Marks the end of a prefix that the provider is to cache. ``ttl`` as Anthropic names it; empty: its default."""

    ttl: str = ""


class Citation(Struct):
    """Where a piece of a text comes from. ``start`` and ``end`` are characters of the text; None: not told."""

    url: str = ""
    title: str = ""
    quoted: str = ""
    start: int | None = None
    end: int | None = None
    extra: Extra = None


class Text(Struct):
    """Text of any author."""

    text: str
    citations: list[Citation] | None = None
    cache: Cache | None = None
    signature: str = ""  # Gemini's thought signature, which must come back in the next turn
    extra: Extra = None


class Media(Struct):
    """An image, audio, a video or a document, by exactly one of ``data`` (base64), ``url``, ``file`` and ``text``."""

    kind: str  # image, audio, video, document
    type: str = ""  # media type; empty: not told
    data: str = ""
    url: str = ""
    file: str = ""  # id of a file that the provider keeps
    text: str = ""  # of a plain-text document
    name: str = ""  # a file's name, or a document's title
    detail: str = ""  # of an image, as OpenAI names it
    cache: Cache | None = None
    signature: str = ""
    extra: Extra = None


class Call(Struct):
    """A call of a tool by the model. ``arguments`` is JSON as it was written, of an object unless ``free``."""

    id: str
    name: str
    arguments: str
    free: bool = False  # a custom tool's, whose input is any text
    signature: str = ""
    cache: Cache | None = None
    extra: Extra = None


class Result(Struct):
    """What a tool returned. ``name`` is empty where the dialect does not repeat it."""

    call: str  # id of the call
    content: "list[Part]"
    name: str = ""
    failed: bool = False
    free: bool = False
    cache: Cache | None = None
    extra: Extra = None


class Reasoning(Struct):
    """The model's thinking. ``signature`` vouches for ``text``; ``sealed`` is thinking that only its provider reads.

    ``origin`` is the dialect that both belong to; they mean nothing in another.
    """

    text: str
    signature: str = ""
    sealed: str = ""
    origin: str = ""
    id: str = ""  # of an item of OpenAI responses
    extra: Extra = None


class Refusal(Struct):
    """The model's words where it refuses."""

    text: str
    extra: Extra = None


def kind_of(value: dict[str, Any]) -> str:
    """The ``type`` of an object of a dialect; one without is known by the name of its only member."""
    return str(value.get("type") or next(iter(value), ""))


class Native(Struct):
    """A part that only ``dialect`` has, as it stands there."""

    dialect: str
    value: dict[str, Any]

    @property
    def kind(self) -> str:
        """What the dialect calls it, for notes."""
        return kind_of(self.value)


Part = Text | Media | Call | Result | Reasoning | Refusal | Native
