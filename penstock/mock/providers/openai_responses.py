"""OpenAI responses, whole and as a stream."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from penstock.core import codec
from penstock.mock.answer import CREATED, EVENTS, JSON, Answer, Ask, Usage, pieces, usage
from penstock.mock.conversation import Call, Saying, say, sign
from penstock.mock.providers.openai_responses_request import NAME, Responses, heard, read, text

_FAILED = {"code": "server_error", "message": "The server had an error while processing your request."}


def responses(ask: Ask) -> Answer:
    given = read(ask.body)
    saying = say(heard(given), ask.controls)
    prompt = (given.instructions or "") + "".join(map(text, given.items))
    used = usage(prompt, saying.spoken, ask.controls, thought=saying.thought)
    items = _items(ask, given, saying)
    final = _object(ask, given, "completed", [item.whole for item in items], used)
    if not given.stream:
        return Answer(200, JSON, [codec.encode(final)])
    events = list(_events(ask, given, items, final))
    number = len(events) // 2
    failed = _object(ask, given, "failed", [], None) | {"error": _FAILED}
    failure = _event(number, {"type": "error", **_FAILED, "param": None})
    failure += _event(number + 1, {"type": "response.failed", "response": failed})
    return Answer(200, EVENTS, [_event(n, event) for n, event in enumerate(events)], stream=True, failure=failure)


class _Item(NamedTuple):
    """An item of the output: whole, as it begins, and the events between, without what says where they belong."""

    whole: dict[str, Any]
    begun: dict[str, Any]
    between: list[dict[str, Any]]


def _items(ask: Ask, given: Responses, saying: Saying) -> list[_Item]:
    items = [_reasoning(ask, given, saying.thought)] if saying.thought else []
    items += [_call(ask, index, call) for index, call in enumerate(saying.calls)]
    return items if saying.calls else [*items, _said(ask, saying.text)]


def _reasoning(ask: Ask, given: Responses, thought: str) -> _Item:
    item: dict[str, Any] = {"id": f"rs_{ask.seed}", "type": "reasoning", "summary": []}
    if "reasoning.encrypted_content" in (given.include or ()):
        item["encrypted_content"] = sign(NAME, ask.seed)
    if given.reasoning is None or not given.reasoning.summary:
        return _Item(item, item, [])
    part = {"type": "summary_text", "text": thought}
    place, name = {"summary_index": 0}, "response.reasoning_summary"
    between = [
        {"type": f"{name}_part.added", **place, "part": part | {"text": ""}},
        *({"type": f"{name}_text.delta", **place, "delta": piece} for piece in pieces(thought, 0)),
        {"type": f"{name}_text.done", **place, "text": thought},
        {"type": f"{name}_part.done", **place, "part": part},
    ]
    return _Item(item | {"summary": [part]}, item, between)


def _call(ask: Ask, index: int, call: Call) -> _Item:
    item = {
        "id": f"fc_{index}{ask.seed}",
        "type": "function_call",
        "status": "completed",
        "arguments": call.text,
        "call_id": f"call_{index}{ask.seed}",
        "name": call.name,
    }
    name = "response.function_call_arguments"
    between = [{"type": f"{name}.delta", "delta": piece} for piece in call.cut(ask.controls.frames)]
    done = {"type": f"{name}.done", "name": call.name, "arguments": call.text}
    return _Item(item, item | {"status": "in_progress", "arguments": ""}, [*between, done])


def _said(ask: Ask, said: str) -> _Item:
    place, name = {"content_index": 0}, "response.content_part"
    between: list[dict[str, Any]] = [
        {"type": f"{name}.added", **place, "part": _part("")},
        *(
            {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
            for piece in pieces(said, ask.controls.frames)
        ),
        {"type": "response.output_text.done", **place, "text": said, "logprobs": []},
        {"type": f"{name}.done", **place, "part": _part(said)},
    ]
    return _Item(_message(ask, "completed", [_part(said)]), _message(ask, "in_progress", []), between)


def _events(ask: Ask, given: Responses, items: list[_Item], final: dict[str, Any]) -> Iterator[dict[str, Any]]:
    begun = _object(ask, given, "in_progress", [], None)
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(items):
        output = {"output_index": index}
        yield {"type": "response.output_item.added", **output, "item": item.begun}
        for event in item.between:
            yield {"type": event["type"], "item_id": item.whole["id"], **output, **event}
        yield {"type": "response.output_item.done", **output, "item": item.whole}
    yield {"type": "response.completed", "response": final}


def _object(
    ask: Ask, given: Responses, status: str, output: list[dict[str, Any]], used: Usage | None
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
