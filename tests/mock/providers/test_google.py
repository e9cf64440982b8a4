import json

import pytest

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.controls import NONE, Controls

GENERATE = {
    "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
    "systemInstruction": {"parts": [{"text": "Be kind."}]},
}
STUDIO = "google-ai-studio/v1beta/models/gemini-2.5-flash"
PROJECT = "google-vertex-ai/v1/projects/p/locations/us-east5"
VERTEX = f"{PROJECT}/publishers/google/models/gemini-2.5-flash"


def ask(path, body, controls=NONE):
    return dispatch.answer("POST", f"/{path}".encode(), json.dumps(body).encode(), controls)


def read(answer):
    return codec.decode(b"".join(answer.known()))


@pytest.mark.parametrize("place", [STUDIO, VERTEX, "google-vertex-ai/v1/publishers/google/models/gemini-2.5-flash"])
def test_an_answer_counts_thoughts_beside_the_candidates(place):
    told = read(ask(f"{place}:generateContent", GENERATE, Controls(reasoning_tokens=50, cached_tokens=100)))
    assert told["candidates"][0]["content"] == {"parts": [{"text": "You said: hello"}], "role": "model"}
    assert told["candidates"][0]["finishReason"] == "STOP"
    assert told["modelVersion"] == "gemini-2.5-flash"
    usage = told["usageMetadata"]
    assert (usage["promptTokenCount"], usage["candidatesTokenCount"], usage["totalTokenCount"]) == (104, 4, 158)
    assert (usage["cachedContentTokenCount"], usage["thoughtsTokenCount"]) == (100, 50)


def test_a_stream_is_events_or_one_list():
    events = ask(f"{STUDIO}:streamGenerateContent?alt=sse", GENERATE)
    assert events.kind.startswith(b"text/event-stream")
    chunks = [codec.decode(frame.removeprefix(b"data: ")) for frame in events.known()]
    listed = ask(f"{VERTEX}:streamGenerateContent", GENERATE)
    assert (listed.kind, listed.stream) == (b"application/json", True)
    for told in (chunks, read(listed)):
        assert "".join(one["candidates"][0]["content"]["parts"][0]["text"] for one in told) == "You said: hello"
        assert [one["candidates"][0].get("finishReason") for one in told][-2:] == [None, "STOP"]
        assert all("usageMetadata" in one for one in told)


def test_a_stream_can_fail_midway():
    events = ask(f"{STUDIO}:streamGenerateContent?alt=sse", GENERATE, Controls(error_body=True)).known()
    assert codec.decode(events[-1].removeprefix(b"data: "))["error"]["status"] == "UNAVAILABLE"
    told = read(ask(f"{STUDIO}:streamGenerateContent", GENERATE, Controls(error_body=True)))
    assert told[-1]["error"]["code"] == 503


def test_tokens_are_counted_and_texts_embedded():
    assert read(ask(f"{STUDIO}:countTokens", GENERATE)) == {"totalTokens": 4}
    embedded = read(ask(f"{STUDIO}:embedContent", {"content": {"parts": [{"text": "hello"}]}}))
    assert len(embedded["embedding"]["values"]) == 768
    (predicted,) = read(ask(f"{VERTEX}:predict", {"instances": [{"content": "hello"}]}))["predictions"]
    assert predicted["embeddings"]["values"] == embedded["embedding"]["values"]


def test_vertex_has_claude_and_the_openai_format_too():
    body = {
        "anthropic_version": "vertex-2023-10-16",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hello"}],
    }
    place = f"{PROJECT}/publishers/anthropic/models/claude-sonnet-4-5@20250929"
    assert read(ask(f"{place}:rawPredict", body))["model"] == "claude-sonnet-4-5@20250929"
    assert ask(f"{place}:streamRawPredict", body | {"stream": True}).known()[0].startswith(b"event: message_start")
    chat = {"model": "google/gemini-2.5-flash", "messages": body["messages"]}
    assert read(ask(f"{PROJECT}/endpoints/openapi/chat/completions", chat))["object"] == "chat.completion"


def test_errors_have_a_code_a_message_and_a_status():
    refused = ask(f"{STUDIO}:generateContent", {"contents": "hello"})
    assert refused.status == 400
    assert read(refused)["error"].keys() == {"code", "message", "status"}
    assert read(ask(f"{STUDIO}:x", {}, Controls(status=429)))["error"]["status"] == "RESOURCE_EXHAUSTED"
