"""Anthropic messages, as a client and as a provider."""

import json

from tests.kit.pairs.plain import (
    Json,
    NoPlaceError,
    Plain,
    conversation,
    events_of,
    known,
    pieces,
    sse,
    without_nothing,
)

MODEL = "claude-sonnet-4-5"
SIGNS_TEXT = True  # a signature vouches for the words of the thinking
_MEMBERS = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop": "stop_sequences",
}
_CHOICES = {"auto": "auto", "required": "any", "none": "none", "named": "tool"}
_STOPS = {
    "end": "end_turn",
    "length": "max_tokens",
    "sequence": "stop_sequence",
    "calls": "tool_use",
    "refusal": "refusal",
    "pause": "pause_turn",
}
_READ = {word: stop for stop, word in _STOPS.items()}


# A client.


def ask(told: Plain) -> Json:
    """A request. Raises NoPlaceError."""
    known(told, "user", "parallel", *_MEMBERS)
    messages = [{"role": role, "content": [*map(_block, parts)]} for role, *parts in told["turns"]]
    body: Json = {"model": MODEL, "messages": [*messages, *told.get("replayed", [])]}
    body |= {name: told[plain] for plain, name in _MEMBERS.items() if plain in told}
    if "system" in told:
        body["system"] = told["system"]
    if "tools" in told:
        body["tools"] = [
            {"name": name, "description": words, "input_schema": schema} for name, words, schema in told["tools"]
        ]
    if "choice" in told:
        word, _, name = told["choice"].partition(":")
        body["tool_choice"] = without_nothing({"type": _CHOICES[word], "name": name})
    if "parallel" in told:
        body["tool_choice"] = {**body.get("tool_choice", {"type": "auto"}), "disable_parallel_tool_use": True}
    if "schema" in told:
        body["output_config"] = {"format": {"type": "json_schema", "schema": told["schema"]}}
    if "thinks" in told:
        body["thinking"] = {"type": "enabled", "budget_tokens": 2048}
    if "user" in told:
        body["metadata"] = {"user_id": told["user"]}
    return body


