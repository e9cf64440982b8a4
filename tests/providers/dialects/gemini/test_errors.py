"""Errors of Gemini."""

import json

from penstock.core.errors import ProviderBroke
from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import read

GEMINI = DIALECTS["gemini"]

ERROR = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}


def test_errors_in_a_200() -> None:
    told = json.dumps(ERROR).encode()
    assert GEMINI.reported(told).error
    assert GEMINI.reported(b"[%b]" % told).error
    assert GEMINI.reported(b'[{"candidates":[]}\n,\r\n%b' % told).error
    assert read(GEMINI, b"data: %b\r\n\r\n" % told).error


def test_a_blocked_prompt_is_an_answer() -> None:
    told = json.dumps({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}).encode()
    for reported in (GEMINI.reported(told), read(GEMINI, b"data: %b\r\n\r\n" % told), GEMINI.reported(b"[%b]" % told)):
        assert (reported.error, reported.complete) == (False, True)


def test_the_error_frame() -> None:
    frame = GEMINI.error_frame(ProviderBroke("gone"))
    assert frame.endswith(b"\n\n")
    assert json.loads(frame.removeprefix(b"data: ")) == {
        "error": {"code": 502, "message": "gone", "status": "UNAVAILABLE"}
    }
    assert read(GEMINI, frame).error
