"""What an answer of Anthropic messages used."""

import json

from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used
from tests.kit.dialects import read

ANTHROPIC = DIALECTS["anthropic"]

START = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 30,
    "cache_read_input_tokens": 500,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
    "output_tokens": 1,
    "service_tier": "standard",
}


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


def test_strange_bytes() -> None:
    for body in (b"", b"[]", b'{"usage":3}', b'{"usage":{}}', b'{"usage":{"input_tokens":"x"}}', b"\xff"):
        assert used(ANTHROPIC, ANTHROPIC.reported(body))[0] is None
    assert read(ANTHROPIC, b'data: {"type":"message_start","message":3}\n\n', b'data: "message_\n\n') == Reported(
        complete=False
    )
