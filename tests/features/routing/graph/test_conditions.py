"""Conditions agree with a plain model of their language; what is malformed is refused with its path."""

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.features.routing.graph.conditions import compile_condition
from penstock.features.routing.graph.fields import Facts, Fields
from penstock.features.routing.graph.given import Given
from penstock.model.graph import GraphFault

MISSING = object()


def holds(condition, body=None, headers=None, metadata=None):
    test = compile_condition(Given(condition, ("at",)), Fields())
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return test(Facts(headers or {}, body, None if metadata is None else json.dumps(metadata)))


BODY = {
    "model": "dynamic/plan",
    "stream": True,
    "n": 2,
    "temperature": 0.5,
    "user": None,
    "stop": ["END", 4],
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text"}]}],
    "tools": {"0": {"name": "find"}},
    "naïve": "ja",
}


@pytest.mark.parametrize(
    ("field", "said", "expected"),
    [
        ("body.model", "dynamic/plan", True),
        ("body.model", {"$eq": "dynamic"}, False),
        ("body.n", 2, True),
        ("body.n", 2.0, True),
        ("body.n", "2", False),
        ("body.n", {"$gt": 1, "$lte": 2}, True),
        ("body.n", {"$gt": "1"}, False),
        ("body.temperature", {"$lt": 1}, True),
        ("body.stream", True, True),
        ("body.stream", 1, False),
        ("body.n", {"$in": [1, 2]}, True),
        ("body.n", {"$in": [True, "2"]}, False),
        ("body.n", {"$nin": [1, 3]}, True),
        ("body.user", None, True),
        ("body.user", {"$exists": True}, True),
        ("body.absent", None, False),
        ("body.absent", "x", False),
        ("body.absent", {"$ne": "x"}, True),
        ("body.absent", {"$nin": ["x"]}, True),
        ("body.absent", {"$in": [None]}, False),
        ("body.absent", {"$exists": False}, True),
        ("body.absent", {"$gt": 0}, False),
        ("body.absent", {"$regex": ""}, False),
        ("body.absent", {"$contains": ""}, False),
        ("body.absent", {"$not": {"$eq": "x"}}, True),
        ("body.messages.0.role", "system", True),
        ("body.messages.1.content.0.type", "text", True),
        ("body.messages.2.role", {"$exists": False}, True),
        ("body.messages", {"$exists": True}, True),
        ("body.tools", {"$exists": True}, True),
        ("body.tools", {"$ne": "x"}, True),
        ("body.tools.0.name", "find", True),
        ("body.model.0", {"$exists": False}, True),
        ("body.naïve", "ja", True),
        ("body.stop", {"$contains": "END"}, True),
        ("body.stop", {"$contains": 4}, True),
        ("body.stop", {"$contains": "4"}, False),
        ("body.messages", {"$contains": "user"}, False),
        ("body.messages.0.content", {"$contains": "brief"}, True),
        ("body.messages.0.content", {"$startsWith": "Be ", "$endsWith": "."}, True),
        ("body.messages.0.content", {"$endsWith": "Be"}, False),
        ("body.model", {"$regex": "^dynamic/p.*n$"}, True),
        ("body.model", {"$regex": "(?i)PLAN"}, True),
        ("body.model", {"$regex": "^plan"}, False),
        ("body.n", {"$regex": "2"}, False),
        ("body.model", {"$gte": "dynamic/a", "$lt": "dynamic/q"}, True),
    ],
)
def test_a_field_of_the_body(field, said, expected):
    assert holds({field: said}, BODY) is expected


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[1", b'"text"', b"\xff", b'{"a": \xff}', b"[" * 5000, b"null"])
def test_a_body_without_the_field_has_none_whatever_it_is(body):
    assert holds({"body.a.b": {"$exists": False}, "body.a": {"$exists": False}}, body)


def test_escapes_repetitions_and_spaces_of_a_body_are_read_as_json():
    assert holds({"body.a.0": "é", "body.b": 2}, b' {"\\u0061" : [ "\\u00e9" ], "b": 1, "b": 2} ')


def test_headers_have_any_case_and_are_text():
    headers = {b"x-team": b"Red", b"x-level": b"3"}
    assert holds({"headers.X-Team": "Red", "headers.x-level": {"$ne": 3}}, headers=headers)
    assert holds({"headers.x-team": {"$ne": "red"}, "headers.x-other": {"$exists": False}}, headers=headers)


def test_metadata_keys_may_have_dots():
    assert holds({"metadata.user.plan": "free", "metadata.n": 3}, metadata={"user.plan": "free", "n": 3})
    assert holds({"metadata.plan": {"$exists": False}})


def test_cf_is_what_the_edge_says():
    headers = {b"cf-ipcountry": b"DE", b"cf-access-authenticated-user-email": b"a@example.com"}
    assert holds({"cf.country": {"$in": ["DE", "AT"]}, "cf.user": {"$endsWith": "@example.com"}}, headers=headers)


YES, NO = {"metadata.a": 1}, {"metadata.a": 2}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"$and": [YES, YES]}, True),
        ({"$and": [YES, NO]}, False),
        ({"$or": [NO, YES]}, True),
        ({"$or": [NO, NO]}, False),
        ({"$nor": [NO, NO]}, True),
        ({"$nor": [NO, YES]}, False),
        ({"$not": NO}, True),
        ({"$not": YES}, False),
        ({"$or": [NO], "metadata.a": 1}, False),
        ({"$or": [{"$and": [YES, {"$not": NO}]}, NO]}, True),
        ({"metadata.a": {"$not": {"$not": {"$eq": 1, "$lt": 2}}}}, True),
    ],
)
def test_conditions_are_joined(condition, expected):
    assert holds(condition, metadata={"a": 1}) is expected


