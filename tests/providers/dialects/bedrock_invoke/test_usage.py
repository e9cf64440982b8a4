"""Answers of models that Bedrock invokes in their own formats."""

import json
from typing import Any

import pytest

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used

INVOKE = DIALECTS["bedrock_invoke"]


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (
            {"type": "message", "model": "claude-x", "usage": {
                "input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 9, "cache_creation_input_tokens": 7,
                "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 2}}},
            {"input": 3, "output": 4, "cache_read": 9, "cache_write": 5, "cache_write_1h": 2},
        ),
        (
            {"output": {}, "stopReason": "end_turn", "usage": {
                "inputTokens": 3, "outputTokens": 4, "totalTokens": 16, "cacheReadInputTokenCount": 9,
                "cacheWriteInputTokenCount": 0}},
            {"input": 3, "output": 4, "cache_read": 9},
        ),
        (
            {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}},
            {"input": 3, "output": 4},
        ),
        (
            {"generation": "Hi", "prompt_token_count": 3, "generation_token_count": 4, "stop_reason": "stop"},
            {"input": 3, "output": 4},
        ),
        (
            {"inputTextTokenCount": 3, "results": [{"tokenCount": 4, "outputText": "a"}, {"tokenCount": 5}]},
            {"input": 3, "output": 9},
        ),
        ({"embedding": [0.5], "inputTextTokenCount": 3}, {"input": 3}),
    ],
)  # fmt: skip
def test_each_family_tells_its_own_way(body: dict[str, Any], kinds: dict[str, int]) -> None:
    reported = INVOKE.reported(json.dumps(body).encode())
    assert used(INVOKE, reported)[1:] == (kinds, [])
    assert (reported.model, reported.error) == ("", False)


@pytest.mark.parametrize(
    "body", [b'{"outputs":[{"text":"Hi"}]}', b'{"images":["iVBO"]}', b"\x89PNG", b"[]", b'{"usage":null}']
)
def test_a_family_that_is_not_known_says_so(body: bytes) -> None:
    reported = INVOKE.reported(body)
    assert (reported.raw, "format" in reported.unread, reported.complete) == (b"", True, True)
    assert INVOKE.reported_edges(body, body[-5:]).unread


def test_large_embeddings_tell_at_their_end() -> None:
    body = json.dumps({"embedding": [0.125] * 300_000, "inputTextTokenCount": 3}).encode()
    assert used(INVOKE, INVOKE.reported(body))[1] == {"input": 3}


def test_errors() -> None:
    assert INVOKE.reported(b'{"message":"The model returned an error."}').error
    assert INVOKE.reported(b'{"type":"error","error":{"type":"overloaded_error"}}').error


def test_odd_counts_are_left_out() -> None:
    for odd in ("[[]]", '"x"', "9" * 30):
        body = b'{"prompt_token_count":%b,"generation_token_count":4,"results":7}' % odd.encode()
        assert used(INVOKE, INVOKE.reported(body))[1].get("output") == 4
