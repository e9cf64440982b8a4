"""Whose token came, and where."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.features.auth import NOBODY, TOKEN_PLACES, Auth, digest
from penstock.testing.exchange import an_exchange

OURS = b"pst_0123456789012345678901234567890123456789"
AUTH = Auth({hashlib.sha256(OURS).digest(): "one", hashlib.sha256(OURS + b"2").digest(): "two"})


def caller(*headers):
    return AUTH.identify(an_exchange(*headers))


@pytest.mark.parametrize("place", sorted(TOKEN_PLACES))
def test_a_token_is_recognised_wherever_a_client_puts_it(place):
    assert caller((place, OURS)) == ("one", {place})
    assert caller((place, b"Bearer " + OURS)) == ("one", {place})


def test_every_place_that_holds_one_is_told():
    found = caller((b"authorization", b"Bearer " + OURS), (b"x-api-key", OURS + b"2"), (b"api-key", b"theirs"))
    assert found == ("one", {b"authorization", b"x-api-key"})


@pytest.mark.parametrize(
    "value", [b"", b"Bearer", b"Bearer ", b" ", OURS[:-1], OURS.upper(), b"sk-theirs", OURS + b" x"]
)
def test_anything_else_is_nobodys(value):
    assert caller((b"authorization", value)) is NOBODY
    assert caller() is NOBODY
    assert caller((b"x-other", OURS)) is NOBODY


@given(
    st.sampled_from([b"", b"Bearer ", b"bearer\t", b"Token  ", b"Key ", b"Basic "]),
    st.from_regex(rb"[!-~]{1,60}", fullmatch=True),
)
def test_a_scheme_does_not_hide_a_token(scheme, token):
    assert digest(scheme + token) == digest(b"  " + scheme + token + b" ") == hashlib.sha256(token).digest()