FIELD = "metadata.a"
DEEP = YES
for _ in range(16):
    DEEP = {"$not": DEEP}


@pytest.mark.parametrize(
    ("condition", "path", "message"),
    [
        ({}, (), "at least one field"),
        ([], (), "must be an object"),
        ("x", (), "must be an object"),
        ({"plan": 1}, ("plan",), "must name a field: metadata.<key>"),
        ({"metadata": {"plan": 1}}, ("metadata",), "must name a field"),
        ({"cf.city": 1}, ("cf.city",), "cf.country"),
        ({"body": 1}, ("body",), "must name a field"),
        ({"body.a..b": 1}, ("body.a..b",), "at most 8"),
        ({"body.1.2.3.4.5.6.7.8.9": 1}, ("body.1.2.3.4.5.6.7.8.9",), "at most 8"),
        ({'body.a"': 1}, ('body.a"',), "without"),
        ({"body.a\\": 1}, ("body.a\\",), "without"),
        ({"body.a\n": 1}, ("body.a\n",), "without"),
        ({"$xor": [YES]}, ("$xor",), "$and, $or, $nor"),
        ({"$eq": 1}, ("$eq",), "no operator that joins"),
        ({"$and": {}}, ("$and",), "must be a list"),
        ({"$or": []}, ("$or",), "must be a list"),
        ({"$or": [YES, 1]}, ("$or", 1), "must be an object"),
        ({"$not": 1}, ("$not",), "must be an object"),
        ({FIELD: {}}, (FIELD,), "at least one operator"),
        ({FIELD: {"eq": 1}}, (FIELD, "eq"), "no operator"),
        ({FIELD: {"$eq": [1]}}, (FIELD, "$eq"), "a text, a number"),
        ({FIELD: [1]}, (FIELD,), "a text, a number"),
        ({FIELD: {"$in": 1}}, (FIELD, "$in"), "must be a list"),
        ({FIELD: {"$nin": [1, {}]}}, (FIELD, "$nin", 1), "a text, a number"),
        ({FIELD: {"$gt": None}}, (FIELD, "$gt"), "a number or a text"),
        ({FIELD: {"$lt": True}}, (FIELD, "$lt"), "a number or a text"),
        ({FIELD: {"$exists": 1}}, (FIELD, "$exists"), "true or false"),
        ({FIELD: {"$contains": []}}, (FIELD, "$contains"), "a text, a number"),
        ({FIELD: {"$startsWith": 1}}, (FIELD, "$startsWith"), "must be a text"),
        ({FIELD: {"$endsWith": 1}}, (FIELD, "$endsWith"), "must be a text"),
        ({FIELD: {"$regex": 1}}, (FIELD, "$regex"), "must be a text"),
        ({FIELD: {"$regex": "("}}, (FIELD, "$regex"), "missing )"),
        ({FIELD: {"$regex": "(?=a)"}}, (FIELD, "$regex"), "RE2"),
        ({FIELD: {"$regex": "a{1000}" * 1000}}, (FIELD, "$regex"), "too large"),
        ({FIELD: {"$not": 1}}, (FIELD, "$not"), "object of operators"),
        ({"$and": [DEEP]}, ("$and", 0, *["$not"] * 15), "16 conditions deep"),
        ({"$or": [{FIELD: {"$regex": "a"}}] * 11}, ("$or", 10, FIELD, "$regex"), "10"),
        ({"$or": [YES] * 60, "$and": [YES] * 41}, ("$and", 40, FIELD), "100"),
    ],
)
def test_a_malformed_condition_is_refused_with_its_path(condition, path, message):
    with pytest.raises(GraphFault) as caught:
        holds(condition)
    assert caught.value.path == ("at", *path)
    assert message in caught.value.message


