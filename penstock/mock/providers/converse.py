"""What Bedrock's Converse answers, whole and as the events of a stream."""

from collections.abc import Iterator
from typing import Any

from penstock.mock.answer import Ask, Usage, pieces, usage
from penstock.mock.conversation import Saying, say, sign
from penstock.mock.providers.converse_request import NAME, Converse, heard, read, text

Json = dict[str, Any]


def whole(ask: Ask) -> Json:
    given, saying = _said(ask)
    content: list[Json] = []
    if saying.thought:
        content.append({"reasoningContent": {"reasoningText": {"text": saying.thought, **_signature(ask, saying)}}})
    for index, call in enumerate(saying.calls):
        content.append({"toolUse": {**_begun(ask, index, call.name), "input": call.arguments}})
    if not saying.calls:
        content.append({"text": saying.text})
    body: Json = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": _stop(saying),
        "metrics": {"latencyMs": 7},
    }
    if ask.controls.usage != "none":
        body["usage"] = reported(_used(ask, given, saying))
    return body


def events(ask: Ask) -> Iterator[tuple[str, Json]]:
    """Each with its name. Only a call has an event that begins it."""
    given, saying = _said(ask)
    index = 0
    yield "messageStart", {"role": "assistant"}
    if saying.thought:
        for piece in pieces(saying.thought, 0):
            yield _delta(index, {"reasoningContent": {"text": piece}})
        yield _delta(index, {"reasoningContent": _signature(ask, saying)})
        yield "contentBlockStop", {"contentBlockIndex": index}
        index += 1
    for number, call in enumerate(saying.calls):
        yield "contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": _begun(ask, number, call.name)}}
        for piece in call.cut(ask.controls.frames):
            yield _delta(index, {"toolUse": {"input": piece}})
        yield "contentBlockStop", {"contentBlockIndex": index}
        index += 1
    if not saying.calls:
        for piece in pieces(saying.text, ask.controls.frames):
            yield _delta(index, {"text": piece})
        yield "contentBlockStop", {"contentBlockIndex": index}
    yield "messageStop", {"stopReason": _stop(saying)}
    told = {} if ask.controls.usage == "none" else {"usage": reported(_used(ask, given, saying))}
    yield "metadata", told | {"metrics": {"latencyMs": 7}}


def spent(ask: Ask) -> Usage:
    return _used(ask, *_said(ask))


def reported(used: Usage) -> Json:
    """The usage object: cached tokens stand beside the input."""
    return {
        "inputTokens": used.fresh,
        "outputTokens": used.output,
        "totalTokens": used.input + used.output,
        "cacheReadInputTokens": used.cached,
        "cacheWriteInputTokens": used.cache_write,
    }


def _said(ask: Ask) -> tuple[Converse, Saying]:
    given = read(ask.body)
    return given, say(heard(given), ask.controls)


def _used(ask: Ask, given: Converse, saying: Saying) -> Usage:
    prompt = text(given.system) + "".join(text(message.content) for message in given.messages)
    return usage(prompt, saying.spoken, ask.controls, thought=saying.thought)


def _stop(saying: Saying) -> str:
    return "tool_use" if saying.calls else "end_turn"


def _signature(ask: Ask, saying: Saying) -> Json:
    return {"signature": sign(NAME, ask.seed, saying.thought)}


def _begun(ask: Ask, index: int, name: str) -> Json:
    return {"toolUseId": f"tooluse_{index}{ask.seed}", "name": name}


def _delta(index: int, delta: Json) -> tuple[str, Json]:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}
