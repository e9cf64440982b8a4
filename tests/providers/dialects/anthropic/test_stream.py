"""A stream of Anthropic messages."""

import json

from penstock.providers import catalog
from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used
from tests.kit.dialects import event, read

ANTHROPIC = DIALECTS["anthropic"]

START = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 30,
    "cache_read_input_tokens": 500,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
    "output_tokens": 1,
    "service_tier": "standard",
}

MESSAGE_START = event("message_start", message={"type": "message", "model": "claude-x", "usage": START})

DELTA = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hello"})

END = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 40, "input_tokens": None})


def test_a_stream_merges_its_figures() -> None:
    reported = read(ANTHROPIC, MESSAGE_START, event("ping"), DELTA, END, event("message_stop"))
    usage, kinds, _ = used(ANTHROPIC, reported)
    assert usage is not None
    assert (reported.model, reported.complete) == ("claude-x", True)
    assert (usage.tokens_in, usage.tokens_out) == (10, 40)
    assert kinds == {"input": 10, "output": 40, "cache_read": 500, "cache_write": 20, "cache_write_1h": 10}
    assert json.loads(usage.raw) == {**START, "output_tokens": 40}


def test_a_stream_that_ended_early_reports_what_was_said() -> None:
    reported = read(ANTHROPIC, MESSAGE_START, DELTA)
    assert used(ANTHROPIC, reported)[1]["output"] == 1
    assert json.loads(reported.raw) == START
    assert not reported.complete


def test_a_later_empty_figure_does_not_replace_an_earlier() -> None:
    later = {"input_tokens": 0, "cache_creation": {"ephemeral_5m_input_tokens": 0}, "output_tokens": 40}
    reported = read(
        ANTHROPIC,
        MESSAGE_START,
        event("message_delta", usage=later),
        event("message_delta", usage={"output_tokens": 0}),
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
    assert json.loads(read(ANTHROPIC, MESSAGE_START, event("message_delta", usage=usage)).raw).items() >= usage.items()