# ---- a plain model of the language

NAMES = ["a", "b", "c"]
SCALARS = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 2.0]) | st.sampled_from(["", "a", "ab"])
)
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from(NAMES), v))
BOUNDS = st.integers(-2, 2) | st.sampled_from(["", "a", "ab"])
TEXTS = st.sampled_from(["", "a", "b", "ab"])
OPERATORS = {
    "$eq": SCALARS,
    "$ne": SCALARS,
    "$gt": BOUNDS,
    "$gte": BOUNDS,
    "$lt": BOUNDS,
    "$lte": BOUNDS,
    "$in": st.lists(SCALARS, min_size=1, max_size=3),
    "$nin": st.lists(SCALARS, min_size=1, max_size=3),
    "$exists": st.booleans(),
    "$regex": st.sampled_from(["^a", "b$", "^$", "."]),
    "$contains": SCALARS,
    "$startsWith": TEXTS,
    "$endsWith": TEXTS,
}
SAID = SCALARS | st.fixed_dictionaries({}, optional=OPERATORS).filter(bool)
SAID |= st.builds(lambda said: {"$not": said if isinstance(said, dict) else {"$eq": said}}, SAID)
PATHS = st.lists(st.sampled_from([*NAMES, "0", "1"]), min_size=1, max_size=3).map(".".join)
CONDITIONS = st.recursive(
    st.dictionaries(PATHS.map("body.".__add__), SAID, min_size=1, max_size=3),
    lambda inner: (
        st.builds(
            lambda name, of: {name: of},
            st.sampled_from(["$and", "$or", "$nor"]),
            st.lists(inner, min_size=1, max_size=3),
        )
        | st.builds(lambda of: {"$not": of}, inner)
    ),
    max_leaves=5,
)


def same(a, b):
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def comparable(a, b):
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (a, b))
    return numbers or (isinstance(a, str) and isinstance(b, str))


