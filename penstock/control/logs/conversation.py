"""What was said in a call: its request and its answers in the neutral form, whatever dialect of a chat they are in."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from penstock.core.codec import DecodeError
from penstock.core.errors import MalformedChat
from penstock.model.chat import Add, Call, ChatRequest, Cite, Event, Open, Part, Reasoning, Refusal, Text
from penstock.providers.dialects import DIALECTS, DONE
from penstock.wire.framing import Cutter, cutter_of
from penstock.wire.sse import Piece, data_of, split

LONGEST = 8_000_000  # bytes of a body that is read
MOST_SIGNS = 400_000  # quotes and commas in it, which bound what there is to decode

_HINTS = {
    "messages": "anthropic",
    "responses": "openai_responses",
    "enerateContent": "gemini",
    "converse": "bedrock_converse",
    "v2/chat": "cohere",
    "rawPredict": "anthropic",
    "anthropic.": "anthropic",  # models of Bedrock, at its own address for them
}
_OTHERWISE = (MalformedChat, *DecodeError, AttributeError, LookupError, TypeError, ValueError)  # of another dialect


class Conversation(NamedTuple):
    """``request``: None: it is no chat that can be read. ``answers``: the parts of each; empty: likewise."""

    request: ChatRequest | None
    answers: list[list[Part]]


def read(path: str, request: bytes, response: bytes, kind: str | None) -> Conversation:
    """``path``: below the provider. ``kind``: content type of the answer. Bodies that are too large are not read."""
    asks = asked(path, request) if readable(request) else None
    return Conversation(asks, answered(path, response, kind) if readable(response) else [])


def readable(body: bytes) -> bool:
    """Whether it is worth reading."""
    return 0 < len(body) <= LONGEST and body.count(b'"') + body.count(b",") <= MOST_SIGNS


def asked(path: str, body: bytes) -> ChatRequest | None:
    """The request; None where it is no chat."""
    for name in _names(path):
        client, provider = DIALECTS[name].client, DIALECTS[name].provider
        read = client.read_request if client is not None else provider.read_request if provider is not None else None
        if read is not None:
            with suppress(*_OTHERWISE):
                return read(body)
    return None


def answered(path: str, body: bytes, kind: str | None) -> list[list[Part]]:
    """The parts of each answer; none where they cannot be read. ``kind``: the content type."""
    cutter = cutter_of((kind or "").encode("latin-1", "replace"))
    for name in _names(path):
        if (provider := DIALECTS[name].provider) is not None:
            with suppress(*_OTHERWISE):
                if cutter is not None:
                    found = _streamed(_data(body, cutter), provider.reader().data)
                else:
                    found = [one.content for one in provider.read_answer(body).candidates]
                if any(found):
                    return found
    return []


def _names(path: str) -> list[str]:
    """Of all dialects, the likely one first."""
    likely = next((name for part, name in _HINTS.items() if part in path), "openai_chat")
    return list(dict.fromkeys([likely, *DIALECTS]))


def _data(body: bytes, cutter: type[Cutter]) -> Iterator[bytes]:
    cut = cutter(max(1, len(body)))
    for block in [*cut.feed(body), cut.rest()]:
        for event in [] if isinstance(block, Piece) else split(block):
            if (data := data_of(event)) and data not in DONE:
                yield data


def _streamed(chunks: Iterator[bytes], read: Callable[[bytes], list[Event]]) -> list[list[Part]]:
    """The parts that the events make; of a stream that broke off, as far as it came."""
    parts: dict[tuple[int, int], Part] = {}
    grown: dict[tuple[int, int], list[str]] = {}
    for chunk in chunks:
        for event in read(chunk):
            match event:
                case Open():
                    parts[event.candidate, event.index] = event.part
                case Add():
                    parts.setdefault((event.candidate, event.index), Text(""))
                    grown.setdefault((event.candidate, event.index), []).append(event.text)
                case Cite():
                    part = parts.get((event.candidate, event.index))
                    if isinstance(part, Text):
                        part.citations = [*(part.citations or []), event.citation]
                case _:
                    pass
    for key, pieces in grown.items():
        part = parts[key]
        if isinstance(part, Call):
            part.arguments += "".join(pieces)
        elif isinstance(part, Text | Reasoning | Refusal):
            part.text += "".join(pieces)
    candidates = dict.fromkeys(candidate for candidate, _ in parts)
    return [[part for (of, _), part in parts.items() if of == candidate] for candidate in candidates]
