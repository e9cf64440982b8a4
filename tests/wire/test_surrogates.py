import json

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.codec import decode
from penstock.wire.surrogates import replaced, without

PIECES = st.sampled_from(["\\\\", r"\ud83d", r"\uDE00", r"\ue000", r"\uE000", r"\u00e9", "d83d", "u", r"\n", "x"])
TEXTS = st.lists(PIECES).map(lambda pieces: '"{}"'.format("".join(pieces)).encode())


@given(TEXTS)
def test_what_stands_in_for_surrogates_can_be_read_and_turned_back(text):
    other = without(text)
    if other is None:
        assert b"\\ud" not in text.lower().replace(b"\\\\", b"")
        return
    body, back = other
    decode(body)
    assert back(body) == text


@given(TEXTS)
def test_only_what_lacks_its_other_half_is_replaced(text):
    assert decode(replaced(text)) == json_of(text)


def json_of(text):
    """As the standard library reads it, with U+FFFD for what is half a pair."""
    return "".join("\ufffd" if "\ud800" <= sign <= "\udfff" else sign for sign in json.loads(text))


def test_where_every_escape_is_taken_there_is_nothing_to_stand_in():
    assert without(rb"\ud800" + b"".join(b"\\u%c000" % digit for digit in b"abceABCE")) is None


def test_too_many_are_left_as_they_are():
    assert without(rb"\ud800" * 65_536) is not None
    assert without(rb"\ud800" * 65_537) is None


def test_without_surrogates_there_is_nothing_to_do():
    assert without(b"{}") is None
