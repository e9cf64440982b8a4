"""What an answer of OpenAI responses used."""

import json

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used

RESPONSES = DIALECTS["openai_responses"]

USAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 5},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 59,
}


def test_an_answer() -> None:
    body = {"model": "gpt-5", "status": "completed", "error": None, "service_tier": "default", "usage": USAGE}
    reported = RESPONSES.reported(json.dumps(body).encode())
    usage, kinds, notes = used(RESPONSES, reported)
    assert usage is not None
    assert (reported.model, reported.error, usage.terms) == ("gpt-5", False, ("service_tier=default",))
    assert json.loads(usage.raw) == USAGE
    assert (usage.tokens_in, usage.tokens_out, notes) == (50, 9, [])
    assert kinds == {"input": 25, "cache_read": 20, "cache_write": 5, "output": 5, "output_reasoning": 4}
