"""OpenAI responses, as a client and as a provider."""

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
SIGNS_TEXT = False
_MEMBERS = {
    "max_tokens": "max_output_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "user": "user",
    "parallel": "parallel_tool_calls",
}
_LOGPROBS = "message.output_text.logprobs"
_CUT = {"length": "max_output_tokens", "filter": "content_filter"}


# A client.


def ask(told: Plain) -> Json:
    """A request. Raises NoPlaceError."""
    known(told, "logprobs", *_MEMBERS)
    items = [item for role, *parts in told["turns"] for item in _items(role, parts)]
    body: Json = {"model": MODEL, "input": [*items, *told.get("replayed", [])], "store": False}
    body |= {name: told[plain] for plain, name in _MEMBERS.items() if plain in told}
    if "system" in told:
        body["instructions"] = told["system"]
    if "tools" in told:
        body["tools"] = [
            {"type": "function", "name": name, "description": words, "parameters": schema, "strict": False}
            for name, words, schema in told["tools"]
        ]
    if "choice" in told:
        word, _, name = told["choice"].partition(":")
        body["tool_choice"] = {"type": "function", "name": name} if name else word
    if "schema" in told:
        form = {"type": "json_schema", "name": "answer", "schema": told["schema"], "strict": True}
        body["text"] = {"format": form}
    if "thinks" in told:
        body["reasoning"] = {"effort": "medium", "summary": "auto"}
        body["include"] = ["reasoning.encrypted_content"]
    if "logprobs" in told:
        body |= {"include": [_LOGPROBS], "top_logprobs": told["logprobs"]}
    return body


def _items(role, parts):
    content: list[Json] = []
    items: list[Json] = []
    for part in parts:
        match part:
            case ("call", number, name, arguments):
                call = {"type": "function_call", "call_id": f"call_{number}", "name": name}
                items.append({**call, "arguments": json.dumps(arguments)})
            case ("result", number, text):
                items.append({"type": "function_call_output", "call_id": f"call_{number}", "output": text})
            case ("text", text):
                content.append({"type": "output_text" if role == "assistant" else "input_text", "text": text})
            case ("image", kind, data):
                content.append({"type": "input_image", "image_url": data_url(kind, data), "detail": "auto"})
            case ("link", url):
                content.append({"type": "input_image", "image_url": url, "detail": "auto"})
            case ("document", kind, data):
                content.append({"type": "input_file", "file_data": data_url(kind, data), "filename": "a.pdf"})
            case _:
                raise NoPlaceError(part[0])
    message = {"type": "message", "role": role, "content": content}
    if not content:
        return items
    return [message, *items] if role == "assistant" else [*items, message]


def told_by(answer: Json) -> Plain:
    """What an answer says."""
    content = [part for item in answer["output"] if item["type"] == "message" for part in item["content"]]
    calls = [
        (item["name"], json.loads(item["arguments"])) for item in answer["output"] if item["type"] == "function_call"
    ]
    refusal = "".join([part["refusal"] for part in content if part["type"] == "refusal"])
    usage = answer["usage"]
    return without_nothing(
        {
            "text": "".join([part["text"] for part in content if part["type"] == "output_text"]),
            "refusal": refusal,
            "thought": "".join(
                [one["text"] for item in answer["output"] if item["type"] == "reasoning" for one in item["summary"]]
            ),
            "calls": calls,
            "stop": _read_stop(answer, calls=bool(calls), refused=bool(refusal)),
            "usage": usage
            and {
                "input": usage["input_tokens"],
                "cached": usage["input_tokens_details"]["cached_tokens"],
                "output": usage["output_tokens"],
                "reasoning": usage["output_tokens_details"]["reasoning_tokens"],
            },
        }
    )


def _read_stop(answer, *, calls, refused):
    if answer["status"] == "incomplete":
        return next(stop for stop, word in _CUT.items() if word == answer["incomplete_details"]["reason"])
    assert answer["status"] == "completed"
    return "calls" if calls else "refusal" if refused else "end"


def whole(stream: bytes) -> Json | None:
    """The answer that a stream makes; None: it has not come to its end. What grew is what the end says."""
    grown: dict[str, str] = {}
    numbers: list[int] = []
    for told in map(json.loads, events_of(stream)):
        numbers.append(told["sequence_number"])
        kind = told["type"]
        if kind.endswith(".delta"):
            name = kind.split(".")[1]
            grown[name] = grown.get(name, "") + told["delta"]
        elif kind in ("response.completed", "response.incomplete"):
            assert numbers == [*range(len(numbers))]
            _agree(told["response"], grown)
            return told["response"]
    return None


def _agree(answer, grown):
    content = [part for item in answer["output"] if item["type"] == "message" for part in item["content"]]
    calls = [item["arguments"] for item in answer["output"] if item["type"] == "function_call"]
    assert grown.get("output_text", "") == "".join([part.get("text", "") for part in content])
    assert grown.get("refusal", "") == "".join([part.get("refusal", "") for part in content])
    assert grown.get("function_call_arguments", "") == "".join(calls)


def replayed(answer: Json) -> list[Json]:
    """The answer as a client sends it back in its next request."""
    return answer["output"]


def words_of_error(body: Json) -> str:
    return body["error"]["message"]


# A provider.


