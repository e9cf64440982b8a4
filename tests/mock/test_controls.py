import json
import re

import pytest

from penstock.mock.controls import CONTROLS, HEAD, NONE, BadControl, Controls, read

WRONG = {
    "x-mock-delay": ["", "-1", "abc", "1e3", "86400001", "nan"],
    "x-mock-stall": ["", "tail", "-1", "1.5"],
    "x-mock-frames": ["0", "-1", "1000001", "many"],
    "x-mock-pace": ["fast"],
    "x-mock-status": ["100", "600", "ok"],
    "x-mock-retry-after": ["a\r\nb"],
    "x-mock-cut-frames": ["-1"],
    "x-mock-cut-bytes": ["x"],
    "x-mock-malformed": ["yes"],
    "x-mock-error-body": ["2"],
    "x-mock-size": ["100000001"],
    "x-mock-encoding": ["lzw"],
    "x-mock-framing": ["none"],
    "x-mock-cached-tokens": ["1.5"],
    "x-mock-cache-write-tokens": ["²"],
    "x-mock-reasoning-tokens": ["-"],
    "x-mock-usage": ["all"],
    "x-mock-echo": ["head"],
    "x-mock-headers": ["{", "[]", '{"a": 1}', '{"a b": "c"}', '{"a": "b\\r\\nc"}', '{"content-length": "1"}'],
    "x-mock-reset": ["0"],
    "x-mock-early-hints": [""],
    "x-mock-close": ["please"],
}


def test_every_control_has_its_wrong_values_here():
    assert WRONG.keys() == CONTROLS.keys()
    assert {name.removeprefix("x-mock-").replace("-", "_") for name in CONTROLS} == set(Controls.__struct_fields__)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
async def test_a_value_that_is_not_understood_is_a_400_that_names_the_control(client, name, value):
    answer = await client.get("/openai/models", params={name: value})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"{name}: ")


async def test_a_misspelt_control_is_a_400_in_the_providers_words(client):
    answer = await client.get("/anthropic/v1/models", headers={"X-Mock-Delais": "1"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "x-mock-delais: there is no such control" in answer.json()["error"]["message"]


async def test_a_query_parameter_is_as_good_as_a_header(client):
    assert (await client.get("/openai/models?limit=2&x-mock-status=503")).status_code == 503


def test_the_header_wins_over_the_query():
    asked = read([(b"X-Mock-Delay", b"250"), (b"accept", b"*/*")], b"a=b&x-mock-delay=1&x-mock-pace=0.5")
    assert (asked.delay, asked.pace) == (0.25, 0.0005)


def test_a_request_without_controls_has_none():
    assert read([(b"accept", b"*/*")], b"a=b") is NONE


def test_places_to_stall():
    assert [read([(b"x-mock-stall", at)], b"").stall for at in (b"head", b"body", b"3")] == [HEAD, 0, 3]


def test_headers_may_repeat_or_go():
    asked = read(
        [(b"x-mock-headers", json.dumps({"Set-Cookie": ["a", "b"], "x-one": "1", "x-two": None}).encode())], b""
    )
    assert asked.headers == {"set-cookie": ["a", "b"], "x-one": ["1"], "x-two": []}


def test_raises_what_it_says():
    with pytest.raises(BadControl):
        read([], b"x-mock-nothing=1")


def test_the_page_has_every_control_and_no_other(root):
    page = (root / "docs" / "mock.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(x-mock-[a-z-]+)` \|", page, re.MULTILINE)) == CONTROLS.keys()
    assert set(re.findall(r"x-mock-[a-z-]+[a-z]", page)) == CONTROLS.keys()
