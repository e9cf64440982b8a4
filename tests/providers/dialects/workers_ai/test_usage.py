"""Answers of Workers AI."""

import json

import pytest

from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used

WORKERS = DIALECTS["workers_ai"]
USAGE = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27, "prompt_tokens_details": {"cached_tokens": 4}}


def envelope(result: object, **more: object) -> bytes:
    return json.dumps({"result": result, "success": True, "errors": [], "messages": [], **more}).encode()


def test_usage_stands_within_the_envelope() -> None:
    reported = WORKERS.reported(envelope({"response": "Hi", "usage": USAGE}))
    usage, kinds, notes = used(WORKERS, reported)
    assert usage is not None
    assert (kinds, notes) == ({"input": 16, "cache_read": 4, "output": 7}, [])
    assert (json.loads(usage.raw), reported.error) == (USAGE, False)


def test_a_model_that_answers_as_openai_does() -> None:
    reported = WORKERS.reported(envelope({"model": "m", "usage": {"input_tokens": 3, "output_tokens": 4}}))
    assert (reported.model, used(WORKERS, reported)[1]) == ("m", {"input": 3, "output": 4})


@pytest.mark.parametrize(
    "body", [b"\x89PNG\r\n", b"ID3", b"", envelope({"image": "iVBO"}), envelope("text"), envelope([1]), envelope(None)]
)
def test_what_tells_no_usage_reports_none(body: bytes) -> None:
    assert WORKERS.reported(body) == WORKERS.reported_edges(body, body[-9:]) == Reported()


def test_a_large_answer_without_usage_reports_none() -> None:
    assert WORKERS.reported(envelope({"data": [[0.125] * 300_000]})) == Reported()


def test_what_is_no_json_says_so() -> None:
    assert WORKERS.reported(b'{"result":{"usage":').unread


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (envelope(None, success=False, errors=[{"code": 5006}]), True),
        (envelope(None, errors=[{"code": 5006}]), True),
        (b'{"error":"gone"}', True),
        (envelope({"response": '"errors":[1]'}), False),
    ],
)
def test_errors(body: bytes, error: bool) -> None:
    assert WORKERS.reported(body).error is error
