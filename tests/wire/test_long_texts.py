"""Setting long texts aside, and putting them back."""

import asyncio
import json

import pytest

from penstock.wire import long_texts

LONG = "iVBOR" * 1000


def set_aside(body):
    found = asyncio.run(long_texts.without(body))
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text",
    [
        *(LONG, "", 'a "quoted" word' * 1000, '"' * 3000, "\\" * 3000, "\\" * 3001 + '"', "é☃" * 3000),
        *(["short", LONG, "short", LONG], {LONG: LONG + "\\"}, {"a": [LONG, {"b": "[{,"}]}),
    ],
)
def test_what_is_left_has_the_same_members_and_is_turned_back(text):
    body = json.dumps({"a": text, "b": 1}).encode()
    left, back = set_aside(body)
    assert back(left) == body
    assert json.loads(left)["b"] == 1
    assert len(left) < 1000


@pytest.mark.parametrize("body", [b'"' + b"x" * 3000, b'{"a":"' + b"x" * 3000, b'{"a":"x' + b"\\" * 3001 + b'"}', b""])
def test_what_does_not_end_is_left_as_it_is(body):
    left, back = set_aside(body)
    assert left == back(left) == body


def test_a_part_is_turned_back_by_itself():
    left, back = set_aside(json.dumps([LONG, "short", LONG + "x"]).encode())
    assert back(left[left.rindex(b" ") + 1 : -1]) == json.dumps(LONG + "x").encode()


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"1," * (long_texts.MEMBERS + 1) + b"1]",
        b"[" + b" " * long_texts.MOST + b"]",
        b'"' + b'\\"' * (long_texts.QUOTES * 2) + b'"',
        b'"' + b"\\" * 200_000 + b'"',
    ],
    ids=["members", "bytes", "quotes", "backslashes"],
)
def test_a_body_of_which_too_much_is_left_is_not_read(body):
    assert asyncio.run(long_texts.without(body)) is None
