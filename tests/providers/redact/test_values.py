"""Values replaced in JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.providers.redact.paths import rules
from penstock.providers.redact.values import REDACTED, Damaged, replaced, texts

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
STEPS = st.lists(st.sampled_from([".a", ".b", ".c", "[*]", "[0]", "[1]"]), min_size=1, max_size=4)


def without(data, *paths):
    return replaced(data, rules(paths).request, [])


def test_a_value_of_any_kind_is_replaced():
    data = b'{"user":"alice","seed":7,"tools":[{"a":1}],"n":null,"keep":"this"}'
    shown = json.loads(without(data, "request.user", "request.seed", "request.tools", "request.n", "request.absent"))
    assert shown == dict.fromkeys(["user", "seed", "tools", "n"], REDACTED) | {"keep": "this"}


def test_elements_are_replaced_where_they_are_named():
    data = b'{"m":[{"c":"x","r":"u"},{"c":["y"],"r":"v"},"z"]}'
    every = {"m": [{"c": REDACTED, "r": "u"}, {"c": REDACTED, "r": "v"}, "z"]}
    assert json.loads(without(data, "request.m[*].c")) == every
    assert json.loads(without(data, "request.m[1].c", "request.m[9].c"))["m"][0]["c"] == "x"
    assert json.loads(without(data, "request.m[*]")) == {"m": [REDACTED] * 3}
    assert json.loads(without(data, "request.m[0].c", "request.m[*].r"))["m"][0] == {"c": REDACTED, "r": REDACTED}
    assert json.loads(without(b'[{"c":1},2]', "request[0].c")) == [{"c": REDACTED}, 2]


def test_all_else_keeps_its_value():
    data = b' {"a": 1.10, "b" : {"big":123456789012345678901234567890, "e":-0.0},\n"user":"x"} '
    assert without(data, "request.user") == (
        b'{"a":1.1,"b":{"big":123456789012345678901234567890,"e":-0.0},"user":"[redacted]"}'
    )


def test_a_name_is_found_however_it_is_spelt_and_however_often_it_stands_there():
    assert b"alice" not in without(rb'{"us\u0065r":"alice"}', "request.user")
    assert b"alice" not in without(b'{"user":"alice","user":"bob","x":1}', "request.user")


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"alice",
            b'{"user":"alice"',
            b'{"user":"alice"} {}',
            b'{"user":"alice"},1',
            b"\xef\xbb\xbf{}",
            b"\0",
            b" ",
            b'{"a":1e400}',
        ),
        *(b'{"\xff":"alice"}', b"[" * 100_000, b'{"x":nul,"user":"a"}', b"]["),
    ],
)
def test_what_is_no_json_is_damaged(data):
    with pytest.raises(Damaged):
        without(data, "request.user")


@given(JSON, st.lists(STEPS, min_size=1, max_size=3))
def test_what_is_replaced_is_what_the_paths_name(value, paths):
    taken = []
    tree = rules(tuple("request" + "".join(path) for path in paths)).request
    expected = value
    for path in paths:
        expected = _by_hand(expected, path)
    assert json.loads(replaced(json.dumps(value).encode(), tree, taken)) == expected
    assert bool(taken) == (expected != value)


def _by_hand(value, path):
    if not path:
        return REDACTED
    step, rest = path[0], path[1:]
    if step[0] == "." and isinstance(value, dict):
        return {name: _by_hand(part, rest) if name == step[1:] else part for name, part in value.items()}
    if step[0] == "[" and isinstance(value, list):
        return [_by_hand(part, rest) if step in ("[*]", f"[{at}]") else part for at, part in enumerate(value)]
    return value


def test_texts_are_those_that_were_taken_out():
    assert texts(["a", {"x": ["b", 7, None, True, {"y": 1.5}]}]) == {"a", "b", "7", "1.5"}
