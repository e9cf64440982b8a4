"""Bedrock Converse, as a provider."""

import json

from penstock.mock.providers import eventstream
from tests.kit.pairs.plain import Json, NoPlaceError, Plain, conversation, pieces

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
STREAM = b"application/vnd.amazon.eventstream"
TELLS_REASONING = False  # how much of the output was thinking
SIGNS_TEXT = True  # a signature vouches for the words of the thinking
_CONFIG = {"max_tokens": "maxTokens", "temperature": "temperature", "top_p": "topP", "stop": "stopSequences"}
_STOPS = {
    "end": "end_turn",
    "length": "max_tokens",
    "sequence": "stop_sequence",
    "calls": "tool_use",
    "filter": "content_filtered",
}


def understood(body: Json) -> Plain:
    """What a request asks for."""
    turns = [(one["role"], [*map(_part, one["content"])]) for one in body["messages"]]
    config, fields = body.get("inferenceConfig", {}), body.get("additionalModelRequestFields", {})
    told: Plain = {"turns": conversation(turns)}
    told |= {plain: config[name] for plain, name in _CONFIG.items() if name in config}
    if "system" in body:
        told["system"] = "".join([block["text"] for block in body["system"]])
    if "toolConfig" in body:
        specs = [tool["toolSpec"] for tool in body["toolConfig"]["tools"]]
        told["tools"] = [(one["name"], one["description"], one["inputSchema"]["json"]) for one in specs]
        choice = body["toolConfig"].get("toolChoice", {})
        if "tool" in choice:
            told["choice"] = f"named:{choice['tool']['name']}"
        elif choice:
            told["choice"] = "required" if "any" in choice else "auto"
    if "textFormat" in body.get("outputConfig", {}):
        told["schema"] = json.loads(body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"])
    if fields.get("thinking", {}).get("type") in ("enabled", "adaptive"):
        told["thinks"] = True
    if "top_k" in fields:
        told["top_k"] = fields["top_k"]
    return told


def _part(block):
    match block:
        case {"text": text}:
            return "text", text
        case {"image": {"format": form, "source": {"bytes": data}}}:
            return "image", f"image/{form}", data
        case {"document": {"format": form, "source": {"bytes": data}}}:
            return "document", f"application/{form}", data
        case {"toolUse": call}:
            return "call", call["toolUseId"], call["name"], call["input"]
        case {"toolResult": {"toolUseId": name, "content": [{"text": text}]}}:
            return "result", name, text
        case {"reasoningContent": {"reasoningText": told}}:
            return "thought", told["text"], told["signature"]
    raise AssertionError(block)


def say(told: Plain) -> Json:
    """An answer. Raises NoPlaceError."""
    if told["stop"] not in _STOPS:
        raise NoPlaceError(told["stop"])
    blocks: list[Json] = []
    if "thought" in told:
        thought = {"text": told["thought"], "signature": told.get("signature", "sig")}
        blocks.append({"reasoningContent": {"reasoningText": thought}})
    if "text" in told:
        blocks.append({"text": told["text"]})
    blocks += [
        {"toolUse": {"toolUseId": f"tooluse_{number}", "name": name, "input": arguments}}
        for number, (name, arguments) in enumerate(told.get("calls", ()))
    ]
    message = {"role": "assistant", "content": blocks}
    return {"output": {"message": message}, "stopReason": _STOPS[told["stop"]], "usage": _usage(told["usage"])}


def _usage(usage):
    return {
        "inputTokens": usage["input"] - usage["cached"],
        "cacheReadInputTokens": usage["cached"],
        "cacheWriteInputTokens": 0,
        "outputTokens": usage["output"],
        "totalTokens": usage["input"] + usage["output"],
    }


def stream(told: Plain) -> list[bytes]:
    """The same answer, event by event."""
    answer = say(told)
    events = [_event("messageStart", role="assistant")]
    for number, block in enumerate(answer["output"]["message"]["content"]):
        if call := block.get("toolUse"):
            start = {"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}}
            events.append(_event("contentBlockStart", contentBlockIndex=number, start=start))
        events += [_event("contentBlockDelta", contentBlockIndex=number, delta=delta) for delta in _deltas(block)]
        events.append(_event("contentBlockStop", contentBlockIndex=number))
    events.append(_event("messageStop", stopReason=answer["stopReason"]))
    return [*events, _event("metadata", usage=answer["usage"], metrics={"latencyMs": 7})]


def _deltas(block):
    match block:
        case {"text": text}:
            return [{"text": one} for one in pieces(text)]
        case {"toolUse": call}:
            return [{"toolUse": {"input": one}} for one in pieces(json.dumps(call["input"]))]
        case {"reasoningContent": {"reasoningText": thought}}:
            words = [{"reasoningContent": {"text": one}} for one in pieces(thought["text"])]
            return [*words, {"reasoningContent": {"signature": thought["signature"]}}]
    raise AssertionError(block)


def _event(kind: str, **payload) -> bytes:
    return eventstream.event(kind, json.dumps(payload).encode())


def broken(words: str) -> bytes:
    """The event of an error in a stream."""
    return eventstream.exception("throttlingException", json.dumps({"message": words}).encode())


def fail(words: str) -> Json:
    return {"message": words}
