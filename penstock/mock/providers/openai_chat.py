"""OpenAI chat completions, whole and as a stream, as OpenAI has them and as others do."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from penstock.core import codec
from penstock.mock.answer import CREATED, EVENTS, JSON, Answer, Ask, Refusal, Usage, pieces, usage
from penstock.mock.conversation import Saying, say
from penstock.mock.providers.openai_chat_request import heard, read, text

_MOST_CHOICES = 128
_FAILURE = (
    b'data: {"error":{"message":"The server had an error while processing your request. Sorry about that!",'
    b'"type":"server_error","param":null,"code":null}}\n\n'
)


class Unasked(Enum):
    """How a stream tells its usage to a client that did not ask."""

    NOT = "not at all"
    LAST = "in the last chunk of the text"
    EXTRA = "in a chunk of its own, as if asked"
    EACH = "in every chunk"


def reported(used: Usage) -> dict[str, Any]:
    """The usage object. A cache write is told only where there was one."""
    prompt = {"cached_tokens": used.cached, "audio_tokens": 0}
    if used.cache_write:
        prompt["cache_write_tokens"] = used.cache_write
    return plainly(used) | {
        "prompt_tokens_details": prompt,
        "completion_tokens_details": {
            "reasoning_tokens": used.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def plainly(used: Usage) -> dict[str, Any]:
    """The three figures that everybody has."""
    total = used.input + used.output
    return {"prompt_tokens": used.input, "completion_tokens": used.output, "total_tokens": total}


class Style(NamedTuple):
    """What differs from one provider to the next."""

    usage: Callable[[Usage], dict[str, Any]] = reported
    unasked: Unasked = Unasked.NOT
    refuses: bool = False  # a body with ``stream_options``
    more: Mapping[str, Any] = MappingProxyType({"service_tier": "default", "system_fingerprint": "fp_mock"})


def speaking(style: Style) -> Callable[[Ask], Answer]:
    """The handler of a provider of that style."""
    return lambda ask: _chat(ask, style)


def _chat(ask: Ask, style: Style) -> Answer:
    given = read(ask.body)
    if given.stream_options is not None and style.refuses:
        raise Refusal(422, "stream_options: Extra inputs are not permitted")
    times = 1 if given.n is None else given.n
    if not 1 <= times <= _MOST_CHOICES:
        raise Refusal(400, f"n must be from 1 to {_MOST_CHOICES}, not {times}")
    known = heard(given)
    saying = say(known, ask.controls)
    finish = "tool_calls" if saying.calls and not known.named else "stop"
    used = usage("".join(map(text, given.messages)), saying.spoken, ask.controls, times)
    if given.stream:
        asked = bool(given.stream_options and given.stream_options.include_usage) or style.unasked is Unasked.EXTRA
        told = style.usage(used)
        parts = _Parts(_deltas(ask, saying), bool(saying.calls), finish, times)
        chunks = [{**chunk, **style.more} for chunk in _chunks(ask, given.model, parts, told, asked=asked)]
        if style.unasked in (Unasked.LAST, Unasked.EACH) and ask.controls.usage != "none":
            for chunk in chunks if style.unasked is Unasked.EACH else chunks[-1:]:
                chunk["usage"] = told
        events = [_event(chunk) for chunk in chunks]
        return Answer(200, EVENTS, [*events, b"data: [DONE]\n\n"], stream=True, failure=_FAILURE)
    choices = [_choice(index, _message(ask, saying), finish) for index in range(times)]
    body = _object(ask, given.model, "chat.completion", choices, style.more)
    if ask.controls.usage != "none":
        body["usage"] = style.usage(used)
    return Answer(200, JSON, [codec.encode(body)])


chat = speaking(Style())


class _Parts(NamedTuple):
    """What a stream tells: each delta so many ``times``, and how it ends."""

    deltas: list[dict[str, Any]]
    calls: bool
    finish: str
    times: int


def _deltas(ask: Ask, saying: Saying) -> list[dict[str, Any]]:
    """After the first one, which tells the role."""
    if not saying.calls:
        return [{"content": piece} for piece in pieces(saying.text, ask.controls.frames)]
    deltas: list[dict[str, Any]] = []
    for index, call in enumerate(saying.calls):
        deltas.append({"tool_calls": [{"index": index, **_call(ask, index, call.name, "")}]})
        arguments = [{"index": index, "function": {"arguments": piece}} for piece in call.cut(ask.controls.frames)]
        deltas += [{"tool_calls": [piece]} for piece in arguments]
    return deltas


def _chunks(ask: Ask, model: str, parts: _Parts, told: dict[str, Any], *, asked: bool) -> Iterator[dict[str, Any]]:
    kind = "chat.completion.chunk"
    last_text = ask.controls.usage == "last-text"
    extra: dict[str, Any] = {"usage": None} if asked and not ask.controls.usage else {}
    begun = {"role": "assistant", "content": None if parts.calls else "", "refusal": None}
    for index in range(parts.times):
        yield _object(ask, model, kind, [_delta(index, begun)], extra)
    for number, delta in enumerate(parts.deltas, 1):
        for index in range(parts.times):
            ends = last_text and number == len(parts.deltas)
            here = {"usage": told} if ends and index == parts.times - 1 else extra
            yield _object(ask, model, kind, [_delta(index, delta, parts.finish if ends else None)], here)
    if last_text:
        return
    for index in range(parts.times):
        yield _object(ask, model, kind, [_delta(index, {}, parts.finish)], extra)
    if extra:
        yield _object(ask, model, kind, [], {"usage": told})


def _object(
    ask: Ask, model: str, kind: str, choices: list[dict[str, Any]], extra: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{ask.seed}",
        "object": kind,
        "created": CREATED,
        "model": model,
        "choices": choices,
        **extra,
    }


def _message(ask: Ask, saying: Saying) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": saying.text, "refusal": None, "annotations": []}
    if saying.calls:
        calls = [_call(ask, index, call.name, call.text) for index, call in enumerate(saying.calls)]
        message |= {"content": None, "tool_calls": calls}
    return message


def _call(ask: Ask, index: int, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_{index}{ask.seed}", "type": "function", "function": function}


def _choice(index: int, message: dict[str, Any], finish: str) -> dict[str, Any]:
    return {"index": index, "message": message, "logprobs": None, "finish_reason": finish}


def _delta(index: int, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % codec.encode(chunk)
