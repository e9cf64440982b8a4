"""A stream of OpenAI responses."""

import json

import pytest

from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import event, read

RESPONSES = DIALECTS["openai_responses"]

USAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 5},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 59,
}

CREATED = event("response.created", response={"model": "gpt-5", "status": "in_progress", "error": None, "usage": None})

DELTA = event("response.output_text.delta", delta="Hello", sequence_number=3)


@pytest.mark.parametrize(("kind", "error"), [("completed", False), ("incomplete", False), ("failed", True)])
def test_a_stream(kind: str, error: bool) -> None:
    told = {"model": "gpt-5", "error": {"code": "x"} if error else None, "usage": USAGE}
    reported = read(RESPONSES, CREATED, DELTA, DELTA, event(f"response.{kind}", response=told))
    assert (reported.complete, json.loads(reported.raw), reported.error) == (True, USAGE, error)


def test_a_stream_that_broke_halfway() -> None:
    assert read(RESPONSES, CREATED, DELTA) == Reported("gpt-5", complete=False, unfinished=True)
