"""Streams of Cohere, of both versions."""

import json

import pytest

from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used
from tests.kit.dialects import event, read

COHERE = DIALECTS["cohere"]
UNITS = {"billed_units": {"input_tokens": 5, "output_tokens": 4}}

START = event("message-start", id="m", delta={"message": {"role": "assistant"}})
DELTA = event("content-delta", index=0, delta={"message": {"content": {"text": "Hi"}}})
END = event("message-end", id="m", delta={"finish_reason": "COMPLETE", "usage": UNITS})
DONE = b"data: [DONE]\n\n"


def line(kind: str, **members: object) -> bytes:
    """A line of the first version, as it is cut."""
    return b"data: %b\n\n" % json.dumps({"event_type": kind, **members}).encode()


FIRST = line("stream-start", generation_id="g"), line("text-generation", text="Hi")
LAST = line("stream-end", finish_reason="COMPLETE", response={"text": "Hi", "meta": UNITS})


@pytest.mark.parametrize("events", [(START, DELTA, END, DONE), (START, DELTA, END), (*FIRST, LAST)])
def test_the_last_event_has_the_usage(events: tuple[bytes, ...]) -> None:
    reported = read(COHERE, *events)
    assert (reported.complete, reported.error) == (True, False)
    assert used(COHERE, reported)[1] == {"input": 5, "output": 4}


@pytest.mark.parametrize("events", [(), (START, DELTA), (START, DELTA, DONE), FIRST])
def test_a_stream_that_ended_early_is_not_whole(events: tuple[bytes, ...]) -> None:
    assert read(COHERE, *events) == Reported(complete=False)


@pytest.mark.parametrize(
    "failure",
    [
        event("message-end", delta={"finish_reason": "ERROR", "error": "gone", "usage": UNITS}),
        event("message-end", delta={"finish_reason": "COMPLETE", "error": "gone"}),
        event("error", message="gone"),
        line("stream-end", finish_reason="ERROR", response={"text": ""}),
        b'data: {"message":"gone"}\n\n',
        b'{"message":"gone"}\n\n',
        b"event: error\ndata: {}\n\n",
    ],
)
def test_an_error_in_a_success(failure: bytes) -> None:
    assert read(COHERE, START, DELTA, failure).error
    assert not COHERE.reader().dull(failure)


def test_pieces_of_the_answer_are_not_looked_into() -> None:
    reader = COHERE.reader()
    assert reader.dull(START + DELTA)
    assert reader.dull(FIRST[1])
    assert not reader.dull(DELTA + END)
    assert not reader.dull(LAST)
