"""Errors of OpenAI chat."""

import json

import pytest

from penstock.core.errors import ProviderBroke
from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import chunk, read

CHAT = DIALECTS["openai_chat"]

DONE = b"data: [DONE]\n\n"

FAILED = [
    {"choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": "error"}]},
    {"choices": [{"index": 0, "finish_reason": "insufficient_system_resource"}]},
    {"choices": [{"index": 0, "finish_reason": "stop", "error": {"code": 502}}]},
    {"object": "error", "message": "no", "type": "x", "param": None, "code": "1000"},
    {"message": "no", "type": "x", "code": 3},
    {"detail": "no"},
    {"x_groq": {"id": "r", "error": "no"}, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    [{"error": {"code": 429}}],
]


def test_a_200_that_carries_an_error() -> None:
    assert CHAT.reported(b'{"error":{"message":"no","type":"server_error"}}') == Reported(error=True)
    assert not CHAT.reported(b'{"model":"m","error":null}').error


@pytest.mark.parametrize("told", [*FAILED, {"choices": []}])
def test_an_answer_that_says_that_it_failed(told: object) -> None:
    assert CHAT.reported(json.dumps(told).encode()).error


@pytest.mark.parametrize("told", FAILED)
def test_a_stream_that_says_that_it_failed(told: object) -> None:
    assert read(CHAT, chunk(), b"data: " + json.dumps(told, separators=(",", ":")).encode() + b"\n\n", DONE).error
    reader = CHAT.reader()
    reader.event(chunk())
    assert not reader.dull(chunk() + b"data: " + json.dumps(told, separators=(",", ":")).encode() + b"\n\n")


def test_an_answer_that_speaks_of_errors_did_not_fail() -> None:
    said = {"index": 0, "message": {"content": '"finish_reason":"error"', "x": {"error": 1}}, "finish_reason": "stop"}
    assert not CHAT.reported(json.dumps({"choices": [said], "error": None}).encode()).error


@pytest.mark.parametrize("event", [b'data: {"error":{"message":"x"}}\n\n', b'event: error\ndata: {"message":"x"}\n\n'])
def test_a_stream_with_an_error(event: bytes) -> None:
    assert read(CHAT, chunk(), event).error
    assert read(CHAT, event).error


def test_the_error_frame() -> None:
    frame = CHAT.error_frame(ProviderBroke("gone"))
    assert frame.startswith(b"data: ")
    assert frame.endswith(b"\n\n")
    told = {"message": "gone", "type": "server_error", "param": None, "code": "2005"}
    assert json.loads(frame[6:]) == {"error": told}
