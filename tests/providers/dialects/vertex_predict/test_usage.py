"""What predictions used; tests/providers/test_accounting.py has what it costs."""

import json
from typing import Any

import pytest

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used

PREDICT = DIALECTS["vertex_predict"]


def vectors(*counts: float) -> dict[str, Any]:
    return {"predictions": [{"embeddings": {"values": [0.1], "statistics": {"token_count": one}}} for one in counts]}


@pytest.mark.parametrize("indent", [None, 2])
def test_the_tokens_of_all_texts_count(indent: int | None) -> None:
    reported = PREDICT.reported(json.dumps(vectors(6, 4.0), indent=indent).encode())
    assert used(PREDICT, reported)[1] == {"input": 10}


def test_pictures_count_each_and_one_that_was_filtered_out_does_not() -> None:
    picture = {"mimeType": "image/png", "bytesBase64Encoded": "iVBO"}
    told = {"predictions": [picture, picture, {"raiFilteredReason": 'says "bytesBase64Encoded": "no"'}]}
    assert used(PREDICT, PREDICT.reported(json.dumps(told).encode()))[1] == {"image": 2}


def test_an_answer_that_is_not_all_here_tells_nothing() -> None:
    body = json.dumps(vectors(6)).encode()
    assert PREDICT.reported_edges(body, body).raw == b""


def test_an_error_is_told() -> None:
    assert PREDICT.reported(b'{"error": {"code": 400}}').error
