"""What must not travel of a credential, by laws; tests/features/test_auth.py has the spellings one by one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.errors import MalformedRequest
from penstock.wire.credentials import MOST, PARAMETERS, along, offered, stays, travels


def parameters(query, known):
    return offered(query, known), travels(query, known)


SIGNS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
SECRETS = st.text(SIGNS, min_size=20, max_size=60).map(str.encode)
OTHERS = st.lists(st.text(SIGNS, min_size=1, max_size=30).map(str.encode), max_size=3)
PLACE = b"authorization"


def only(secret):
    """Knows one token."""
    return lambda other: "ours" if other == secret else None


@given(SECRETS, OTHERS, st.sampled_from([b" ", b", ", b"; ", b'"', b"=", b":"]), st.integers(0, 3))
def test_a_token_stays_whatever_stands_around_it(secret, others, mark, at):
    words = [*others[:at], secret, *others[at:]]
    value = b"Scheme " + mark.join(words) + mark.strip()
    assert stays(PLACE, value, only(secret))


@given(SECRETS, st.text(SIGNS, max_size=9).map(str.encode))
def test_a_token_in_a_basic_credential_stays(secret, name):
    value = b"Basic " + base64.b64encode(name + b":" + secret)
    assert stays(PLACE, value, only(secret))


@given(SECRETS, SECRETS.filter(lambda other: not other.startswith(b"pst_")))
def test_the_key_of_a_provider_travels(secret, key):
    value = b"Bearer " + key
    if key != secret:  # whoever asks has looked the last word up
        assert not stays(PLACE, value, only(secret))


@given(
    SECRETS,
    st.sampled_from([b"%b", b"%b=1", b"x=Bearer+%b", b"a[]=%b,", b"x=https://x/?key=%b%%26a", b'x={"a":"%b"}']),
    st.booleans(),
)
def test_a_token_leaves_a_query_by_whatever_name_it_came(secret, form, encoded):
    spelt = b"".join(b"%%%02X" % sign for sign in secret) if encoded else secret
    assert parameters(b"?a=1&" + form % spelt + b"&b=2", only(secret)) == (None, b"?a=1&b=2")


@given(SECRETS, st.lists(st.sampled_from([b"v1", b"a%20b", b"x" * 40]), max_size=3), st.integers(0, 3))
def test_a_token_is_found_in_a_path_as_a_segment(secret, segments, at):
    whole = b"/" + b"/".join([*segments[:at], secret, *segments[at:]])
    assert along(whole, only(secret))
    assert not along(b"/" + b"/".join(segments), only(secret)) or secret in segments


QUERIES = st.lists(st.tuples(st.text(SIGNS, min_size=1, max_size=8), st.text(SIGNS, max_size=15)), max_size=4)


@given(QUERIES, SECRETS, st.integers(0, 4), st.sampled_from(sorted(PARAMETERS)))
def test_a_query_loses_our_token_and_nothing_else(pairs, secret, at, name):
    rest = [f"{key}x={value}".encode() for key, value in pairs if "pst_" not in f"{key}x{value}"]
    whole = b"?" + b"&".join([*rest[:at], name + b"=" + secret, *rest[at:]])
    assert parameters(whole, only(secret)) == ("ours", b"?" + b"&".join(rest) if rest else b"")
    if rest:
        assert parameters(b"?" + b"&".join(rest), only(secret)) == (None, None)


@pytest.mark.parametrize("mark", [b"&", b";"])
def test_no_query_has_so_many_parameters(mark):
    assert offered(b"?" + mark.join([b"a"] * MOST), only(b"")) is None
    with pytest.raises(MalformedRequest):
        offered(b"?" + mark.join([b"a"] * (MOST + 1)), only(b""))


def test_a_query_without_anything_like_a_credential_is_not_taken_apart():
    asked = list[bytes]()
    assert parameters(b"?" + b"&".join([b"model=m&page=%d" % at for at in range(400)]), asked.append) == (None, None)
    assert asked == []
