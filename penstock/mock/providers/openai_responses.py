"""OpenAI responses, whole and as a stream."""

from collections.abc import Iterator
from typing import Any

from penstock.core import codec
from penstock.mock.answer import CREATED, EVENTS, JSON, Answer, Ask, Usage, pieces, reply, usage

_FAILED = {"code": "server_error", "message": "The server had an error while processing your request."}


class _Part(codec.Struct):
    text: str | None = None


class _Item(codec.Struct):
    role: str | None = None
    content: str | list[_Part] | None = None


class _Responses(codec.Struct):
    model: str
    input: str | list[_Item] = ""
    instructions: str | None = None
    stream: bool | None = None


_decode = codec.decoder(_Responses).decode


def responses(ask: Ask) -> Answer:
    given = _decode(ask.body)
    items = [_Item("user", given.input)] if isinstance(given.input, str) else given.input
    said = [item for item in items if item.role == "user"]
    text = reply(_text(said[-1]) if said else "", ask.controls)
    used = usage((given.instructions or "") + "".join(map(_text, items)), text, ask.controls)
    final = _object(ask, given, "completed", [_message(ask, "completed", [_part(text)])], used)
    if not given.stream:
        return Answer(200, JSON, [codec.encode(final)])
    events = list(_events(ask, given, text, final))
    number = len(events) // 2
    failed = _object(ask, given, "failed", [], None) | {"error": _FAILED}
    failure = _event(number, {"type": "error", **_FAILED, "param": None})
    failure += _event(number + 1, {"type": "response.failed", "response": failed})
    return Answer(200, EVENTS, [_event(n, event) for n, event in enumerate(events)], stream=True, failure=failure)


def _text(item: _Item) -> str:
    if isinstance(item.content, list):
        return "".join(part.text or "" for part in item.content)
    return item.content or ""


def _events(ask: Ask, given: _Responses, text: str, final: dict[str, Any]) -> Iterator[dict[str, Any]]:
    begun = _object(ask, given, "in_progress", [], None)
    output = {"output_index": 0}
    place = {"item_id": f"msg_{ask.seed}", "output_index": 0, "content_index": 0}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    yield {"type": "response.output_item.added", **output, "item": _message(ask, "in_progress", [])}
    yield {"type": "response.content_part.added", **place, "part": _part("")}
    for piece in pieces(text, ask.controls.frames):
        yield {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **place, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": _part(text)}
    yield {"type": "response.output_item.done", **output, "item": final["output"][0]}
    yield {"type": "response.completed", "response": final}


def _object(
    ask: Ask, given: _Responses, status: str, output: list[dict[str, Any]], used: Usage | None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": f"resp_{ask.seed}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "completed_at": CREATED if status == "completed" else None,
        "error": None,
        "incomplete_details": None,
        "instructions": given.instructions,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "model": given.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": reported(used) if used else None,
        "user": None,
        "metadata": {},
    }
    if ask.controls.usage == "none":
        del body["usage"]
    return body


def _message(ask: Ask, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": f"msg_{ask.seed}", "type": "message", "status": status, "role": "assistant", "content": content}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def reported(used: Usage) -> dict[str, Any]:
    """The usage object."""
    return {
        "input_tokens": used.input,
        "input_tokens_details": {"cached_tokens": used.cached, "cache_write_tokens": used.cache_write},
        "output_tokens": used.output,
        "output_tokens_details": {"reasoning_tokens": used.reasoning},
        "total_tokens": used.input + used.output,
    }


def _event(number: int, event: dict[str, Any]) -> bytes:
    event = {"type": event["type"], "sequence_number": number, **event}
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), codec.encode(event))
