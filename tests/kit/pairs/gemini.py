"""Gemini, as a client and as a provider."""

import json
from itertools import count

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

MODEL = "gemini-2.5-flash"
SIGNS_TEXT = False
_MEMBERS = {
    "max_tokens": "maxOutputTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "stop": "stopSequences",
    "seed": "seed",
    "several": "candidateCount",
    "presence": "presencePenalty",
    "frequency": "frequencyPenalty",
    "logprobs": "logprobs",
}
_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE", "named": "ANY"}
_STOPS = {"end": "STOP", "calls": "STOP", "length": "MAX_TOKENS", "filter": "SAFETY"}


# A client.


def ask(told: Plain) -> Json:
    """A request. Raises NoPlaceError."""
    known(told, *_MEMBERS)
    names = {part[1]: part[2] for _, *parts in told["turns"] for part in parts if part[0] == "call"}
    contents = [
        {"role": "model" if role == "assistant" else "user", "parts": [_part(part, names) for part in parts]}
        for role, *parts in told["turns"]
    ]
    body: Json = {"contents": [*contents, *told.get("replayed", [])]}
    config = {name: told[plain] for plain, name in _MEMBERS.items() if plain in told}
    if "logprobs" in told:
        config["responseLogprobs"] = True
    if "schema" in told:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": told["schema"]}
    if "thinks" in told:
        config["thinkingConfig"] = {"thinkingBudget": 2048, "includeThoughts": True}
    body["generationConfig"] = config
    if "system" in told:
        body["systemInstruction"] = {"parts": [{"text": told["system"]}]}
    if "tools" in told:
        functions = [
            {"name": name, "description": words, "parametersJsonSchema": schema}
            for name, words, schema in told["tools"]
        ]
        body["tools"] = [{"functionDeclarations": functions}]
    if "choice" in told:
        word, _, name = told["choice"].partition(":")
        calling = {"mode": _MODES[word], "allowedFunctionNames": [name] if name else None}
        body["toolConfig"] = {"functionCallingConfig": without_nothing(calling)}
    return body


def _part(part, names):
    match part:
        case ("text", text):
            return {"text": text}
        case ("image" | "document", kind, data):
            return {"inlineData": {"mimeType": kind, "data": data}}
        case ("link", url):
            return {"fileData": {"mimeType": "image/png", "fileUri": url}}
        case ("call", _, name, arguments):
            return {"functionCall": {"name": name, "args": arguments}}
        case ("result", number, text):
            return {"functionResponse": {"name": names[number], "response": {"output": text}}}
    raise NoPlaceError(part[0])


