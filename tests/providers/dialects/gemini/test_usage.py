"""What an answer of Gemini used; tests/providers/test_accounting.py has more, with what each costs."""

import json
from typing import Any

import pytest

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used

GEMINI = DIALECTS["gemini"]


def told(usage: dict[str, Any], **more: object) -> bytes:
    return json.dumps({"modelVersion": "gemini-2.5-flash", "usageMetadata": usage, **more}).encode()


def parts(**counts: object) -> list[dict[str, object]]:
    return [{"modality": modality, "tokenCount": count} for modality, count in counts.items()]


CASES = [
    (
        {"promptTokenCount": 12, "candidatesTokenCount": 71, "toolUsePromptTokenCount": 65, "thoughtsTokenCount": 89,
         "cachedContentTokenCount": 4, "totalTokenCount": 237},
        {"input": 73, "output": 71, "output_reasoning": 89, "cache_read": 4},
    ),
    (
        {"promptTokenCount": 300, "candidatesTokenCount": 5, "cachedContentTokenCount": 200, "totalTokenCount": 305,
         "promptTokensDetails": parts(TEXT=180, AUDIO=120), "cacheTokensDetails": parts(TEXT=150, AUDIO=50)},
        {"input": 30, "input_audio": 70, "cache_read": 150, "cache_read_audio": 50, "output": 5},
    ),
    (
        {"promptTokenCount": 300, "candidatesTokenCount": 1290, "totalTokenCount": 1590,
         "promptTokensDetails": parts(TEXT=10, IMAGE=258, DOCUMENT=32), "candidatesTokensDetails": parts(IMAGE=1290)},
        {"input": 42, "input_image": 258, "output_image": 1290},
    ),
    ({"promptTokenCount": 3, "thoughtsTokenCount": 40, "totalTokenCount": 43}, {"input": 3, "output_reasoning": 40}),
    ({"promptTokenCount": 9, "promptTokenDetails": parts(VIDEO=4)}, {"input": 5, "input_video": 4}),
]  # fmt: skip


@pytest.mark.parametrize(("usage", "kinds"), CASES)
def test_its_figures_are_disjoint_parts(usage: dict[str, Any], kinds: dict[str, int]) -> None:
    _, found, notes = used(GEMINI, GEMINI.reported(told(usage)))
    assert (found, notes) == (kinds, [])


@pytest.mark.parametrize(
    ("usage", "term"),
    [
        ({"serviceTier": "flex"}, "service_tier=flex"),
        ({"serviceTier": "STANDARD"}, "service_tier=standard"),
        ({"trafficType": "ON_DEMAND"}, "service_tier=standard"),
        ({"trafficType": "ON_DEMAND_PRIORITY"}, "service_tier=priority"),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "service_tier=provisioned_throughput"),
    ],
)
def test_both_names_of_the_tier_are_one_term(usage: dict[str, str], term: str) -> None:
    usage_read, _, _ = used(GEMINI, GEMINI.reported(told({"promptTokenCount": 1, **usage})))
    assert usage_read is not None
    assert usage_read.terms == (term,)


def test_the_object_is_kept_as_it_came() -> None:
    usage = {"promptTokenCount": 12, "toolUsePromptTokenCount": 65, "promptTokensDetails": parts(AUDIO=1)}
    usage_read, _, _ = used(GEMINI, GEMINI.reported(told(usage)))
    assert usage_read is not None
    assert json.loads(usage_read.raw) == usage


def test_an_odd_count_of_a_modality_leaves_no_cost() -> None:
    _, kinds, notes = used(
        GEMINI, GEMINI.reported(told({"promptTokenCount": 9, "promptTokensDetails": parts(AUDIO="3")}))
    )
    assert kinds == {"input": 9, "tokens that could not be read": 1}
    assert "promptTokensDetails.audio told as no figure" in notes[0]


def test_of_a_large_answer_the_end_is_read() -> None:
    image = {"candidates": [{"content": {"parts": [{"inlineData": {"data": "i" * 12_000_000}}]}}]}
    usage = {"usageMetadata": {"promptTokenCount": 7}, "modelVersion": "gemini-2.5-flash-image"}
    body = json.dumps(image | usage).encode()
    for reported in (GEMINI.reported(body), GEMINI.reported_edges(body[:4096], body[-28_000:])):
        assert (reported.model, json.loads(reported.raw)) == ("gemini-2.5-flash-image", {"promptTokenCount": 7})
        assert reported.complete


def test_what_reports_nothing_says_so() -> None:
    assert GEMINI.reported(b'{"embedding":{"values":[0.5]}}').unread == ""
    assert GEMINI.reported(b"no JSON").unread
