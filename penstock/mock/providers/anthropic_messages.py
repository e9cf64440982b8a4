"""Anthropic messages, whole and as a stream, and the counting of their tokens."""

from collections.abc import Iterator
from typing import Any

from penstock.core import codec
from penstock.mock.answer import EVENTS, JSON, Answer, Ask, Refusal, Usage, pieces, reply, tokens, usage

_FAILURE = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'


class _Part(codec.Struct):
    text: str | None = None


class _Message(codec.Struct):
    role: str
    content: str | list[_Part]


class _Prompt(codec.Struct):
    model: str
    messages: list[_Message]
    system: str | list[_Part] | None = None


class _Messages(_Prompt):
    max_tokens: int = 0
    stream: bool | None = None


_decode = codec.decoder(_Messages).decode
_decode_prompt = codec.decoder(_Prompt).decode


def messages(ask: Ask) -> Answer:
    given = _decode(ask.body)
    if given.max_tokens < 1:
        raise Refusal(400, "max_tokens: must be given, and at least 1")
    said = [message for message in given.messages if message.role == "user"]
    text = reply(_text(said[-1].content) if said else "", ask.controls)
    used = usage(_prompt(given), text, ask.controls)
    if given.stream:
        events = [_event(event) for event in _events(ask, given.model, text, used)]
        return Answer(200, EVENTS, events, stream=True, failure=_FAILURE)
    body = _message(ask, given.model, [{"type": "text", "text": text}], "end_turn", reported(used, used.output))
    return Answer(200, JSON, [codec.encode(body)])


def count_tokens(ask: Ask) -> Answer:
    return Answer(200, JSON, [codec.encode({"input_tokens": tokens(_prompt(_decode_prompt(ask.body)))})])


def _prompt(given: _Prompt) -> str:
    return "".join([_text(given.system), *(_text(message.content) for message in given.messages)])


def _text(content: str | list[_Part] | None) -> str:
    return "".join(part.text or "" for part in content) if isinstance(content, list) else content or ""


def _events(ask: Ask, model: str, text: str, used: Usage) -> Iterator[dict[str, Any]]:
    parts = pieces(text, ask.controls.frames)
    total = {"usage": reported(used, used.output)}
    last_text = ask.controls.usage == "last-text"
    begun = _message(ask, model, [], None, reported(used, 1))
    yield {"type": "message_start", "message": begun}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    yield {"type": "ping"}
    for number, part in enumerate(parts, 1):
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": part}}
        yield delta | total if last_text and number == len(parts) else delta
    yield {"type": "content_block_stop", "index": 0}
    ended = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}}
    yield ended if ask.controls.usage else ended | total
    yield {"type": "message_stop"}


def _message(
    ask: Ask, model: str, content: list[dict[str, Any]], stop: str | None, used: dict[str, Any]
) -> dict[str, Any]:
    body = {
        "id": f"msg_{ask.seed}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": used,
    }
    if ask.controls.usage == "none":
        del body["usage"]
    return body


def reported(used: Usage, output: int) -> dict[str, Any]:
    """The usage object; ``output`` is what was written so far. Thinking is told only where there was some."""
    thought = {"output_tokens_details": {"thinking_tokens": used.reasoning}} if used.reasoning else {}
    return {
        "input_tokens": used.fresh,
        "cache_creation_input_tokens": used.cache_write,
        "cache_read_input_tokens": used.cached,
        "output_tokens": output,
        **thought,
    }


def _event(event: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), codec.encode(event))
