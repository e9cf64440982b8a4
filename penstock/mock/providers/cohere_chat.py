"""What Cohere's chat answers in its second version, whole and as events. Its messages are like OpenAI's."""

from collections.abc import Iterator
from typing import Any

from penstock.core import codec
from penstock.mock.answer import EVENTS, Answer, Ask, Refusal, Usage, json, pieces, usage
from penstock.mock.conversation import Call, Heard, Saying, say
from penstock.mock.providers.openai_chat_request import OBJECT, Chat, Message, OfferedTool, text
from penstock.mock.providers.openai_chat_request import heard as heard_of

Json = dict[str, Any]
_FAILURE = {"type": "error", "message": "internal server error"}


class _Format(codec.Struct):
    type: str = "text"
    json_schema: Any = None


class _Thinking(codec.Struct):
    type: str = "enabled"


class _Asked(codec.Struct):
    model: str
    messages: list[Message]
    stream: bool | None = None
    tools: list[OfferedTool] | None = None
    tool_choice: str | None = None
    response_format: _Format | None = None
    thinking: _Thinking | None = None


_read = codec.decoder(_Asked).decode


def chat_2(ask: Ask) -> Answer:
    given = _read(ask.body)
    if not any(message.role == "user" for message in given.messages):
        raise Refusal(400, "invalid request: messages must have one of the user")
    saying = say(_heard(given), ask.controls)
    used = usage("".join(map(text, given.messages)), saying.spoken, ask.controls, thought=saying.thought)
    told: Json = {} if ask.controls.usage == "none" else {"usage": reported(used)}
    if given.stream:
        events = [_event(event) for event in _events(ask, saying, told)]
        return Answer(200, EVENTS, [*events, b"data: [DONE]\n\n"], stream=True, failure=_event(_FAILURE))
    return json({"id": ask.seed, "message": _message(ask, saying), "finish_reason": _finish(saying), **told})


def reported(used: Usage) -> Json:
    """The usage object of the second version, and a part of the first's ``meta``."""
    told = {"input_tokens": used.input, "output_tokens": used.output}
    return {"billed_units": told, "tokens": told} | ({"cached_tokens": used.cached} if used.cached else {})


def _heard(given: _Asked) -> Heard:
    choice = "none" if given.tool_choice == "NONE" else None
    known = heard_of(Chat(given.model, given.messages, tools=given.tools, tool_choice=choice))
    form = given.response_format
    schema = (form.json_schema or OBJECT) if form and form.type == "json_object" else None
    return known._replace(schema=schema, thinks=given.thinking is not None and given.thinking.type == "enabled")


def _finish(saying: Saying) -> str:
    return "TOOL_CALL" if saying.calls else "COMPLETE"


def _message(ask: Ask, saying: Saying) -> Json:
    blocks: list[Json] = [{"type": "thinking", "thinking": saying.thought}] if saying.thought else []
    if not saying.calls:
        return {"role": "assistant", "content": [*blocks, {"type": "text", "text": saying.text}]}
    calls = [_call(ask, index, call, call.text) for index, call in enumerate(saying.calls)]
    message: Json = {"role": "assistant", "tool_plan": _plan(saying), "tool_calls": calls}
    return message | ({"content": blocks} if blocks else {})


def _plan(saying: Saying) -> str:
    return f"I will call {' and '.join([call.name for call in saying.calls])}."


def _call(ask: Ask, index: int, call: Call, arguments: str) -> Json:
    return {
        "id": f"{call.name}_{index}{ask.seed}",
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def _events(ask: Ask, saying: Saying, told: Json) -> Iterator[Json]:
    frames = ask.controls.frames
    yield {"type": "message-start", "id": ask.seed, "delta": {"message": {"role": "assistant", "content": []}}}
    if saying.thought:
        yield from _content(0, "thinking", pieces(saying.thought, 0))
    if saying.calls:
        for piece in pieces(_plan(saying), frames):
            yield {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}}
    for index, call in enumerate(saying.calls):
        yield _delta("tool-call-start", index, {"tool_calls": _call(ask, index, call, "")})
        for piece in call.cut(frames):
            yield _delta("tool-call-delta", index, {"tool_calls": {"function": {"arguments": piece}}})
        yield {"type": "tool-call-end", "index": index}
    if not saying.calls:
        yield from _content(1 if saying.thought else 0, "text", pieces(saying.text, frames))
    yield {"type": "message-end", "id": ask.seed, "delta": {"finish_reason": _finish(saying), **told}}


def _content(index: int, kind: str, told: list[str]) -> Iterator[Json]:
    yield _delta("content-start", index, {"content": {"type": kind, kind: ""}})
    for piece in told:
        yield _delta("content-delta", index, {"content": {kind: piece}})
    yield {"type": "content-end", "index": index}


def _delta(kind: str, index: int, message: Json) -> Json:
    return {"type": kind, "index": index, "delta": {"message": message}}


def _event(event: Json) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), codec.encode(event))
