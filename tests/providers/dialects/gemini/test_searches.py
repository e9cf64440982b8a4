"""The searches of the web that an answer of Gemini is grounded on."""

import json

import pytest

from penstock.model.usage import Used
from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import read

GEMINI = DIALECTS["gemini"]


def answer(*queries: object, model: str = "gemini-3-flash-preview", **more: object) -> bytes:
    candidate = {"groundingMetadata": {"webSearchQueries": queries, "groundingChunks": []}, "finishReason": "STOP"}
    return json.dumps({"candidates": [candidate], "modelVersion": model, **more}).encode()


@pytest.mark.parametrize(
    ("queries", "model", "fees"),
    [
        (["a [b]", "c", "", "c"], "gemini-3-flash-preview", [Used("web_search", 2)]),
        (["a", "b", "c"], "gemini-2.5-flash", [Used("web_search", 1)]),
        ([], "gemini-3-flash-preview", []),
        ([""], "gemini-3-flash-preview", []),
        ([1], "gemini-3-flash-preview", [Used("fees that could not be read", 1)]),
        (["x" * 20_000], "gemini-3-flash-preview", [Used("fees that could not be read", 1)]),
    ],
)
def test_each_search_is_charged_or_each_call_that_searched(queries: list[str], model: str, fees: list[Used]) -> None:
    assert GEMINI.reported(answer(*queries, model=model)).fees == fees


def test_those_of_a_stream_are_collected() -> None:
    events = [b"data: %b\r\n\r\n" % answer(*queries) for queries in (["a"], ["a", "b"], [])]
    assert read(GEMINI, *events).fees == [Used("web_search", 2)]


def test_those_of_an_answer_too_large_to_be_looked_through_have_no_price() -> None:
    image = {"content": {"parts": [{"inlineData": {"data": "i" * 1_200_000}}]}}
    candidates = [image | {"groundingMetadata": {"webSearchQueries": ["a"]}}]
    large = json.dumps({"candidates": candidates, "modelVersion": "gemini-3-flash-preview"}).encode()
    assert [fee.kind for fee in GEMINI.reported(large).fees] == ["fees that could not be read"]


def test_a_text_that_speaks_of_searches_is_none() -> None:
    told = json.dumps({"candidates": [{"content": {"parts": [{"text": '"webSearchQueries": ["a"]'}]}}]}).encode()
    assert GEMINI.reported(told).fees == []