def understood(body: Json) -> Plain:
    """What a request asks for."""
    turns = []
    told: Plain = {}
    for item in body["input"]:
        match item:
            case {"type": "function_call"}:
                call = ("call", item["call_id"], item["name"], json.loads(item["arguments"]))
                turns.append(("assistant", [call]))
            case {"type": "function_call_output"}:
                turns.append(("user", [("result", item["call_id"], item["output"])]))
            case {"type": "reasoning"}:
                words = "".join([one["text"] for one in item["summary"]])
                turns.append(("assistant", [("thought", words, item["encrypted_content"])]))
            case {"type": "message", "role": "system" | "developer", "content": content}:
                told["system"] = content
            case {"type": "message", "role": role, "content": content}:
                turns.append((role, [("text", content)] if isinstance(content, str) else [*map(_part, content)]))
            case _:
                raise AssertionError(item)
    told["turns"] = conversation(turns)
    told |= {plain: body[name] for plain, name in _MEMBERS.items() if name in body}
    if "instructions" in body:
        told["system"] = body["instructions"]
    if "tools" in body:
        told["tools"] = [(tool["name"], tool["description"], tool["parameters"]) for tool in body["tools"]]
    if "tool_choice" in body:
        choice = body["tool_choice"]
        told["choice"] = choice if isinstance(choice, str) else f"named:{choice['name']}"
    if "format" in body.get("text", {}):
        told["schema"] = body["text"]["format"]["schema"]
    if body.get("reasoning", {}).get("effort"):
        told["thinks"] = True
    if _LOGPROBS in body.get("include", ()):
        told["logprobs"] = body["top_logprobs"]
    return told


def _part(part):
    match part:
        case {"type": "input_text" | "output_text", "text": text}:
            return "text", text
        case {"type": "input_image", "image_url": url}:
            return ("image", *of_data_url(url)) if url.startswith("data:") else ("link", url)
        case {"type": "input_file", "file_data": url}:
            return "document", *of_data_url(url)
    raise AssertionError(part)


def say(told: Plain) -> Json:
    """An answer. Raises NoPlaceError."""
    reason = _CUT.get(told["stop"])
    if reason is None and told["stop"] not in ("end", "calls") and "refusal" not in told:
        raise NoPlaceError(told["stop"])
    answer = _blank()
    answer["output"] = _output(told)
    answer["status"] = "incomplete" if reason else "completed"
    answer["incomplete_details"] = {"reason": reason} if reason else None
    usage = told["usage"]
    answer["usage"] = {
        "input_tokens": usage["input"],
        "input_tokens_details": {"cached_tokens": usage["cached"]},
        "output_tokens": usage["output"],
        "output_tokens_details": {"reasoning_tokens": usage["reasoning"]},
        "total_tokens": usage["input"] + usage["output"],
    }
    return answer


def _blank():
    head = {"id": "resp_1", "object": "response", "created_at": 1790000000, "model": MODEL, "status": "in_progress"}
    return {**head, "output": [], "error": None, "incomplete_details": None, "usage": None}


def _output(told):
    items: list[Json] = []
    if "thought" in told:
        summary = [{"type": "summary_text", "text": told["thought"]}]
        items.append({"type": "reasoning", "id": "rs_1", "summary": summary})
        if "signature" in told:
            items[0]["encrypted_content"] = told["signature"]
    elif "signature" in told:
        raise NoPlaceError("signature")
    said = [{"type": "output_text", "text": told["text"], "annotations": []}] if "text" in told else []
    said += [{"type": "refusal", "refusal": told["refusal"]}] if "refusal" in told else []
    if said:
        items.append({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": said})
    items += [
        {
            "type": "function_call",
            "id": f"fc_{number}",
            "call_id": f"call_{number}",
            "name": name,
            "arguments": json.dumps(arguments),
            "status": "completed",
        }
        for number, (name, arguments) in enumerate(told.get("calls", ()))
    ]
    return items


def stream(told: Plain) -> list[bytes]:
    """The same answer, event by event."""
    answer = say(told)
    events: list[Json] = [{"type": "response.created", "response": _blank()}]
    for number, item in enumerate(answer["output"]):
        place = {"output_index": number, "item_id": item["id"]}
        events.append(
            {"type": "response.output_item.added", "output_index": number, "item": {**item, **_EMPTY[item["type"]]}}
        )
        match item["type"]:
            case "function_call":
                name = "response.function_call_arguments"
                events += [{"type": f"{name}.delta", **place, "delta": one} for one in pieces(item["arguments"])]
                events.append({"type": f"{name}.done", **place, "arguments": item["arguments"]})
            case "reasoning":
                events.append({"type": "response.reasoning_summary_part.added", **place, "summary_index": 0})
                events += [
                    {"type": "response.reasoning_summary_text.delta", **place, "summary_index": 0, "delta": one}
                    for one in pieces(item["summary"][0]["text"])
                ]
            case _:
                for index, part in enumerate(item["content"]):
                    events += _told_in_pieces({**place, "content_index": index}, part)
        events.append({"type": "response.output_item.done", "output_index": number, "item": item})
    events.append({"type": f"response.{answer['status']}", "response": answer})
    numbered = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    return [sse(json.dumps(event), event["type"]) for event in numbered]


_EMPTY: dict[str, Json] = {
    "message": {"content": []},
    "function_call": {"arguments": ""},
    "reasoning": {"summary": []},
}


def _told_in_pieces(place, part):
    name, member = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
    return [
        {"type": "response.content_part.added", **place, "part": {**part, member: ""}},
        *[{"type": f"response.{name}.delta", **place, "delta": one} for one in pieces(part[member])],
        {"type": f"response.{name}.done", **place, member: part[member]},
        {"type": "response.content_part.done", **place, "part": part},
    ]


def fail(words: str) -> Json:
    return {"error": {"message": words, "type": "invalid_request_error", "param": None, "code": None}}


def broken(words: str) -> bytes:
    """The event of an error in a stream."""
    told = {"type": "error", "code": "server_error", "message": words, "param": None, "sequence_number": 1}
    return sse(json.dumps(told), "error")
