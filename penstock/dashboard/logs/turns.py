"""A conversation as its page shows it: turns of blocks, each bounded. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from penstock.core import codec
from penstock.core.codec import DecodeError
from penstock.model.chat import Call, ChatRequest, Media, Part, Reasoning, Refusal, Result, Text, Turn

PART = 20_000  # characters of one part
WHOLE = 400_000  # of a conversation
TURNS = 100  # the last ones
PARTS = 200  # of one turn
PICTURE = 2_000_000  # characters of base64 of one picture
PICTURES = 4_000_000  # of all pictures of a page
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class Block(NamedTuple):
    """``kind``: text, reasoning, refusal, call, result, picture, file, or other. ``text``: what is shown of it;
    ``more``: characters that are not; ``source``: of a picture; ``inner``: of a result.
    """

    kind: str
    text: str = ""
    title: str = ""
    more: int = 0
    source: str = ""
    inner: tuple["Block", ...] = ()


class Said(NamedTuple):
    """One turn. ``name``: of who said it."""

    role: str
    name: str
    blocks: tuple[Block, ...]
    left_out: int = 0  # parts


class Shown(NamedTuple):
    """``left_out``: turns before the first that is shown."""

    turns: list[Said]
    left_out: int = 0


class _Room:
    """What a page may still hold, and what its calls of tools are called by id."""

    def __init__(self, calls: dict[str, str]) -> None:
        self.calls = calls
        self.text = WHOLE
        self.pictures = PICTURES

    def cut(self, text: str) -> tuple[str, int]:
        """The beginning that is shown, and how many characters are not."""
        most = max(0, min(PART, self.text))
        self.text -= min(len(text), most)
        return text[:most], max(0, len(text) - most)

    def holds(self, data: str) -> bool:
        """Whether there is place for the picture."""
        if len(data) > min(PICTURE, self.pictures):
            return False
        self.pictures -= len(data)
        return True


def shown(request: ChatRequest | None, answers: Sequence[Sequence[Part]]) -> Shown:
    """The turns of the request, and each answer as one of the assistant's."""
    turns = list(request.turns) if request is not None else []
    left_out = max(0, len(turns) - TURNS)
    said = [*turns[left_out:], *(Turn("assistant", list(parts)) for parts in answers[:TURNS])]
    room = _Room({part.id: part.name for turn in said for part in turn.content if isinstance(part, Call)})
    told = [_said(turn, room) for turn in reversed(said)]  # the last is what a reader came for
    return Shown(told[::-1], left_out)


def _said(turn: Turn, room: _Room) -> Said:
    blocks = tuple(_block(part, room) for part in turn.content[:PARTS])
    return Said(turn.role, turn.name, blocks, max(0, len(turn.content) - PARTS))


def _block(part: Part, room: _Room) -> Block:  # noqa: PLR0911  a table
    match part:
        case Text():
            text, more = room.cut(part.text)
            links = [
                citation.url or citation.title for citation in part.citations or () if citation.url or citation.title
            ]
            return Block("text", text, ", ".join(links[:PARTS])[:PART], more)
        case Refusal():
            return Block("refusal", *_cut(part.text, "", room))
        case Reasoning():
            return Block("reasoning", *_cut(part.text, "" if part.text else "sealed by the provider", room))
        case Call():
            text, more = room.cut(part.arguments if part.free or room.text <= 0 else pretty(part.arguments))
            return Block("call", text, part.name, more)
        case Result():
            inner = tuple(_block(one, room) for one in part.content[:PARTS])
            return Block("result", "", part.name or room.calls.get(part.call, part.call), 0, "", inner)
        case Media():
            return _media(part, room)
        case _:
            text, more = room.cut(codec.indented(part.value))
            return Block("other", text, part.kind, more)


def _cut(text: str, title: str, room: _Room) -> tuple[str, str, int]:
    text, more = room.cut(text)
    return text, title, more


def _media(part: Media, room: _Room) -> Block:
    kind = part.type.partition(";")[0].strip().lower()
    if kind in _SHOWN and part.data and room.holds(part.data) and _BASE64.fullmatch(part.data):
        return Block("picture", "", part.name, 0, f"data:{kind};base64,{part.data}")
    where = part.name or part.url or part.file
    size = f"{len(part.data) * 3 // 4:,} bytes" if part.data else ""
    title = ", ".join(filter(None, (part.kind, part.type, size)))
    text, more = room.cut(part.text or where)
    return Block("file", text, title, more)


def pretty(text: str) -> str:
    """JSON on several lines; what is none, as it is."""
    if len(text) > PART * 10:
        return text
    try:
        return codec.indented(codec.decode(text.encode("utf-8", "surrogatepass"))).rstrip()
    except (*DecodeError, ValueError):
        return text


def parameters(request: ChatRequest) -> Iterable[tuple[str, str]]:
    """What the request asks for beside its turns."""
    single = ("temperature", "top_p", "top_k", "max_tokens", "seed", "candidates", "service_tier", "user")
    for name in single:
        if (value := getattr(request, name)) not in (None, ""):
            yield name.replace("_", " "), str(value)[:PARTS]
    if request.tools:
        names = [getattr(tool, "name", "") or getattr(tool, "kind", "") for tool in request.tools[:PARTS]]
        yield f"tools ({len(request.tools)})", ", ".join(names)
    if request.tool_choice is not None:
        yield "tool choice", " ".join(filter(None, (request.tool_choice.mode, request.tool_choice.name)))
    if request.format is not None and request.format.kind != "text":
        yield "form of the answer", " ".join(filter(None, (request.format.kind, request.format.name)))
    if request.effort is not None and (request.effort.level or request.effort.budget):
        yield "thinking", request.effort.level or f"{request.effort.budget:,} tokens"
    if request.stop:
        yield "stop", ", ".join(map(repr, request.stop[:PARTS]))
    yield "streamed", "yes" if request.stream else "no"