def _block(part):
    match part:
        case ("text", text):
            return {"type": "text", "text": text}
        case ("image", kind, data):
            return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}
        case ("link", url):
            return {"type": "image", "source": {"type": "url", "url": url}}
        case ("document", kind, data):
            return {"type": "document", "source": {"type": "base64", "media_type": kind, "data": data}}
        case ("call", number, name, arguments):
            return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments}
        case ("result", number, text):
            return {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": text}
    raise NoPlaceError(part[0])


def told_by(answer: Json) -> Plain:
    """What an answer says."""
    blocks, usage = answer["content"], answer["usage"]
    stop = _READ[answer["stop_reason"]]
    text = "".join([block["text"] for block in blocks if block["type"] == "text"])
    return without_nothing(
        {
            "text": text if stop != "refusal" else "",
            "refusal": text if stop == "refusal" else "",
            "thought": "".join([block["thinking"] for block in blocks if block["type"] == "thinking"]),
            "calls": [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"],
            "stop": stop,
            "usage": {
                "input": usage["input_tokens"] + usage["cache_read_input_tokens"],
                "cached": usage["cache_read_input_tokens"],
                "output": usage["output_tokens"],
                "reasoning": usage.get("output_tokens_details", {}).get("thinking_tokens", 0),
            },
        }
    )


def whole(stream: bytes) -> Json | None:
    """The answer that a stream makes; None: it has not come to its end."""
    answer: Json = {}
    inputs: dict[int, str] = {}
    for told in map(json.loads, events_of(stream)):
        match told:
            case {"type": "message_start", "message": message}:
                answer = message
            case {"type": "content_block_start", "content_block": block}:
                assert told["index"] == len(answer["content"])
                answer["content"].append(block)
            case {"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta"} as delta}:
                inputs[index] = inputs.get(index, "") + delta["partial_json"]
            case {"type": "content_block_delta", "index": index, "delta": {"type": kind, **delta}}:
                name = kind.removesuffix("_delta")
                block = answer["content"][index]
                block[name] = block.get(name, "") + delta[name]
            case {"type": "content_block_stop", "index": index} if index in inputs:
                answer["content"][index]["input"] = json.loads(inputs[index] or "{}")
            case {"type": "message_delta"}:
                answer |= told["delta"]
                answer["usage"] = {**answer["usage"], **told["usage"]}
            case {"type": "message_stop"}:
                return answer
    return None


def replayed(answer: Json) -> list[Json]:
    """The answer as a client sends it back in its next request."""
    return [{"role": "assistant", "content": answer["content"]}]


def words_of_error(body: Json) -> str:
    assert body["type"] == "error"
    return body["error"]["message"]


# A provider.


def understood(body: Json) -> Plain:
    """What a request asks for."""
    turns = [
        (one["role"], [("text", one["content"])] if isinstance(one["content"], str) else [*map(_part, one["content"])])
        for one in body["messages"]
    ]
    told: Plain = {"turns": conversation(turns)}
    told |= {plain: body[name] for plain, name in _MEMBERS.items() if name in body}
    if "system" in body:
        system = body["system"]
        told["system"] = system if isinstance(system, str) else "\n".join([block["text"] for block in system])
    if "tools" in body:
        told["tools"] = [(tool["name"], tool["description"], tool["input_schema"]) for tool in body["tools"]]
    if (choice := body.get("tool_choice")) is not None:
        word = next(word for word, kind in _CHOICES.items() if kind == choice["type"])
        told["choice"] = f"named:{choice['name']}" if word == "named" else word
        if choice.get("disable_parallel_tool_use"):
            told["parallel"] = False
    if "format" in body.get("output_config", {}):
        told["schema"] = body["output_config"]["format"]["schema"]
    if body.get("thinking", {}).get("type") in ("enabled", "adaptive"):
        told["thinks"] = True
    if "metadata" in body:
        told["user"] = body["metadata"]["user_id"]
    return told


def _part(block):
    match block:
        case {"type": "text", "text": text}:
            return "text", text
        case {"type": "image", "source": {"type": "url", "url": url}}:
            return "link", url
        case {"type": ("image" | "document") as kind, "source": {"type": "base64", **source}}:
            return kind, source["media_type"], source["data"]
        case {"type": "tool_use"}:
            return "call", block["id"], block["name"], block["input"]
        case {"type": "tool_result"}:
            return "result", block["tool_use_id"], block["content"]
        case {"type": "thinking"}:
            return "thought", block["thinking"], block["signature"]
    raise AssertionError(block)


def say(told: Plain) -> Json:
    """An answer. Raises NoPlaceError."""
    if told["stop"] not in _STOPS:
        raise NoPlaceError(told["stop"])
    blocks: list[Json] = []
    if "thought" in told:
        blocks.append({"type": "thinking", "thinking": told["thought"], "signature": told.get("signature", "sig")})
    if text := told.get("text") or told.get("refusal"):
        blocks.append({"type": "text", "text": text})
    blocks += [
        {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments}
        for number, (name, arguments) in enumerate(told.get("calls", ()))
    ]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": blocks,
        "stop_reason": _STOPS[told["stop"]],
        "stop_sequence": "END" if told["stop"] == "sequence" else None,
        "usage": _usage(told["usage"]),
    }


def _usage(usage):
    return {
        "input_tokens": usage["input"] - usage["cached"],
        "cache_read_input_tokens": usage["cached"],
        "cache_creation_input_tokens": 0,
        "output_tokens": usage["output"],
        "output_tokens_details": {"thinking_tokens": usage["reasoning"]},
    }


def stream(told: Plain) -> list[bytes]:
    """The same answer, event by event."""
    answer = say(told)
    usage = answer["usage"]
    blank = {"content": [], "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1}}
    events: list[Json] = [{"type": "message_start", "message": {**answer, **blank}}, {"type": "ping"}]
    for index, block in enumerate(answer["content"]):
        start, deltas = _told_in_pieces(block)
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    delta = {name: answer[name] for name in ("stop_reason", "stop_sequence")}
    events += [{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]
    return [sse(json.dumps(event), event["type"]) for event in events]


def _told_in_pieces(block):
    match block["type"]:
        case "text":
            return {**block, "text": ""}, [{"type": "text_delta", "text": one} for one in pieces(block["text"])]
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": one} for one in pieces(block["thinking"])]
            start = {**block, "thinking": "", "signature": ""}
            return start, [*deltas, {"type": "signature_delta", "signature": block["signature"]}]
    text = json.dumps(block["input"])
    return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": one} for one in pieces(text)]


def fail(words: str) -> Json:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": words}}


def broken(words: str) -> bytes:
    """The event of an error in a stream."""
    return sse(json.dumps(fail(words)), "error")
