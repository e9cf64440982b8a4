import base64
import json

import pytest

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.controls import NONE, Controls

CONVERSE = {
    "messages": [{"role": "user", "content": [{"text": "hello"}]}],
    "system": [{"text": "Be kind."}],
}
CLAUDE = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hello"}],
}


def ask(path, body, controls=NONE):
    return dispatch.answer("POST", f"/aws-bedrock/{path}".encode(), json.dumps(body).encode(), controls)


def payloads(answer):
    """The JSON of each message: between its headers and its last checksum."""
    return [codec.decode(frame[12 + int.from_bytes(frame[4:8], "big") : -4]) for frame in answer.known()]


def test_converse_tells_its_usage_in_its_own_words():
    told = codec.decode(ask("model/amazon.nova-lite-v1%3A0/converse", CONVERSE, Controls(cached_tokens=100)).known()[0])
    assert told["output"]["message"]["content"] == [{"text": "You said: hello"}]
    assert told["stopReason"] == "end_turn"
    assert told["usage"] == {
        "inputTokens": 4,
        "outputTokens": 4,
        "totalTokens": 108,
        "cacheReadInputTokens": 100,
        "cacheWriteInputTokens": 0,
    }
    assert "usage" not in codec.decode(ask("model/m/converse", CONVERSE, Controls(usage="none")).known()[0])


def test_converse_stream_ends_in_its_metadata():
    answer = ask("model/m/converse-stream", CONVERSE)
    assert (answer.kind, answer.stream) == (b"application/vnd.amazon.eventstream", True)
    events = payloads(answer)
    assert events[0] == {"role": "assistant"}
    assert "".join(event["delta"]["text"] for event in events if "delta" in event) == "You said: hello"
    assert events[-1]["usage"]["outputTokens"] == 4


def test_a_stream_can_fail_midway_in_its_own_format():
    answer = ask("model/m/converse-stream", CONVERSE, Controls(error_body=True))
    assert b"internalServerException" in answer.known()[-1]


def test_a_model_is_invoked_in_its_own_format():
    claude = codec.decode(ask("model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke", CLAUDE).known()[0])
    assert claude["type"] == "message"
    assert claude["model"] == "anthropic.claude-3-haiku-20240307-v1:0"
    assert claude["usage"]["output_tokens"] == 4
    titan = codec.decode(
        ask("model/amazon.titan-embed-text-v2%3A0/invoke", {"inputText": "hello", "dimensions": 8}).known()[0]
    )
    assert (len(titan["embedding"]), titan["inputTextTokenCount"]) == (8, 2)
    assert "output" in codec.decode(ask("model/amazon.nova-lite-v1:0/invoke", CONVERSE).known()[0])


@pytest.mark.parametrize(
    ("model", "body", "first"), [("anthropic.x", CLAUDE, "message_start"), ("amazon.nova", CONVERSE, None)]
)
def test_an_invoked_stream_carries_the_models_events(model, body, first):
    events = [
        codec.decode(base64.b64decode(one["bytes"]))
        for one in payloads(ask(f"model/{model}/invoke-with-response-stream", body))
    ]
    assert events[0].get("type") == first
    assert "hello" in json.dumps(events)
    assert events[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] == 4
    bare = payloads(ask(f"model/{model}/invoke-with-response-stream", body, Controls(usage="none")))
    assert b"invocationMetrics" not in base64.b64decode(bare[-1]["bytes"])


def test_errors_are_named_in_a_header():
    answer = ask("model/m/converse", {})
    assert answer.status == 400
    assert (b"x-amzn-errortype", b"ValidationException") in answer.headers
    assert codec.decode(answer.known()[0]).keys() == {"message"}


def test_mantle_speaks_as_anthropic_and_as_openai_do():
    assert codec.decode(ask("anthropic/v1/messages", CLAUDE | {"model": "m"}).known()[0])["type"] == "message"
    chat = {"model": "m", "messages": CLAUDE["messages"]}
    assert codec.decode(ask("v1/chat/completions", chat).known()[0])["object"] == "chat.completion"


def test_headers_count_what_a_model_used():
    answer = ask("model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke", CLAUDE)
    assert (b"x-amzn-bedrock-input-token-count", b"2") in answer.headers
    assert (b"x-amzn-bedrock-output-token-count", b"4") in answer.headers
