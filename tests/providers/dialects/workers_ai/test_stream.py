"""Streams of Workers AI."""

import json

import pytest

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used
from tests.kit.dialects import event, read

WORKERS = DIALECTS["workers_ai"]
DONE = b"data: [DONE]\n\n"


def piece(text: str, **more: object) -> bytes:
    return b"data: %b\n\n" % json.dumps({"response": text, "p": "abc", **more}).encode()


LAST = piece("", usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})


def test_the_last_event_has_the_usage() -> None:
    reported = read(WORKERS, piece("Hi"), LAST, piece("", usage={"prompt_tokens": 0}), DONE)
    assert (reported.complete, reported.error) == (True, False)
    assert used(WORKERS, reported)[1] == {"input": 3, "output": 4}


def test_a_stream_that_ended_early_is_not_whole() -> None:
    assert not read(WORKERS, piece("Hi"), LAST).complete
    assert not read(WORKERS, piece("data: [DONE]")).complete


def test_a_model_that_speaks_responses() -> None:
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    reported = read(WORKERS, event("response.completed", response={"model": "m", "usage": usage}))
    assert (reported.complete, reported.error, reported.model) == (True, False, "m")
    assert used(WORKERS, reported)[1] == {"input": 3, "output": 4}
    assert read(WORKERS, event("response.failed", response={"error": {}})).error


@pytest.mark.parametrize(
    "failure",
    [
        b'data: {"success":false,"errors":[{"code":3043}]}\n\n',
        b'data: {"errors":[{"code":3043}]}\n\n',
        b'{"error":"gone"}\n\n',
        b"event: error\ndata: {}\n\n",
        event("error", message="gone"),
    ],
)
def test_an_error_in_a_success(failure: bytes) -> None:
    assert read(WORKERS, piece("Hi"), failure).error


def test_pieces_of_the_answer_are_not_looked_into() -> None:
    reader = WORKERS.reader()
    assert reader.dull(piece("Hi") * 3)
    assert not reader.dull(piece("Hi") + DONE)
    assert not reader.dull(LAST)
