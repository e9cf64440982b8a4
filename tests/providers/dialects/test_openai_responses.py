"""OpenAI responses: what is read of them."""

import json

import pytest

from penstock.core.errors import ProviderBroke
from penstock.model.usage import Asked, Reported
from penstock.providers.dialects.openai_responses import OpenAIResponses
from tests.kit.accounts import used

RESPONSES = OpenAIResponses()
USAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 5},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 59,
}


def event(kind: str, **members: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


CREATED = event("response.created", response={"model": "gpt-5", "status": "in_progress", "error": None, "usage": None})
DELTA = event("response.output_text.delta", delta="Hello", sequence_number=3)


def read(*events: bytes) -> Reported:
    reader = RESPONSES.reader()
    for one in events:
        reader.event(one)
    return reader.reported()


def test_an_answer() -> None:
    body = {"model": "gpt-5", "status": "completed", "error": None, "service_tier": "default", "usage": USAGE}
    reported = RESPONSES.reported(json.dumps(body).encode())
    usage, kinds, notes = used(RESPONSES, reported)
    assert usage is not None
    assert (reported.model, reported.error, usage.terms) == ("gpt-5", False, ("service_tier=default",))
    assert json.loads(usage.raw) == USAGE
    assert (usage.tokens_in, usage.tokens_out, notes) == (50, 9, [])
    assert kinds == {"input": 25, "cache_read": 20, "cache_write": 5, "output": 5, "output_reasoning": 4}


@pytest.mark.parametrize(("kind", "error"), [("completed", False), ("incomplete", False), ("failed", True)])
def test_a_stream(kind: str, error: bool) -> None:
    told = {"model": "gpt-5", "error": {"code": "x"} if error else None, "usage": USAGE}
    reported = read(CREATED, DELTA, DELTA, event(f"response.{kind}", response=told))
    assert (reported.complete, json.loads(reported.raw), reported.error) == (True, USAGE, error)


def test_a_stream_that_broke_halfway() -> None:
    assert read(CREATED, DELTA) == Reported("gpt-5", complete=False, unfinished=True)


def test_an_error() -> None:
    assert read(event("error", code="x", message="y", error=None)).error
    assert read(CREATED, b'data: {"object":"error","message":"x","type":"y"}\n\n').error
    assert RESPONSES.reported(b'{"error":{"message":"x"}}').error
    assert RESPONSES.reported(b'{"detail":"x"}').error
    assert RESPONSES.reported(b'{"message":"x","type":"y","code":3}').error
    assert read(b'event: x\ndata: {"error"\n\n', b"\xff") == Reported(complete=False)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_an_answer_whose_status_is_a_failure(status: str) -> None:
    told = {"model": "gpt-5", "status": status, "error": None, "usage": USAGE}
    assert RESPONSES.reported(json.dumps(told).encode()).error
    assert read(CREATED, event("response.completed", response=told)).error


def test_the_fees_of_a_large_stream_are_not_dropped() -> None:
    output = [{"type": "web_search_call", "action": {"type": "search"}}, {"result": "x" * 1_200_000}]
    told = {"id": "r", "model": "gpt-5", "output": output, "usage": USAGE}
    reported = read(CREATED, event("response.completed", response=told))
    assert used(RESPONSES, reported)[1]["fees that could not be read"] == 1
    told["tool_usage"] = {"web_search": {"num_requests": 1}}
    reported = read(CREATED, event("response.completed", response=told))
    assert [fee.kind for fee in reported.fees] == ["web_search"]


def test_what_a_request_asks() -> None:
    assert RESPONSES.asked(b'{"model":"m","input":"x","stream":true}') == Asked("m", stream=True, wants_usage=True)
    assert RESPONSES.ask_usage(b'{"stream":true}') is None


def test_the_error_frame() -> None:
    frame = RESPONSES.error_frame(ProviderBroke("gone"))
    assert frame.startswith(b"event: error\ndata: ")
    assert frame.endswith(b"\n\n")
    told = json.loads(frame.partition(b"data: ")[2])
    assert told == {"type": "error", "code": "2005", "message": "gone", "param": None, "sequence_number": 0}
    assert read(frame).error
