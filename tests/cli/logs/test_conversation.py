"""Conversations, read from bodies of every dialect of a chat."""

import json

import pytest

from penstock.cli.logs.conversation import answered, asked

SSE = "text/event-stream"
REQUESTS = {
    "chat/completions": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {"url": "https://x/y"}}],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "done"},
        ],
    },
    "v1/messages": {"max_tokens": 9, "system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]},
    "responses": {"input": "Hi"},
    "model/amazon.nova/converse": {
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "Hi"}, {"image": {"format": "png", "source": {"bytes": "aGk="}}}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "1", "name": "f", "input": {}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "1", "content": [{"text": "done"}]}}]},
        ],
    },
    "v2/chat": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
    "v1beta/models/m:generateContent": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
}


@pytest.mark.parametrize("path", REQUESTS)
def test_a_request_is_read_in_its_dialect(path):
    said = asked(path, json.dumps({"model": "m"} | REQUESTS[path]).encode())
    assert ("user", "Hi") in said or any(role == "user" and text.startswith("Hi\n(image") for role, text in said)
    if "converse" in path:
        assert said[2:] == [("assistant", "(calls f) {}"), ("user", "(result) done")]
    if path == "chat/completions":
        assert said[2:] == [("assistant", "(calls f) {}"), ("tool", "(result) done")]


def test_what_is_no_chat_says_nothing():
    assert asked("embeddings", b'{"input": [1, 2]}') == []
    assert asked("x", b"\xff") == []
    assert answered("x", b"\xff", None) == []
    assert answered("x", b"data: {\n\n", SSE) == []


def test_an_answer_is_read_whole_or_streamed():
    whole = {"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn"}
    whole |= {"content": [{"type": "text", "text": "Deep."}], "usage": {"input_tokens": 1, "output_tokens": 2}}
    assert answered("x", json.dumps(whole).encode(), "application/json") == [("assistant", "Deep.")]
    chunks = [
        {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": part}}]} for part in ("De", "ep.")
    ]
    stream = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode()
    assert answered("x", stream, SSE) == answered("x", stream + b"data: [DONE]\n\n", SSE) == [("assistant", "Deep.")]
