"""What the headers of an answer of Bedrock say of it."""

from penstock.core.headers import Headers
from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used

INVOKE = DIALECTS["bedrock_invoke"]


def heads(**headers: str) -> Headers:
    names = [(f"x-amzn-bedrock-{name.replace('_', '-')}".encode(), value.encode()) for name, value in headers.items()]
    return [(name, name, value) for name, value in names]


def completed(reported: Reported, headers: Headers) -> Reported:
    assert INVOKE.completed is not None
    INVOKE.completed(reported, headers)
    return reported


def test_headers_count_what_the_answer_does_not() -> None:
    counts = heads(input_token_count="3", output_token_count="4", cache_read_input_token_count="9")
    reported = completed(INVOKE.reported(b'{"outputs":[]}'), counts)
    assert used(INVOKE, reported)[1:] == ({"input": 3, "output": 4, "cache_read": 9}, [])
    told = completed(INVOKE.reported(b'{"usage":{"input_tokens":7,"output_tokens":1}}'), counts)
    assert used(INVOKE, told)[1] == {"input": 7, "output": 1}


def test_odd_headers_count_nothing() -> None:
    reported = completed(INVOKE.reported(b'{"outputs":[]}'), heads(input_token_count="-3", output_token_count="9" * 40))
    assert reported.unread


def test_tier_and_latency_set_another_price() -> None:
    reported = INVOKE.reported(b'{"usage":{"input_tokens":7}}')
    usage, _, _ = used(INVOKE, completed(reported, heads(service_tier="flex", performanceconfig_latency="optimized")))
    assert usage is not None
    assert usage.terms == ("service_tier=flex", "latency=optimized")
