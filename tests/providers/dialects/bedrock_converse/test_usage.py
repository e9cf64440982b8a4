"""Answers of Converse."""

import json

from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used

CONVERSE = DIALECTS["bedrock_converse"]
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
USAGE = {
    "cacheDetails": [{"ttl": "1h", "inputTokens": 10}, {"ttl": "5m", "inputTokens": 20}],
    "cacheReadInputTokens": 500,
    "cacheWriteInputTokens": 30,
    "inputTokens": 7,
    "outputTokens": 40,
    "totalTokens": 577,
}
ANSWER = {
    "metrics": {"latencyMs": 7},
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello"}]}},
    "stopReason": "end_turn",
    "usage": USAGE,
}


def told(**more: object) -> Reported:
    return CONVERSE.reported(json.dumps(ANSWER | more).encode())


def test_the_cache_stands_beside_the_input_and_its_writes_by_how_long_they_are_kept() -> None:
    usage, kinds, notes = used(CONVERSE, told())
    assert usage is not None
    assert (usage.tokens_in, usage.tokens_out, json.loads(usage.raw)) == (7, 40, USAGE)
    assert kinds == {"input": 7, "output": 40, "cache_read": 500, "cache_write": 20, "cache_write_1h": 10}
    assert notes == []


def test_the_names_that_the_cache_had_at_first() -> None:
    usage = {"inputTokens": 7, "outputTokens": 4, "cacheReadInputTokenCount": 5, "cacheWriteInputTokenCount": 6}
    assert used(CONVERSE, told(usage=usage))[1] == {"input": 7, "output": 4, "cache_read": 5, "cache_write": 6}


def test_odd_details_of_the_cache_lose_only_themselves() -> None:
    for details in ([1, {"ttl": 2}, {"ttl": "1h"}], {"1h": "x"}, 7, None):
        kinds = used(CONVERSE, told(usage=USAGE | {"cacheDetails": details}))[1]
        assert (kinds["cache_read"], kinds["cache_write"]) == (500, 30)


def test_tier_and_latency_set_another_price() -> None:
    usage, _, _ = used(CONVERSE, told(serviceTier={"type": "flex"}, performanceConfig={"latency": "optimized"}))
    assert usage is not None
    assert usage.terms == ("service_tier=flex", "latency=optimized")
    usage, _, _ = used(CONVERSE, told(serviceTier=7, performanceConfig={"latency": {}}))
    assert usage is not None
    assert usage.terms == ()


def test_the_model_that_a_prompt_router_chose() -> None:
    arn = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"
    assert told(trace={"promptRouter": {"invokedModelId": arn}}).model == "amazon.nova-pro-v1:0"
    assert told().model == told(trace={"guardrail": {}}).model == ""


def test_a_message_without_an_answer_is_an_error() -> None:
    assert CONVERSE.reported(b'{"message":"The system encountered an unexpected error."}').error
    assert not told().error


def test_a_large_answer_tells_at_its_end() -> None:
    body = json.dumps({"output": {"text": "x" * 3_000_000}, "usage": USAGE}).encode()
    assert json.loads(CONVERSE.reported(body).raw) == USAGE
    assert json.loads(CONVERSE.reported_edges(body[:4096], body[-4096:]).raw) == USAGE


def test_what_is_no_json_says_so() -> None:
    assert CONVERSE.reported(b"<html>").unread