def told_by(answer: Json) -> Plain:
    """What an answer says."""
    (candidate,) = answer["candidates"]
    parts, usage = candidate.get("content", {}).get("parts", []), answer.get("usageMetadata")
    calls = [(part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts if "functionCall" in part]
    word = candidate["finishReason"]
    stop = "calls" if calls and word == "STOP" else next(stop for stop, one in _STOPS.items() if one == word)
    return without_nothing(
        {
            "text": "".join([part.get("text", "") for part in parts if not part.get("thought")]),
            "thought": "".join([part.get("text", "") for part in parts if part.get("thought")]),
            "calls": calls,
            "stop": stop,
            "usage": usage
            and {
                "input": usage["promptTokenCount"],
                "cached": usage.get("cachedContentTokenCount", 0),
                "output": usage["candidatesTokenCount"] + usage.get("thoughtsTokenCount", 0),
                "reasoning": usage.get("thoughtsTokenCount", 0),
            },
        }
    )


def whole(stream: bytes) -> Json | None:
    """The answer that a stream makes; None: it has not come to its end."""
    answer: Json = {}
    parts: list[Json] = []
    candidate: Json = {}
    for chunk in map(json.loads, events_of(stream)):
        if "error" in chunk:
            return None
        answer |= chunk
        for one in chunk.get("candidates", ()):
            parts += one.get("content", {}).get("parts", [])
            candidate |= one
    if not candidate.get("finishReason"):
        return None
    return {**answer, "candidates": [{**candidate, "content": {"role": "model", "parts": parts}}]}


def replayed(answer: Json) -> list[Json]:
    """The answer as a client sends it back in its next request."""
    (candidate,) = answer["candidates"]
    return [candidate["content"]]


def words_of_error(body: Json) -> str:
    return body["error"]["message"]


# A provider.


def understood(body: Json) -> Plain:
    """What a request asks for."""
    ids = map(str, count())
    open_calls: dict[str, list[str]] = {}
    turns = [
        (
            "assistant" if one["role"] == "model" else "user",
            [read for part in one["parts"] if (read := _understood(part, ids, open_calls)) is not None],
        )
        for one in body["contents"]
    ]
    told: Plain = {"turns": conversation(turns)}
    config = body.get("generationConfig", {})
    told |= {plain: config[name] for plain, name in _MEMBERS.items() if name in config}
    if "systemInstruction" in body:
        told["system"] = "".join([part["text"] for part in body["systemInstruction"]["parts"]])
    if "tools" in body:
        (tool,) = body["tools"]
        told["tools"] = [
            (one["name"], one["description"], one["parametersJsonSchema"]) for one in tool["functionDeclarations"]
        ]
    if "toolConfig" in body:
        calling = body["toolConfig"]["functionCallingConfig"]
        named = calling.get("allowedFunctionNames")
        word = next(word for word, mode in _MODES.items() if mode == calling["mode"])
        told["choice"] = f"named:{named[0]}" if named else word
    if config.get("responseMimeType") == "application/json":
        told["schema"] = config["responseJsonSchema"]
    if config.get("thinkingConfig", {}).get("thinkingBudget"):
        told["thinks"] = True
    return told


def _understood(part, ids, open_calls):
    """Calls and results have ids, or else belong together by name and order."""
    match part:
        case {"thought": True}:
            return "thought", part["text"], part["thoughtSignature"]
        case {"text": text}:
            return "text", text
        case {"inlineData": blob}:
            kind = "image" if blob["mimeType"].startswith("image/") else "document"
            return kind, blob["mimeType"], blob["data"]
        case {"fileData": {"fileUri": url}}:
            return "link", url
        case {"functionCall": call}:
            name = call.get("id") or next(ids)
            open_calls.setdefault(call["name"], []).append(name)
            return "call", name, call["name"], call["args"]
        case {"functionResponse": result}:
            name = result.get("id") or open_calls[result["name"]][0]
            open_calls[result["name"]].remove(name)
            return "result", name, result["response"]["output"]
    raise AssertionError(part)


def say(told: Plain) -> Json:
    """An answer. Raises NoPlaceError."""
    if told["stop"] not in _STOPS:
        raise NoPlaceError(told["stop"])
    content = {"role": "model", "parts": _said(told)}
    candidate = {"content": content, "finishReason": _STOPS[told["stop"]], "index": 0}
    return {"candidates": [candidate], **_end(told)}


def _said(told):
    if "refusal" in told:
        raise NoPlaceError("refusal")
    parts: list[Json] = []
    if "thought" in told:
        parts.append({"text": told["thought"], "thought": True})
    if "text" in told:
        parts.append({"text": told["text"]})
    parts += [{"functionCall": {"name": name, "args": arguments}} for name, arguments in told.get("calls", ())]
    if "signature" in told:  # of the call
        parts[-1]["thoughtSignature"] = told["signature"]
    return parts


def _end(told):
    usage = told["usage"]
    figures = {
        "promptTokenCount": usage["input"],
        "cachedContentTokenCount": usage["cached"],
        "candidatesTokenCount": usage["output"] - usage["reasoning"],
        "thoughtsTokenCount": usage["reasoning"],
        "totalTokenCount": usage["input"] + usage["output"],
    }
    return {"modelVersion": MODEL, "responseId": "abc", "usageMetadata": figures}


def stream(told: Plain) -> list[bytes]:
    """The same answer, event by event."""
    answer = say(told)
    parts: list[Json] = []
    for part in answer["candidates"][0]["content"]["parts"]:
        parts += [{**part, "text": piece} for piece in pieces(part["text"])] if "text" in part else [part]
    chunks = [
        {"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}], "modelVersion": MODEL}
        for part in parts
    ]
    last = {"content": {"role": "model", "parts": []}, "finishReason": _STOPS[told["stop"]], "index": 0}
    return [sse(json.dumps(chunk)) for chunk in [*chunks, {"candidates": [last], **_end(told)}]]


def fail(words: str) -> Json:
    return {"error": {"code": 400, "message": words, "status": "INVALID_ARGUMENT"}}


def broken(words: str) -> bytes:
    """The event of an error in a stream."""
    return sse(json.dumps(fail(words)))
