"""Cohere's chat of the second version, as a provider."""

import json

from tests.kit.pairs.plain import Json, NoPlaceError, Plain, conversation, of_data_url, pieces, sse, without_nothing

MODEL = "command-a-reasoning-08-2025"
STREAM = b"text/event-stream"
TELLS_REASONING = False  # how much of the output was thinking
SIGNS_TEXT = False
_CONFIG = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "p",
    "top_k": "k",
    "stop": "stop_sequences",
    "seed": "seed",
    "presence": "presence_penalty",
    "frequency": "frequency_penalty",
}
_STOPS = {"end": "COMPLETE", "length": "MAX_TOKENS", "sequence": "STOP_SEQUENCE", "calls": "TOOL_CALL"}


def understood(body: Json) -> Plain:
    """What a request asks for."""
    system = [one["content"] for one in body["messages"] if one["role"] == "system"]
    turns = [(_role(one), [*_parts(one)]) for one in body["messages"] if one["role"] != "system"]
    told: Plain = {"turns": conversation(turns)}
    told |= {plain: body[name] for plain, name in _CONFIG.items() if name in body}
    form = body.get("response_format")
    if form is not None:
        assert system.pop(0).startswith("Answer with one JSON object")  # as Cohere wants it beside
        told["schema"] = form["json_schema"]
    if system:
        told["system"] = "".join(system)
    if "tools" in body:
        functions = [tool["function"] for tool in body["tools"]]
        told["tools"] = [(one["name"], one["description"], one["parameters"]) for one in functions]
    if choice := body.get("tool_choice"):
        told["choice"] = choice.lower()
    if body.get("thinking", {}).get("type") == "enabled":
        told["thinks"] = True
    return told


def _role(message):
    return "assistant" if message["role"] == "assistant" else "user"


def _parts(message):
    if message["role"] == "tool":
        yield "result", message["tool_call_id"], message["content"]
        return
    if plan := message.get("tool_plan"):
        yield "text", plan
    content = message.get("content") or []
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        match block:
            case {"type": "text", "text": text}:
                yield "text", text
            case {"type": "image_url", "image_url": {"url": url}} if url.startswith("data:"):
                yield "image", *of_data_url(url)
            case {"type": "image_url", "image_url": {"url": url}}:
                yield "link", url
            case _:
                raise AssertionError(block)
    for call in message.get("tool_calls", ()):
        yield "call", call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])


def say(told: Plain) -> Json:
    """An answer. Raises NoPlaceError."""
    if told["stop"] not in _STOPS or "signature" in told:
        raise NoPlaceError(told["stop"])
    content: list[Json] = []
    if "thought" in told:
        content.append({"type": "thinking", "thinking": told["thought"]})
    plan = told.get("text") if told.get("calls") else None
    if "text" in told and plan is None:
        content.append({"type": "text", "text": told["text"]})
    calls = [
        {"id": f"{name}_{number}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for number, (name, arguments) in enumerate(told.get("calls", ()))
    ]
    message = {"role": "assistant", "tool_plan": plan, "content": content, "tool_calls": calls}
    usage = {
        "billed_units": {"input_tokens": float(told["usage"]["input"]), "output_tokens": told["usage"]["output"]},
        "tokens": {"input_tokens": 600, "output_tokens": 60},
        "cached_tokens": told["usage"]["cached"],
    }
    return {"id": "m", "message": without_nothing(message), "finish_reason": _STOPS[told["stop"]], "usage": usage}


def stream(told: Plain) -> list[bytes]:
    """The same answer, event by event."""
    answer = say(told)
    message = answer["message"]
    events = [_event("message-start", id="m", delta={"message": {"role": "assistant", "content": []}})]
    events += [_told("tool-plan-delta", tool_plan=one) for one in pieces(message.get("tool_plan", ""))]
    for number, block in enumerate(message.get("content", ())):
        kind = "thinking" if "thinking" in block else "text"
        events.append(_told("content-start", number, content={"type": kind, kind: ""}))
        events += [_told("content-delta", number, content={kind: one}) for one in pieces(block[kind])]
        events.append(_event("content-end", index=number))
    for number, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        begun = {**call, "function": {"name": function["name"], "arguments": ""}}
        events.append(_told("tool-call-start", number, tool_calls=begun))
        for one in pieces(function["arguments"]):
            events.append(_told("tool-call-delta", number, tool_calls={"function": {"arguments": one}}))
        events.append(_event("tool-call-end", index=number))
    end = {"finish_reason": answer["finish_reason"], "usage": answer["usage"]}
    return [*events, _event("message-end", id="m", delta=end), sse("[DONE]")]


def _told(kind, index=None, **message):
    at = {} if index is None else {"index": index}
    return _event(kind, **at, delta={"message": message})


def _event(kind: str, **members) -> bytes:
    return sse(json.dumps({"type": kind, **members}), kind)


def broken(words: str) -> bytes:
    """The event of an error in a stream."""
    return _event("message-end", delta={"finish_reason": "ERROR", "error": words})


def fail(words: str) -> Json:
    return {"id": "x", "message": words}
