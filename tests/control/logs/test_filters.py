"""What clients send as ``filters``, and what it means."""

import json
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.control.logs import filters
from penstock.core.errors import Invalid
from penstock.storage.log.columns import BY_KEY
from penstock.storage.log.filters import LATEST, Test

PROVIDER = Test("provider", "eq", ("openai",))
COST = Test("cost", "gt", (1_500_000_000,))
FAILED = Test("success", "eq", (False,))
BOTH = Test("provider", "eq", ("openai", "anthropic"))


def read(query):
    return filters.tests(parse_qsl(query, keep_blank_values=True))


@pytest.mark.parametrize(
    ("query", "tests"),
    [
        ("", ()),
        ("filters=[]", ()),
        ("page=2&provider=openai", ()),
        ('filters=[{"key":"provider","operator":"eq","value":["openai","anthropic"]}]', (BOTH,)),
        ('filters={"key":"provider","operator":"eq","value":"openai"}', (PROVIDER,)),
        # of the Python SDK, and of Go
        ("filters.key=provider&filters.operator=eq&filters.value=openai", (PROVIDER,)),
        ("filters.key=provider&filters.operator=eq&filters.value=openai&filters.value=anthropic", (BOTH,)),
        (
            (
                "filters.key=provider&filters.key=cost&filters.operator=eq&filters.operator=gt&"
                "filters.value=openai&filters.value=1.5"
            ),
            (PROVIDER, COST),
        ),
        # of the JavaScript SDK
        (
            (
                "filters.key=provider&filters.operator=eq&filters.value=openai&filters.value=anthropic"
                "&filters.key=cost&filters.operator=gt&filters.value=1.5"
                "&filters.key=success&filters.operator=eq&filters.value=false"
            ),
            (BOTH, COST, FAILED),
        ),
        # numbered
        (
            (
                "filters[1][key]=cost&filters[0][key]=provider&filters[0][operator]=eq&filters[0][value][]=openai"
                "&filters[0][value][]=anthropic&filters[1][value]=1.5&filters[1][operator]=gt"
            ),
            (BOTH, COST),
        ),
        ("filters.0.key=success&filters.0.operator=eq&filters.0.value=0", (FAILED,)),
    ],
)
def test_the_same_filters_in_every_form(query, tests):
    assert read(query) == tests


