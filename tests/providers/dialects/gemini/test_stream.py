"""A stream of Gemini."""

import json

import pytest

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used
from tests.kit.dialects import read

GEMINI = DIALECTS["gemini"]


def event(usage: object = None, index: int = 0, model: str = "gemini-2.5-pro", **candidate: object) -> bytes:
    candidates = [{"content": {"parts": [{"text": "x"}], "role": "model"}, "index": index, **candidate}]
    told = {"candidates": candidates, "usageMetadata": usage, "modelVersion": model}
    return b"data: " + json.dumps(told).encode() + b"\r\n\r\n"


def test_the_last_figures_count() -> None:
    start = {"promptTokenCount": 5, "totalTokenCount": 5}
    end = start | {"candidatesTokenCount": 9, "thoughtsTokenCount": 20, "totalTokenCount": 34}
    reported = read(GEMINI, event(start), event(end, finishReason="STOP"))
    assert (reported.model, reported.complete, reported.error) == ("gemini-2.5-pro", True, False)
    assert used(GEMINI, reported)[1] == {"input": 5, "output": 9, "output_reasoning": 20}


@pytest.mark.parametrize("later", [{}, None, {"trafficType": "ON_DEMAND"}])
def test_a_later_object_without_figures_does_not_replace_an_earlier(later: object) -> None:
    figures = {"promptTokenCount": 5, "candidatesTokenCount": 9}
    reported = read(GEMINI, event({"trafficType": "ON_DEMAND"}), event(figures), event(later, finishReason="STOP"))
    assert used(GEMINI, reported)[1] == {"input": 5, "output": 9}


def test_a_stream_that_broke_reports_what_was_said() -> None:
    reported = read(GEMINI, event({"promptTokenCount": 5, "candidatesTokenCount": 2}))
    assert (used(GEMINI, reported)[1], reported.complete) == ({"input": 5, "output": 2}, False)
    assert not read(GEMINI).complete


@pytest.mark.parametrize(
    ("events", "whole"),
    [
        ([event(finishReason="MAX_TOKENS")], True),
        ([event(finishReason="")], False),
        ([event(note='"finishReason": "STOP"')], False),
        ([event(), event(index=1), event(finishReason="STOP")], False),
        ([event(), event(index=1), event(finishReason="STOP"), event(index=1, finishReason="STOP")], True),
        ([b'data: {"promptFeedback": {"blockReason": "OTHER"}}\r\n\r\n'], True),
        ([b'data: {"promptFeedback": {"safetyRatings": []}}\r\n\r\n'], False),
    ],
)
def test_a_stream_is_whole_when_each_candidate_is_or_the_prompt_was_blocked(events: list[bytes], whole: bool) -> None:
    assert read(GEMINI, *events).complete is whole


def test_an_end_beside_an_image_of_many_bytes_counts() -> None:
    image = {"parts": [{"inlineData": {"mimeType": "image/png", "data": "i" * 1_500_000}}]}
    reported = read(GEMINI, event({"promptTokenCount": 5}, content=image, finishReason="STOP"))
    assert (used(GEMINI, reported)[1], reported.complete) == ({"input": 5}, True)


def test_what_says_nothing_new_is_dull() -> None:
    reader = GEMINI.reader()
    assert not reader.dull(event({"trafficType": "ON_DEMAND"})), "it names the model"
    reader.event(event({"trafficType": "ON_DEMAND"}))
    assert reader.dull(event({"trafficType": "ON_DEMAND"}))
    assert not reader.dull(event({"promptTokenCount": 3}))
    assert not reader.dull(event(finishReason="STOP"))
