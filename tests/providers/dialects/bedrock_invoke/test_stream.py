"""Streams of models that Bedrock invokes, as they are cut into events."""

import json
from base64 import b64encode
from typing import Any

import pytest

from penstock.mock.providers import eventstream
from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from penstock.wire.event_stream import Messages
from penstock.wire.sse import split
from tests.kit.accounts import used
from tests.kit.dialects import read

INVOKE = DIALECTS["bedrock_invoke"]
METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 3, "outputTokenCount": 4, "invocationLatency": 7}}

CLAUDE = [
    {"type": "message_start", "message": {"model": "claude-x", "usage": {
        "input_tokens": 3, "output_tokens": 1, "cache_creation_input_tokens": 7,
        "cache_creation": {"ephemeral_1h_input_tokens": 7}}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop", **METRICS},
]  # fmt: skip
NOVA = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 0}},
    {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 4, "cacheReadInputTokenCount": 9}}, **METRICS},
]
LLAMA = [
    {"generation": "Hi", "prompt_token_count": 3, "generation_token_count": 1, "stop_reason": None},
    {"generation": "", "prompt_token_count": None, "generation_token_count": 4, "stop_reason": "stop", **METRICS},
]
CHAT = [
    {"choices": [{"index": 0, "delta": {"content": "Hi"}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], **METRICS},
]
OTHER = [{"outputs": [{"text": "Hi"}]}, {"outputs": [], **METRICS}]


def chunk(event: Any) -> bytes:
    return eventstream.event("chunk", b'{"bytes":"%b","p":"ab"}' % b64encode(json.dumps(event).encode()))


def told(*messages: bytes) -> Reported:
    return read(INVOKE, *(event for block in Messages().feed(b"".join(messages)) for event in split(block)))


@pytest.mark.parametrize(
    ("events", "more"),
    [(CLAUDE, {"cache_write_1h": 7}), (NOVA, {"cache_read": 9}), (LLAMA, {}), (CHAT, {}), (OTHER, {})],
)
def test_each_family_is_counted(events: list[Any], more: dict[str, int]) -> None:
    reported = told(*map(chunk, events))
    assert used(INVOKE, reported)[1:] == ({"input": 3, "output": 4} | more, [])
    assert (reported.complete, reported.error) == (True, False)
    assert not told(*map(chunk, events[:-1])).complete


@pytest.mark.parametrize(
    "failure",
    [
        eventstream.exception("modelStreamErrorException", b'{"message":"m"}'),
        chunk({"type": "error", "error": {"type": "overloaded_error"}}),
        chunk({"message": "The model returned an error."}),
    ],
)
def test_an_error_in_a_success(failure: bytes) -> None:
    reported = told(*map(chunk, CLAUDE[:2]), failure)
    assert (reported.error, reported.complete) == (True, False)


def test_a_stream_that_tells_no_count_says_so() -> None:
    assert "format" in told(chunk({"outputs": []})).unread
    assert told(eventstream.event("chunk", b'{"bytes":"?"}')).raw == b""


def test_pieces_of_the_answer_are_not_looked_into() -> None:
    reader = INVOKE.reader()
    (block,) = Messages().feed(chunk(CLAUDE[1]) * 2)
    assert reader.dull(block)
    (block,) = Messages().feed(chunk(LLAMA[1]))
    assert not reader.dull(block)