@pytest.mark.parametrize(
    ("query", "path", "said"),
    [
        ("filters=x", [], "not JSON"),
        ("filters=[1]", [0], "an object"),
        ('filters=[{"key":"cost","operator":"gt"}]', [0, "value"], "missing"),
        ('filters=[{"key":"cost","operator":"gt","value":[1],"or":1}]', [0], "'or'"),
        ('filters=[{"key":"colour","operator":"eq","value":["red"]}]', [0, "key"], "provider"),
        ('filters=[{"key":"metadata.","operator":"eq","value":["a"]}]', [0, "key"], "metadata.{name}"),
        ('filters=[{"key":["cost"],"operator":"eq","value":[1]}]', [0, "key"], "provider"),
        (
            'filters=[{"key":"cost","operator":"contains","value":[1]}]',
            [0, "operator"],
            "eq, neq, lt, gt, lte, gte",
        ),
        ('filters=[{"key":"success","operator":"gt","value":[true]}]', [0, "operator"], "eq, neq for success"),
        ('filters=[{"key":"cost","operator":"gt","value":[]}]', [0, "value"], "must have a value"),
        ('filters=[{"key":"cost","operator":"gt","value":[true]}]', [0, "value"], "a number for cost"),
        ('filters=[{"key":"cost","operator":"gt","value":["dear"]}]', [0, "value"], "a number"),
        ('filters=[{"key":"cost","operator":"gt","value":["nan"]}]', [0, "value"], "a number"),
        ('filters=[{"key":"model","operator":"eq","value":[{}]}]', [0, "value"], "text"),
        ('filters=[{"key":"cached","operator":"eq","value":["perhaps"]}]', [0, "value"], "true or false"),
        ('filters=[{"key":"created_at","operator":"gt","value":["yesterday"]}]', [0, "value"], "ISO 8601"),
        (
            (
                "filters.key=provider&filters.key=cost&filters.operator=eq&filters.operator=gt&filters.value=a"
                "&filters.value=1&filters.value=2"
            ),
            [],
            "ambiguous: 2 keys, 2 operators and 3 values",
        ),
        ("filters.key=a&filters.value=b", [], "0 of filters.operator"),
        ("filters.value=b", [], "0 of filters.key"),
        ("filters.value=b&filters.key=a&filters.operator=eq", [], "a key must come first"),
        ("filters.key=cost&filters=[]", [], "both"),
        ("filters.key=cost&filters[0][key]=cost", [], "with numbers and without"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_its_place(query, path, said):
    with pytest.raises(Invalid) as caught:
        read(query)
    assert list(caught.value.path) == ["query", "filters", *path]
    assert said in caught.value.message


@pytest.mark.parametrize("query", ["filters.colour=red", "filters[0]=1", "filters[x][key]=cost", "filters.="])
def test_no_part_of_a_filter_is_no_parameter(query):
    with pytest.raises(Invalid) as caught:
        read(query)
    assert list(caught.value.path) == ["query", query.partition("=")[0]]


def test_no_more_than_can_be_meant():
    one = {"key": "cost", "operator": "gt", "value": [1]}
    many = {**one, "value": [1] * (filters.MOST_VALUES + 1)}
    for given_ in ([one] * (filters.MOST + 1), [many]):
        with pytest.raises(Invalid, match="more than"):
            filters.tests([("filters", json.dumps(given_))])


@pytest.mark.parametrize(
    ("key", "value", "wire", "typed"),
    [
        ("success", "true", True, True),
        ("success", "0", False, False),
        ("model", "1.5", "1.5", "1.5"),
        ("model", "", "", ""),
        ("model_type", "null", None, "null"),
        ("model_type", "", None, ""),
        ("cost", "", None, ValueError),
        ("cost", "1e-9", 1, 1),
        ("cost", "1e999999", filters.FURTHEST, filters.FURTHEST),
        ("status_code", "99999", 32767, 32767),
        ("feedback", "0", -1, -1),
        ("metadata.user", "ann", "ann", "ann"),
        ("metadata.a.b", "null", None, "null"),
        ("created_at", "1970-01-01T00:00:01Z", 1000, 1000),
        ("created_at", "19700102", 86_400_000, 86_400_000),
        ("created_at", "1706659200000", 1_706_659_200_000, 1_706_659_200_000),
        ("created_at", "9" * 30, LATEST, LATEST),
    ],
)
def test_a_text_is_taken_for_what_its_key_holds(key, value, wire, typed):
    column = BY_KEY[key].name if key in BY_KEY else key
    query = f"filters.key={key}&filters.operator=eq&filters.value={value}"
    assert read(query) == (Test(column, "eq", (wire,)),)
    query = "filters=" + json.dumps({"key": key, "operator": "eq", "value": [value]})
    if typed is ValueError:
        with pytest.raises(Invalid):
            read(query)
    else:
        assert read(query) == (Test(column, "eq", (typed,)),)


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("success", True, True),
        ("success", 1, True),
        ("model", 4, "4"),
        ("model", True, "true"),
        ("model_type", None, None),
        ("created_at", 1000, 1000),
        ("cost", 0.1, 100_000_000),
        ("metadata.count", 1.5, "1.5"),
        ("metadata.count", 1e-7, "1e-7"),
        ("metadata.live", True, "true"),
        ("metadata.live", None, None),
    ],
)
def test_json_has_types(key, value, meant):
    query = "filters=" + json.dumps({"key": key, "operator": "eq", "value": [value]})
    assert read(query) == (Test(BY_KEY[key].name if key in BY_KEY else key, "eq", (meant,)),)


COMPARED = {"lt": lambda a, b: a < b, "gt": lambda a, b: a > b, "lte": lambda a, b: a <= b, "gte": lambda a, b: a >= b}


@given(
    st.sampled_from([*COMPARED]),
    st.decimals(-1000, 1000, places=3, allow_nan=False),
    st.integers(-10_000, 10_000),
    st.sampled_from([1, 10]),
)
def test_a_fraction_is_compared_as_it_is(operator, value, stored, unit):
    meant = filters.whole(operator, value, unit)
    assert COMPARED[operator](stored, meant) == COMPARED[operator](Decimal(stored), value * unit)


@given(st.decimals(-10, 10, places=1, allow_nan=False), st.integers(-100, 100))
def test_a_fraction_equals_no_whole_number(value, stored):
    assert (filters.whole("eq", value, 1) == stored) == (value == stored)
