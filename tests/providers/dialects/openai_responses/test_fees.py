"""What the provider's own tools used in an answer of OpenAI responses."""

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used
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


def test_the_fees_of_a_large_stream_are_not_dropped() -> None:
    output = [{"type": "web_search_call", "action": {"type": "search"}}, {"result": "x" * 1_200_000}]
    told = {"id": "r", "model": "gpt-5", "output": output, "usage": USAGE}
    reported = read(RESPONSES, CREATED, event("response.completed", response=told))
    assert used(RESPONSES, reported)[1]["fees that could not be read"] == 1
    told["tool_usage"] = {"web_search": {"num_requests": 1}}
    reported = read(RESPONSES, CREATED, event("response.completed", response=told))
    assert [fee.kind for fee in reported.fees] == ["web_search"]
