"""Metadata of a call, as its header carries it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.metadata import ENTRIES, KEY_LIMIT, VALUE_LIMIT, read

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
ENTRY = st.one_of(TEXT, st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
JSON = st.recursive(
    st.one_of(ENTRY, st.none()), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)


@given(st.dictionaries(TEXT, ENTRY, max_size=9))
def test_the_first_five_entries_are_kept_as_they_are_but_for_reserved_keys(given):
    stored, lost = read(json.dumps(given).encode())
    ours = {key: value for key, value in given.items() if not key.startswith("cf.")}
    kept = dict(list(ours.items())[:ENTRIES])
    assert (json.loads(stored) if stored else {}) == kept
    assert stored is None or list(json.loads(stored)) == list(kept)
    assert bool(lost) == (kept != given)


@given(st.dictionaries(TEXT, JSON, max_size=5))
def test_one_value_that_is_none_of_these_loses_the_whole(given):
    whole = {key: value for key, value in given.items() if not key.startswith("cf.")}
    stored, lost = read(json.dumps(given).encode())
    if any(value is None or isinstance(value, dict | list) for value in whole.values()):
        assert stored is None
        assert "ignored" in lost[-1]


@given(st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())))
def test_no_bytes_make_it_stumble_and_what_is_stored_is_flat_json(value):
    stored, lost = read(value)
    assert stored is not None or lost or json.loads(value) == {}
    if stored is not None:
        assert 0 < len(json.loads(stored)) <= ENTRIES
        assert all(isinstance(entry, str | int | float | bool) for entry in json.loads(stored).values())


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ('{"user":"zoë","n":1,"ok":true,"x":1.5e-7}', '{"user":"zoë","n":1,"ok":true,"x":1.5e-7}'),
        ('{"cf.user_id":"me","a":"b"}', '{"a":"b"}'),
        ('{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}', '{"a":1,"b":2,"c":3,"d":4,"e":5}'),
        ('{"cf.x":0,"a":1,"b":2,"c":3,"d":4,"e":5}', '{"a":1,"b":2,"c":3,"d":4,"e":5}'),
        ('{"a":1,"b":null}', None),
        ('{"a":1,"b":{}}', None),
        ('{"a":1,"b":[]}', None),
        ('["a"]', None),
        ('"a"', None),
        ("{a:1}", None),
        ("", None),
        ("[" * 5000, None),
        ('{"a":1e999}', None),
    ],
)
def test_the_rules_one_by_one(value, stored):
    found, lost = read(value.encode())
    assert found == stored
    assert bool(lost) == (stored != value)


def test_text_that_is_not_utf8_is_refused():
    assert read('{"user":"zoë"}'.encode("latin-1")) == (None, ["ignored: it is not JSON in UTF-8"])


def test_what_is_too_long_is_left_out_alone():
    stored, lost = read(json.dumps({"k" * (KEY_LIMIT + 1): 1, "long": "v" * (VALUE_LIMIT + 1), "a": 1}).encode())
    assert stored == '{"a":1}'
    assert [str(limit) in line for limit, line in zip((KEY_LIMIT, VALUE_LIMIT), lost, strict=True)] == [True, True]
    fits = {"k" * KEY_LIMIT: "v" * VALUE_LIMIT}
    assert read(json.dumps(fits).encode()) == (json.dumps(fits, separators=(",", ":")), [])