def says(value, said):
    if not isinstance(said, dict):
        said = {"$eq": said}
    for name, of in said.items():
        match name:
            case "$eq":
                ok = same(value, of)
            case "$ne":
                ok = not same(value, of)
            case "$gt":
                ok = comparable(value, of) and value > of
            case "$gte":
                ok = comparable(value, of) and value >= of
            case "$lt":
                ok = comparable(value, of) and value < of
            case "$lte":
                ok = comparable(value, of) and value <= of
            case "$in":
                ok = any(same(value, one) for one in of)
            case "$nin":
                ok = not any(same(value, one) for one in of)
            case "$exists":
                ok = (value is not MISSING) == of
            case "$regex":
                ok = isinstance(value, str) and re.search(of, value) is not None
            case "$contains" if isinstance(value, list):
                ok = any(same(one, of) for one in value)
            case "$contains":
                ok = isinstance(value, str) and isinstance(of, str) and of in value
            case "$startsWith":
                ok = isinstance(value, str) and value.startswith(of)
            case "$endsWith":
                ok = isinstance(value, str) and value.endswith(of)
            case "$not":
                ok = not says(value, of)
            case _:
                raise AssertionError(name)
        if not ok:
            return False
    return True


def find(body, path):
    for name in path.split(".")[1:]:
        if isinstance(body, list) and name.isdigit() and int(name) < len(body):
            body = body[int(name)]
        elif isinstance(body, dict) and name in body:
            body = body[name]
        else:
            return MISSING
    return body


def agrees(condition, body):
    for name, of in condition.items():
        match name:
            case "$and":
                ok = all(agrees(each, body) for each in of)
            case "$or":
                ok = any(agrees(each, body) for each in of)
            case "$nor":
                ok = not any(agrees(each, body) for each in of)
            case "$not":
                ok = not agrees(of, body)
            case _:
                ok = says(find(body, name), of)
        if not ok:
            return False
    return True


@given(CONDITIONS, VALUES)
def test_conditions_agree_with_a_plain_model(condition, body):
    assert holds(condition, body) is agrees(condition, body)


ONES = [None, True, False, -1, 0, 1, 2, 0.5, 1.0, "", "a", "b", "ab", "1"]
SEVERAL = [[], {}, {"a": 1}, [1], ["a", "b"], [True, None], [[1]], ["ab", 0]]


@pytest.mark.parametrize("name", OPERATORS)
def test_each_operator_agrees_with_the_plain_model_on_all_pairs(name):
    match name:
        case "$exists":
            operands = [True, False]
        case "$in" | "$nin":
            operands = [[one] for one in ONES] + [[one, other] for one in ONES for other in ("a", 1, True)]
        case "$gt" | "$gte" | "$lt" | "$lte":
            operands = [one for one in ONES if comparable(one, 0) or comparable(one, "")]
        case "$regex" | "$startsWith" | "$endsWith":
            operands = ["", "a", "b", "ab"]
        case _:
            operands = ONES
    for operand in operands:
        test = compile_condition(Given({"body.a": {name: operand}}, ()), Fields())
        for body in ({}, *({"a": value} for value in ONES + SEVERAL)):
            found = test(Facts({}, json.dumps(body).encode()))
            assert found is says(body.get("a", MISSING), {name: operand}), (body, operand)


# ---- what a peer chooses is bounded


def test_a_body_costs_no_more_than_its_size():
    test = compile_condition(
        Given({"body.list.99": 1, "body.a.b.c": {"$ne": 1}, "body.list": {"$exists": True}}, ()), Fields()
    )
    million = b"[" + b"0," * 500_000 + b"0]"
    body = b'{"list": %b, "a": {"b": %b}}' % (million, b'{"c": %b}' % million)
    began = time.process_time()
    for _ in range(10):
        test(Facts({}, body))
    assert (time.process_time() - began) / 10 < 0.2


@pytest.mark.parametrize("pattern", ["(x+x+)+y", "(a|b|c|d|e|f|g|h).{20}(x|y)zzz9", "(.*)*(.*)*(.*)*!"])
def test_a_pattern_takes_linear_time(pattern):
    test = compile_condition(Given({"body.a": {"$regex": pattern}}, ()), Fields())
    body = json.dumps({"a": "abcdefghx" * 100_000}).encode()
    began = time.process_time()
    assert not test(Facts({}, body))
    assert time.process_time() - began < 0.5
