"""Values replaced in bodies: JSON, and streams of every kind, by the paths of whole answers."""

import json
from base64 import b64encode

import pytest

from penstock.mock.providers.eventstream import message as encoded
from penstock.providers.redact.bodies import body
from penstock.providers.redact.paths import rules
from penstock.providers.redact.values import Damaged
from penstock.wire.event_stream import Messages

SSE = "text/event-stream; charset=utf-8"
AWS = "application/vnd.amazon.eventstream"
LINES = "application/x-ndjson"


def without(data, kind, *paths):
    made = rules(paths)
    return body(data, kind, made.response, made.stream, [])


def sse(*events):
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


# The path of a text in a whole answer, and the pieces of it in a stream's events.
STREAMS = {
    "chat": (
        "choices[*].message.content",
        [{"choices": [{"index": 0, "delta": {"content": "CANARY"}}]}, {"choices": [], "usage": {"n": 1}}],
    ),
    "one choice": ("choices[0].message", [{"choices": [{"index": 0, "delta": {"content": "CANARY"}}]}]),
    "tools": (
        "choices[*].message.tool_calls[*].function.arguments",
        [{"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "CANARY"}}]}}]}],
    ),
    "completions": ("choices[*].text", [{"choices": [{"text": "CANARY"}]}]),
    "responses": (
        "output[*].content[*].text",
        [
            {"type": "response.content_part.done", "part": {"type": "output_text", "text": "CANARY"}},
            {"type": "response.output_text.delta", "delta": "CANARY"},
            {"type": "response.output_text.done", "text": "CANARY"},
            {"type": "response.output_item.done", "item": {"content": [{"text": "CANARY"}]}},
            {"type": "response.completed", "response": {"output": [{"content": [{"text": "CANARY"}]}]}},
        ],
    ),
    "all of responses": (
        "output",
        [{"type": "response.output_text.delta", "delta": "CANARY"}, {"item": {"arguments": "CANARY"}}],
    ),
    "calls of responses": (
        "output[*].arguments",
        [
            {"type": "response.function_call_arguments.delta", "delta": "CANARY"},
            {"type": "response.function_call_arguments.done", "arguments": "CANARY"},
        ],
    ),
    "messages": (
        "content[*].text",
        [
            {"type": "message_start", "message": {"content": [{"type": "text", "text": "CANARY"}]}},
            {"type": "content_block_start", "content_block": {"type": "text", "text": "CANARY"}},
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "CANARY"}},
        ],
    ),
    "all of messages": ("content", [{"type": "content_block_delta", "delta": {"partial_json": "CANARY"}}]),
    "tools of messages": (
        "content[*].input",
        [{"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "CANARY"}}],
    ),
    "gemini": ("candidates[*].content.parts[*].text", [{"candidates": [{"content": {"parts": [{"text": "CANARY"}]}}]}]),
    "cohere": (
        "message.content[*].text",
        [{"type": "content-delta", "delta": {"message": {"content": {"text": "CANARY"}}}}],
    ),
    "converse": (
        "output.message.content[*].text",
        [{"contentBlockDelta": {"delta": {"text": "CANARY"}, "contentBlockIndex": 0}}],
    ),
    "workers": ("result.response", [{"response": "CANARY", "p": "x"}]),
    "the member of the event": ("choices[*].delta.content", [{"choices": [{"delta": {"content": "CANARY"}}]}]),
    "within the envelope": ("response", [{"result": {"response": "CANARY"}}]),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_path_of_a_whole_answer_holds_for_its_stream(name):
    path, events = STREAMS[name]
    shown = without(sse(*events, {"other": "KEPT"}) + b"data: [DONE]\n\n", SSE, f"response.{path}")
    assert b"CANARY" not in shown
    assert b"KEPT" in shown
    assert shown.count(b"data: ") == len(events) + 2
    assert shown.endswith(b"data: [DONE]\n\n")


def test_a_stream_keeps_its_events_names_but_no_comments():
    data = b': CANARY\n\nevent: delta\r\nid: 7\r\ndata: {"a":\r\ndata: "CANARY"}\r\n\r\nretry: 5\n\n'
    assert without(data, SSE, "response.a") == b'event: delta\nid: 7\ndata: {"a":"[redacted]"}\n\nretry: 5\n\n'


def test_of_a_stream_that_broke_off_the_whole_events_are_left():
    assert without(b'data: {"a":"x"}\n\ndata: {"a":"CAN', SSE, "response.a") == b'data: {"a":"[redacted]"}\n\n'
    assert without(b'data: {"a":"CANARY"}', SSE, "response.a") == b'data: {"a":"[redacted]"}\n\n'
    assert without(b'{"a":"x"}\n{"a":"CAN', LINES, "response.a") == b'{"a":"[redacted]"}\n'


@pytest.mark.parametrize("data", [b"data: CANARY\n\n", b'data: {"a":"CANARY"\n\n', b"data:\n" * 20_000 + b"\n"])
def test_a_stream_of_anything_else_is_damaged(data):
    with pytest.raises(Damaged):
        without(data, SSE, "response.a")


def test_json_lines():
    assert without(b'{"a":"CANARY","b":1}\r\n\n{"b":2}\n', LINES, "response.a") == (
        b'{"a":"[redacted]","b":1}\n{"b":2}\n'
    )


def event(kind, payload):
    return encoded({":message-type": "event", ":event-type": kind}, json.dumps(payload).encode())


def test_event_streams_stay_event_streams():
    chunk = {"bytes": b64encode(json.dumps({"delta": {"text": "CANARY"}}).encode()).decode(), "p": "abc"}
    data = event("contentBlockDelta", {"delta": {"text": "CANARY"}}) + event("chunk", chunk) + event("messageStop", {})
    shown = without(data, AWS, "response.output.message.content[*].text", "response.content[*].text")
    (events,) = Messages().feed(shown)
    assert events == (
        b'data: {"contentBlockDelta":{"delta":{"text":"[redacted]"}}}\n\n'
        b'data: {"delta":{"text":"[redacted]"}}\n\ndata: {"messageStop":{}}\n\n'
    )
    assert without(data[:-3], AWS, "response.x") != b""
    with pytest.raises(Damaged):
        without(data[:60] + b"!" + data[61:], AWS, "response.x")


def test_an_empty_body_has_nothing_to_replace():
    assert without(b"", "application/json", "response.a") == b""


def test_an_answer_in_the_envelope_of_the_api():
    shown = without(b'{"result":{"choices":[{"message":{"content":"CANARY"}}]}}', None, "response.choices[*].message")
    assert b"CANARY" not in shown
