"""Errors of OpenAI responses."""

import json

import pytest

from penstock.core.errors import ProviderBroke
from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import event, read

RESPONSES = DIALECTS["openai_responses"]

CREATED = event("response.created", response={"model": "gpt-5", "status": "in_progress", "error": None, "usage": None})


def test_an_error() -> None:
    assert read(RESPONSES, event("error", code="x", message="y", error=None)).error
    assert read(RESPONSES, CREATED, b'data: {"object":"error","message":"x","type":"y"}\n\n').error
    assert RESPONSES.reported(b'{"error":{"message":"x"}}').error
    assert RESPONSES.reported(b'{"detail":"x"}').error
    assert RESPONSES.reported(b'{"message":"x","type":"y","code":3}').error
    assert read(RESPONSES, b'event: x\ndata: {"error"\n\n', b"\xff") == Reported(complete=False)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_an_answer_whose_status_is_a_failure(status: str) -> None:
    told = {"model": "gpt-5", "status": status, "error": None, "usage": {"input_tokens": 1}}
    assert RESPONSES.reported(json.dumps(told).encode()).error
    assert read(RESPONSES, CREATED, event("response.completed", response=told)).error


def test_the_error_frame() -> None:
    frame = RESPONSES.error_frame(ProviderBroke("gone"))
    assert frame.startswith(b"event: error\ndata: ")
    assert frame.endswith(b"\n\n")
    told = json.loads(frame.partition(b"data: ")[2])
    assert told == {"type": "error", "code": "2005", "message": "gone", "param": None, "sequence_number": 0}
    assert read(RESPONSES, frame).error
