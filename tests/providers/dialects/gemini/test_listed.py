"""A stream of Gemini that is one JSON list."""

import json

import pytest

from penstock.providers.dialects import DIALECTS
from penstock.providers.dialects.gemini.listed import is_list, latest

GEMINI = DIALECTS["gemini"]


def one(n: int, **more: object) -> dict[str, object]:
    usage = {"promptTokenCount": 7, "candidatesTokenCount": n}
    return {"candidates": [{"content": {"parts": [{"text": ",\n{"}]}, **more}], "usageMetadata": usage}


ANSWERS = [one(1), one(2), one(3, finishReason="STOP")]


@pytest.mark.parametrize("between", ["\n,\r\n", ",", ",\n", "\n, "])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("end", ["]", "\n]\n"])
def test_the_last_answer_counts_however_the_list_is_written(between: str, indent: int | None, end: str) -> None:
    body = "\ufeff[" + between.join(json.dumps(answer, indent=indent) for answer in ANSWERS) + end
    reported = GEMINI.reported(body.encode())
    assert json.loads(reported.raw)["candidatesTokenCount"] == 3
    assert reported.complete


def test_a_list_that_was_cut_tells_what_it_had_said() -> None:
    body = b"[" + b"\n,\r\n".join(json.dumps(answer).encode() for answer in ANSWERS) + b"\n]"
    reported = GEMINI.reported(body[:-100])
    assert json.loads(reported.raw)["candidatesTokenCount"] == 2
    assert not reported.complete
    assert GEMINI.reported(b"[").unread


def test_of_a_long_list_the_last_answers_are_read() -> None:
    many = b"[" + b"\n,\r\n".join([json.dumps(one(1)).encode()] * 100_000 + [json.dumps(ANSWERS[2]).encode()]) + b"]"
    assert is_list(many)
    assert len(list(latest(many))) == 64
    reported = GEMINI.reported_edges(many[:4096], many[-28_000:])
    assert json.loads(reported.raw)["candidatesTokenCount"] == 3
    assert reported.complete


def test_a_list_of_too_many_members_is_not_read() -> None:
    assert list(latest(b"[" + b"{}," * 5000 + b"{}]")) == []
