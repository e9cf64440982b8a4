"""OpenAI chat, as a client and as a provider."""

import json

from tests.kit.pairs.plain import (
    Json,
    NoPlaceError,
    Plain,
    conversation,
    data_url,
    events_of,
    known,
    of_data_url,
    pieces,
    sse,
    without_nothing,
)

MODEL = "gpt-5"
SIGNS_TEXT = True  # a signature vouches for the words of the thinking
_MEMBERS = {
    "max_tokens": "max_completion_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "stop": "stop",
    "seed": "seed",
    "several": "n",
    "presence": "presence_penalty",
    "frequency": "frequency_penalty",
    "user": "user",
    "parallel": "parallel_tool_calls",
    "bias": "logit_bias",
}
_STOPS = {"end": "stop", "length": "length", "calls": "tool_calls", "filter": "content_filter"}
_READ = {word: stop for stop, word in _STOPS.items()}


# A client.


def ask(told: Plain) -> Json:
    """A request. Raises NoPlaceError."""
    known(told, "logprobs", *_MEMBERS)
    body: Json = {"model": "gpt-5", "messages": []}
    if "system" in told:
        body["messages"].append({"role": "system", "content": told["system"]})
    for role, *parts in told["turns"]:
        body["messages"] += [_message(role, parts)] if role == "assistant" else _user(parts)
    body["messages"] += told.get("replayed", [])
    body |= {name: told[plain] for plain, name in _MEMBERS.items() if plain in told}
    if "tools" in told:
        body["tools"] = [
            {"type": "function", "function": {"name": name, "description": words, "parameters": schema}}
            for name, words, schema in told["tools"]
        ]
    if "choice" in told:
        word, _, name = told["choice"].partition(":")
        body["tool_choice"] = {"type": "function", "function": {"name": name}} if name else word
    if "schema" in told:
        form = {"name": "answer", "schema": told["schema"], "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    if "thinks" in told:
        body["reasoning_effort"] = "medium"
    if "logprobs" in told:
        body |= {"logprobs": True, "top_logprobs": told["logprobs"]}
    return body


def _user(parts):
    results = [part for part in parts if part[0] == "result"]
    messages = [{"role": "tool", "tool_call_id": f"call_{number}", "content": text} for _, number, text in results]
    content = [_content(part) for part in parts if part[0] != "result"]
    if len(content) == 1 and content[0]["type"] == "text":
        content = content[0]["text"]
    return [*messages, {"role": "user", "content": content}] if content else messages


def _content(part):
    match part:
        case ("text", text):
            return {"type": "text", "text": text}
        case ("image", kind, data):
            return {"type": "image_url", "image_url": {"url": data_url(kind, data)}}
        case ("link", url):
            return {"type": "image_url", "image_url": {"url": url}}
        case ("document", kind, data):
            return {"type": "file", "file": {"file_data": data_url(kind, data), "filename": "a.pdf"}}
    raise NoPlaceError(part[0])


def _message(role, parts):
    calls = [
        {"id": f"call_{part[1]}", "type": "function", "function": {"name": part[2], "arguments": json.dumps(part[3])}}
        for part in parts
        if part[0] == "call"
    ]
    text = "".join([part[1] for part in parts if part[0] == "text"])
    return without_nothing({"role": role, "content": text, "tool_calls": calls})


def told_by(answer: Json) -> Plain:
    """What an answer says."""
    (choice,) = answer["choices"]
    message, usage, stop = choice["message"], answer.get("usage"), _READ[choice["finish_reason"]]
    return without_nothing(
        {
            "text": message.get("content"),
            "thought": message.get("reasoning_content"),
            "refusal": message.get("refusal"),
            "calls": [
                (call["function"]["name"], json.loads(call["function"]["arguments"]))
                for call in message.get("tool_calls") or ()
            ],
            "stop": "refusal" if message.get("refusal") and stop == "end" else stop,
            "usage": usage
            and {
                "input": usage["prompt_tokens"],
                "cached": usage["prompt_tokens_details"]["cached_tokens"],
                "output": usage["completion_tokens"],
                "reasoning": usage["completion_tokens_details"]["reasoning_tokens"],
            },
        }
    )


def whole(stream: bytes) -> Json | None:
    """The answer that a stream makes; None: it has not come to its end."""
    *events, last = events_of(stream) or [""]
    if last != "[DONE]":
        return None
    answer: Json = {}
    message: Json = {"role": "assistant"}
    choice: Json = {"message": message}
    for event in events:
        chunk = json.loads(event)
        answer |= {name: chunk[name] for name in ("id", "model", "usage") if chunk.get(name)}
        for one in chunk["choices"]:
            choice |= {"finish_reason": one.get("finish_reason") or choice.get("finish_reason")}
            _grow(message, one["delta"])
    return {**answer, "choices": [choice]}


def _grow(message, delta):
    for name, value in delta.items():
        if name == "tool_calls":
            calls = message.setdefault("tool_calls", [])
            for piece in value:
                if piece["index"] == len(calls):
                    calls.append({**piece, "function": {**piece["function"]}})
                    continue
                call = calls[piece["index"]]
                call["function"]["arguments"] += piece.get("function", {}).get("arguments", "")
                call |= {name: piece[name] for name in ("extra_content",) if name in piece}
        elif name == "reasoning_details":
            message.setdefault(name, []).extend(value)
        elif isinstance(value, str) and name != "role":
            message[name] = message.get(name, "") + value


def replayed(answer: Json) -> list[Json]:
    """The answer as a client sends it back in its next request."""
    (choice,) = answer["choices"]
    return [choice["message"]]


def words_of_error(body: Json) -> str:
    return body["error"]["message"]


# A provider.


def understood(body: Json) -> Plain:
    """What a request asks for."""
    turns = []
    told: Plain = {}
    for message in body["messages"]:
        role, content = message["role"], message.get("content")
        if role in ("system", "developer"):
            told["system"] = content if isinstance(content, str) else "".join([one["text"] for one in content])
        elif role == "tool":
            turns.append(("user", [("result", message["tool_call_id"], content)]))
        else:
            parts = [("text", content)] if isinstance(content, str) else [*map(_part, content or ())]
            calls = message.get("tool_calls") or ()
            parts += [
                ("call", call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
                for call in calls
            ]
            turns.append((role, parts))
    told["turns"] = conversation(turns)
    told |= {plain: body[name] for plain, name in _MEMBERS.items() if name in body}
    if "tools" in body:
        functions = [tool["function"] for tool in body["tools"]]
        told["tools"] = [(one["name"], one["description"], one["parameters"]) for one in functions]
    if "tool_choice" in body:
        choice = body["tool_choice"]
        told["choice"] = choice if isinstance(choice, str) else f"named:{choice['function']['name']}"
    if "response_format" in body:
        told["schema"] = body["response_format"]["json_schema"]["schema"]
    if body.get("reasoning_effort"):
        told["thinks"] = True
    if body.get("logprobs"):
        told["logprobs"] = body["top_logprobs"]
    if "top_k" in body:
        told["top_k"] = body["top_k"]
    return told


def _part(part):
    match part:
        case {"type": "text", "text": text}:
            return "text", text
        case {"type": "image_url", "image_url": {"url": url}}:
            return ("image", *of_data_url(url)) if url.startswith("data:") else ("link", url)
        case {"type": "file", "file": {"file_data": url}}:
            return "document", *of_data_url(url)
    raise AssertionError(part)


def say(told: Plain) -> Json:
    """An answer. Raises NoPlaceError."""
    message = {"role": "assistant", **_said(told)}
    choice = {"index": 0, "message": message, "finish_reason": _stop(told), "logprobs": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1790000000,
        "model": MODEL,
        "choices": [choice],
        "usage": _usage(told["usage"]),
    }


def _stop(told):
    if told["stop"] == "refusal" and "refusal" in told:
        return "stop"
    if told["stop"] not in _STOPS:
        raise NoPlaceError(told["stop"])
    return _STOPS[told["stop"]]


def _said(told):
    calls = [
        {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for number, (name, arguments) in enumerate(told.get("calls", ()))
    ]
    said = {
        "content": told.get("text"),
        "reasoning_content": told.get("thought"),
        "refusal": told.get("refusal"),
        "tool_calls": calls,
        "reasoning_details": [_detail(told["thought"], told["signature"])] if "signature" in told else None,
    }
    return without_nothing(said)


def _detail(text, signature):
    """As OpenRouter has it."""
    detail = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    return without_nothing({**detail, "text": text, "signature": signature})


def _usage(usage):
    return {
        "prompt_tokens": usage["input"],
        "completion_tokens": usage["output"],
        "total_tokens": usage["input"] + usage["output"],
        "prompt_tokens_details": {"cached_tokens": usage["cached"]},
        "completion_tokens_details": {"reasoning_tokens": usage["reasoning"]},
    }


def stream(told: Plain) -> list[bytes]:
    """The same answer, event by event."""
    said, finish = _said(told), _stop(told)
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    for name in ("reasoning_content", "content", "refusal"):
        signs = name == "reasoning_content" and "signature" in told
        details = [[_detail(piece, "")] if signs else None for piece in pieces(said.get(name, ""))]
        deltas += [
            without_nothing({name: piece, "reasoning_details": detail})
            for piece, detail in zip(pieces(said.get(name, "")), details, strict=True)
        ]
    if "signature" in told:
        deltas.append({"reasoning_details": [_detail("", told["signature"])]})
    for index, call in enumerate(said.get("tool_calls", ())):
        function = call["function"]
        deltas.append(
            {"tool_calls": [{**call, "index": index, "function": {"name": function["name"], "arguments": ""}}]}
        )
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in pieces(function["arguments"])
        ]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1790000000, "model": MODEL}
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    chunks.append({**head, "choices": [], "usage": _usage(told["usage"])})
    return [*map(sse, map(json.dumps, chunks)), sse("[DONE]")]


def fail(words: str) -> Json:
    return {"error": {"message": words, "type": "invalid_request_error", "param": None, "code": None}}


def broken(words: str) -> bytes:
    """The event of an error in a stream."""
    return sse(json.dumps(fail(words)))
