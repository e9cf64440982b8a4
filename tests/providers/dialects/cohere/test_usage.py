"""Answers of Cohere's own endpoints."""

import json

import pytest

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used

COHERE = DIALECTS["cohere"]
UNITS = {"billed_units": {"input_tokens": 5, "output_tokens": 4}, "tokens": {"input_tokens": 71, "output_tokens": 9}}


def counted(body: object) -> tuple[dict[str, int], list[str]]:
    return used(COHERE, COHERE.reported(json.dumps(body).encode()))[1:]


@pytest.mark.parametrize(
    "body", [{"message": {"role": "assistant"}, "usage": UNITS}, {"text": "Hi", "meta": {"api_version": {}} | UNITS}]
)
def test_what_is_billed_counts_not_what_the_model_saw(body: dict[str, object]) -> None:
    reported = COHERE.reported(json.dumps(body).encode())
    usage, kinds, notes = used(COHERE, reported)
    assert usage is not None
    assert (kinds, notes) == ({"input": 5, "output": 4}, [])
    assert (usage.tokens_in, usage.tokens_out) == (5, 4)
    assert json.loads(usage.raw) == body.get("usage", body.get("meta"))
    assert not reported.error


def test_tokens_count_where_nothing_is_billed_apart() -> None:
    assert counted({"usage": {"tokens": {"input_tokens": 7.0, "output_tokens": 2.0}}}) == (
        {"input": 7, "output": 2},
        [],
    )


@pytest.mark.parametrize(
    ("units", "kinds"),
    [
        ({"search_units": 2}, {"search_units": 2}),
        ({"classifications": 3}, {"classifications": 3}),
        ({"images": 1}, {"image": 1}),
        ({"input_tokens": 5, "image_tokens": 300, "images": 1}, {"input": 5, "input_image": 300}),
    ],
)
def test_units_that_are_no_tokens(units: dict[str, int], kinds: dict[str, int]) -> None:
    assert counted({"meta": {"billed_units": units, "tokens": {"input_tokens": 99}}}) == (kinds, [])


def test_an_answer_that_tells_its_version_alone_reports_nothing() -> None:
    reported = COHERE.reported(b'{"text":"Hi","meta":{"api_version":{"version":"1"}}}')
    assert (reported.raw, reported.unread) == (b"", "")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"id":"x","message":"invalid request"}', True),
        (b'{"message":{},"finish_reason":"ERROR"}', True),
        (b'{"text":"","finish_reason":"ERROR_TOXIC"}', True),
        (b'{"message":{},"finish_reason":"timeout"}', True),
        (b'{"message":{},"finish_reason":"MAX_TOKENS"}', False),
    ],
)
def test_errors(body: bytes, error: bool) -> None:
    assert COHERE.reported(body).error is error


def test_large_embeddings_tell_at_their_end() -> None:
    body = json.dumps({"embeddings": [[0.125] * 300_000], "meta": {"billed_units": {"input_tokens": 7}}}).encode()
    assert used(COHERE, COHERE.reported(body))[1] == {"input": 7}
    assert used(COHERE, COHERE.reported_edges(body[:4096], body[-4096:]))[1] == {"input": 7}
