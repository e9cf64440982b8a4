"""Anthropic messages: what is read of them."""

import json

import pytest

from penstock.core.errors import ProviderBroke
from penstock.model.usage import Asked, Reported
from penstock.providers import catalog
from penstock.providers.dialects.anthropic import Anthropic
from tests.kit.accounts import used

ANTHROPIC = Anthropic()
START = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 30,
    "cache_read_input_tokens": 500,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
    "output_tokens": 1,
    "service_tier": "standard",
}


def event(kind: str, **members: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


MESSAGE_START = event("message_start", message={"type": "message", "model": "claude-x", "usage": START})
DELTA = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hello"})
END = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 40, "input_tokens": None})


def read(*events: bytes) -> Reported:
    reader = ANTHROPIC.reader()
    for one in events:
        reader.event(one)
    return reader.reported()


def test_an_answer() -> None:
    more = {
        "server_tool_use": {"web_search_requests": 2},
        "output_tokens_details": {"thinking_tokens": 3},
        "output_tokens": 8,
        "speed": "fast",
    }
    raw = json.dumps({**START, **more})
    reported = ANTHROPIC.reported(f'{{"type":"message","model":"claude-x","usage":{raw}}}'.encode())
    usage, kinds, notes = used(ANTHROPIC, reported)
    assert usage is not None
    assert (reported.model, reported.error, usage.terms[-1]) == ("claude-x", False, "speed=fast")
    assert usage.raw == raw.encode()
    assert (usage.tokens_in, notes) == (10, [])
    assert kinds.pop("output") + kinds.pop("output_reasoning") == usage.tokens_out
    assert kinds == {"input": 10, "cache_read": 500, "cache_write": 20, "cache_write_1h": 10, "web_search": 2}


def test_a_stream_merges_its_figures() -> None:
    reported = read(MESSAGE_START, event("ping"), DELTA, END, event("message_stop"))
    usage, kinds, _ = used(ANTHROPIC, reported)
    assert usage is not None
    assert (reported.model, reported.complete) == ("claude-x", True)
    assert (usage.tokens_in, usage.tokens_out) == (10, 40)
    assert kinds == {"input": 10, "output": 40, "cache_read": 500, "cache_write": 20, "cache_write_1h": 10}
    assert json.loads(usage.raw) == {**START, "output_tokens": 40}


def test_a_stream_that_ended_early_reports_what_was_said() -> None:
    reported = read(MESSAGE_START, DELTA)
    assert used(ANTHROPIC, reported)[1]["output"] == 1
    assert json.loads(reported.raw) == START
    assert not reported.complete


def test_a_later_empty_figure_does_not_replace_an_earlier() -> None:
    later = {"input_tokens": 0, "cache_creation": {"ephemeral_5m_input_tokens": 0}, "output_tokens": 40}
    reported = read(
        MESSAGE_START, event("message_delta", usage=later), event("message_delta", usage={"output_tokens": 0})
    )
    assert json.loads(reported.raw) == {**START, "output_tokens": 40}


def test_a_stream_keeps_what_rows_name() -> None:
    rows = catalog.load().values()
    named = {
        path.partition(".")[0]
        for row in rows
        if any(endpoint.dialect == "anthropic" for endpoint in row.endpoints)
        for path in (row.usage.cost, row.usage.own_key, row.usage.own_key_cost, *row.usage.members)
        if path and not path.startswith(("prompt_", "input_tokens_details"))
    }
    assert {"cost", "is_byok", "cost_details", "cost_in_usd_ticks"} <= named
    usage = dict.fromkeys(named, 7)
    assert json.loads(read(MESSAGE_START, event("message_delta", usage=usage)).raw).items() >= usage.items()


@pytest.mark.parametrize("told", [{"detail": "no"}, {"message": "no", "type": "x", "code": 3}])
def test_errors_without_the_member(told: dict[str, object]) -> None:
    assert ANTHROPIC.reported(json.dumps(told).encode()).error


def test_errors() -> None:
    told = {"type": "overloaded_error", "message": "x"}
    assert ANTHROPIC.reported(json.dumps({"type": "error", "error": told}).encode()) == Reported(error=True)
    assert read(MESSAGE_START, event("error", error=told)).error


def test_strange_bytes() -> None:
    for body in (b"", b"[]", b'{"usage":3}', b'{"usage":{}}', b'{"usage":{"input_tokens":"x"}}', b"\xff"):
        assert used(ANTHROPIC, ANTHROPIC.reported(body))[0] is None
    assert read(b'data: {"type":"message_start","message":3}\n\n', b'data: "message_\n\n') == Reported(complete=False)


def test_what_a_request_asks() -> None:
    assert ANTHROPIC.asked(b'{"model":"claude","stream":true}') == Asked("claude", stream=True, wants_usage=True)
    assert ANTHROPIC.asked(b'{"model":"claude"}') == Asked("claude")
    assert ANTHROPIC.ask_usage(b'{"stream":true}') is None


def test_the_error_frame() -> None:
    frame = ANTHROPIC.error_frame(ProviderBroke("gone"))
    assert frame.endswith(b"\n\n")
    kind, _, data = frame.partition(b"\ndata: ")
    assert kind == b"event: error"
    assert json.loads(data) == {"type": "error", "error": {"type": "api_error", "message": "gone"}}
    assert read(frame).error
