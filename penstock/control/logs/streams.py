"""A streamed answer as one JSON object: its chunks, and the message that they make together.

The message is made for the dialects that log it in pieces; where a chunk is not what it should be, it is left out.
"""

from typing import Any

from penstock.core.codec import DecodeError, decode
from penstock.wire.sse import Events, data_of

Chunk = dict[str, Any]
_DONE = b"[DONE]"


def as_json(body: bytes) -> dict[str, Any]:
    """``streamed_data``: what each event carried (JSON, or else its text); ``message``, where it can be told."""
    cutter = Events(cap=max(1, len(body)))
    events = [*cutter.feed(body), cutter.rest()]
    chunks = [_parsed(data) for event in events if (data := data_of(event)) and data != _DONE]
    shown: dict[str, Any] = {"streamed_data": chunks}
    if (message := _message([chunk for chunk in chunks if isinstance(chunk, dict)])) is not None:
        shown["message"] = message
    return shown


def _parsed(data: bytes) -> Any:
    try:
        return decode(data)
    except DecodeError:
        return data.decode("utf-8", "replace")


def _message(chunks: list[Chunk]) -> Any:
    """The whole answer of OpenAI's responses, the message of Anthropic's, or the first choice's of a chat."""
    for chunk in reversed(chunks):
        if isinstance(chunk.get("response"), dict) and str(chunk.get("type", "")).startswith("response."):
            return chunk["response"]
    try:
        return _anthropic(chunks) or _chat(chunks)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):  # not what it seemed to be
        return None


def _anthropic(chunks: list[Chunk]) -> Chunk | None:
    start = next((chunk["message"] for chunk in chunks if chunk.get("type") == "message_start"), None)
    if start is None:
        return None
    message, blocks = dict(start), dict[int, Chunk]()
    for chunk in chunks:
        match chunk.get("type"):
            case "content_block_start":
                blocks[chunk["index"]] = dict(chunk["content_block"])
            case "content_block_delta":
                _grow(blocks[chunk["index"]], chunk["delta"])
            case "message_delta":
                message |= chunk["delta"]
            case _:
                pass
    for block in blocks.values():
        if (text := block.pop("partial_json", None)) is not None:
            block["input"] = _parsed(text.encode())
    message["content"] = list(blocks.values())
    return message


def _grow(block: Chunk, delta: Chunk) -> None:
    for name in ("text", "thinking", "signature", "partial_json"):
        if name in delta:
            block[name] = block.get(name, "") + delta[name]


def _chat(chunks: list[Chunk]) -> Chunk | None:
    message: Chunk = {}
    for chunk in chunks:
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) == 0:
                _merge(message, choice.get("delta") or {})
    return message or None


def _merge(into: Chunk, delta: Chunk) -> None:
    """Texts are joined; tool calls are told apart by their index."""
    for name, value in delta.items():
        if name == "tool_calls" and value:
            calls = into.setdefault(name, [])
            for call in value:
                while len(calls) <= call["index"] < 128:  # noqa: PLR2004  more calls than any answer makes
                    calls.append({"function": {}})
                function: Chunk = call.get("function") or {}
                calls[call["index"]] |= {key: part for key, part in call.items() if key not in ("index", "function")}
                _merge(calls[call["index"]]["function"], function)
        elif isinstance(value, str) and name not in ("role", "name"):
            into[name] = (into.get(name) or "") + value
        elif name not in into or value is not None:
            into[name] = value
