"""Errors of Anthropic messages."""

import json

import pytest

from penstock.core.errors import ProviderBroke
from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import event, read

ANTHROPIC = DIALECTS["anthropic"]

MESSAGE_START = event("message_start", message={"type": "message", "model": "claude-x"})


@pytest.mark.parametrize("told", [{"detail": "no"}, {"message": "no", "type": "x", "code": 3}])
def test_errors_without_the_member(told: dict[str, object]) -> None:
    assert ANTHROPIC.reported(json.dumps(told).encode()).error


def test_errors() -> None:
    told = {"type": "overloaded_error", "message": "x"}
    assert ANTHROPIC.reported(json.dumps({"type": "error", "error": told}).encode()) == Reported(error=True)
    assert read(ANTHROPIC, MESSAGE_START, event("error", error=told)).error


def test_the_error_frame() -> None:
    frame = ANTHROPIC.error_frame(ProviderBroke("gone"))
    assert frame.endswith(b"\n\n")
    kind, _, data = frame.partition(b"\ndata: ")
    assert kind == b"event: error"
    assert json.loads(data) == {"type": "error", "error": {"type": "api_error", "message": "gone"}}
    assert read(ANTHROPIC, frame).error
