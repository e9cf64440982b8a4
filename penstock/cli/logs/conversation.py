"""What was said in a call: the turns of its request and its answer, in whatever dialect of a chat they are."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from penstock.core.codec import DecodeError
from penstock.core.errors import MalformedChat
from penstock.model.chat import Add, Call, ChatRequest, Event, Media, Open, Part, Reasoning, Refusal, Result, Text
from penstock.providers.dialects import DIALECTS, DONE
from penstock.wire.framing import Cutter, cutter_of
from penstock.wire.sse import Piece, data_of, split

Said = tuple[str, str]  # a role, and what it said

_HINTS = {"messages": "anthropic", "responses": "openai_responses", "generateContent": "gemini"}
_OTHERWISE = (MalformedChat, *DecodeError, LookupError, ValueError, TypeError)  # it is of another dialect


def asked(path: str, body: bytes) -> list[Said]:
    """The turns of a request; none where it is no chat. ``path``: where it went, which tells the likely dialect."""
    likely = next((name for part, name in _HINTS.items() if part in path), "openai_chat")
    for name in dict.fromkeys([likely, *DIALECTS]):
        if (client := DIALECTS[name].client) is not None:
            with suppress(*_OTHERWISE):
                return _turns(client.read_request(body))
    return []


def answered(body: bytes, kind: str | None) -> list[Said]:
    """The answer; none where it cannot be read. ``kind``: its content type."""
    cutter = cutter_of((kind or "").encode("latin-1", "replace"))
    for dialect in DIALECTS.values():
        if (provider := dialect.provider) is not None:
            with suppress(*_OTHERWISE):
                if cutter is not None:
                    parts = _streamed(_data(body, cutter), provider.reader().data)
                else:
                    parts = [part for one in provider.read_answer(body).candidates for part in one.content]
                if said := _joined(parts):
                    return [("assistant", said)]
    return []


def _turns(request: ChatRequest) -> list[Said]:
    return [(turn.role, _joined(turn.content)) for turn in request.turns]


def _data(body: bytes, cutter: type[Cutter]) -> Iterator[bytes]:
    cut = cutter(max(1, len(body)))
    for block in [*cut.feed(body), cut.rest()]:
        for event in [] if isinstance(block, Piece) else split(block):
            if (data := data_of(event)) and data not in DONE:
                yield data


def _streamed(chunks: Iterator[bytes], read: Callable[[bytes], list[Event]]) -> list[Part]:
    """The parts that the events make; of a stream that broke off, as far as it came."""
    parts: dict[tuple[int, int], Part] = {}
    for chunk in chunks:
        for event in read(chunk):
            match event:
                case Open():
                    parts[event.candidate, event.index] = event.part
                case Add():
                    part = parts.setdefault((event.candidate, event.index), Text(""))
                    if isinstance(part, Call):
                        part.arguments += event.text
                    elif isinstance(part, Text | Reasoning | Refusal):
                        part.text += event.text
                case _:
                    pass
    return list(parts.values())


def _joined(parts: list[Part]) -> str:
    return "\n".join(filter(None, map(_text, parts)))


def _text(part: Part) -> str:
    match part:
        case Text() | Refusal():
            return part.text
        case Reasoning():
            return f"(thinks) {part.text}" if part.text else ""
        case Call():
            return f"(calls {part.name}) {part.arguments}"
        case Result():
            return f"(result{' of ' + part.name if part.name else ''}) {_joined(part.content)}"
        case Media():
            return f"({part.kind}{' ' + part.type if part.type else ''})"
        case _:
            return f"({part.kind})"
