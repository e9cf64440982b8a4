import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.sealing import NotOpened, Vault

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))
PLACE = ("gateways", "an account", "my-gateway", "stripe.authorization")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
PLACES = st.lists(TEXTS, min_size=1, max_size=5).map(tuple)


@given(TEXTS, PLACES, st.binary(min_size=32, max_size=64))
def test_what_was_sealed_opens_at_its_place_and_nowhere_else(text, place, key):
    sealed = Vault(key).seal(text, *place)
    assert sealed.isascii()
    assert Vault(key).open(sealed, *place) == text  # by another vault of the same key: after a restart


@given(PLACES, PLACES)
def test_another_place_does_not_open_it(place, other):
    vault = Vault(KEY)
    sealed = vault.seal("secret", *place)
    if place != other:
        with pytest.raises(NotOpened, match="sealed elsewhere"):
            vault.open(sealed, *other)


def test_words_of_a_place_do_not_run_together():
    vault = Vault(KEY)
    with pytest.raises(NotOpened):
        vault.open(vault.seal("secret", "a", "bc"), "a", "b", "c")
    with pytest.raises(NotOpened):
        vault.open(vault.seal("secret", "a", "b", "c"), "a", "bc")


def test_another_key_does_not_open_it():
    sealed = Vault(KEY).seal("secret", *PLACE)
    with pytest.raises(NotOpened, match=r"gateways/an account/my-gateway/stripe\.authorization.*master key") as refused:
        Vault(os.urandom(32)).open(sealed, *PLACE)
    assert "secret" not in str(refused.value)


@given(TEXTS, PLACES)
def test_a_previous_key_opens_what_it_sealed_and_seals_nothing(text, place):
    both = Vault(OTHER, KEY)
    old, new = Vault(KEY).seal(text, *place), both.seal(text, *place)
    assert both.open(old, *place) == both.open(new, *place) == text
    assert Vault(OTHER).open(new, *place) == text
    assert Vault(OTHER).open(both.renewed(old, *place), *place) == text
    assert both.renewed(new, *place) == new
    with pytest.raises(NotOpened):
        both.renewed(Vault(bytes(32)).seal(text, *place), *place)


@given(st.data())
def test_a_damaged_text_does_not_open(data):
    vault = Vault(KEY)
    sealed = vault.seal("secret", *PLACE)
    at = data.draw(st.integers(0, len(sealed) - 1))
    put = data.draw(st.characters())
    damaged = sealed[:at] + put + sealed[at + 1 :]
    if damaged != sealed:
        with pytest.raises(NotOpened):
            vault.open(damaged, *PLACE)


@pytest.mark.parametrize("text", ["", "v1", "v1.", "v2.AAAA", "v1.AAAA", "secret", "v1.é", "v1." + "A" * 20])
def test_what_was_never_sealed_does_not_open(text):
    with pytest.raises(NotOpened):
        Vault(KEY).open(text, *PLACE)


def test_the_same_text_looks_different_each_time_and_shows_nothing():
    vault = Vault(KEY)
    sealed = {vault.seal("secret", *PLACE) for _ in range(100)}
    assert len(sealed) == 100
    assert not any("secret" in text for text in sealed)


def test_a_short_master_key_is_refused():
    with pytest.raises(ValueError, match="31 bytes; 32 are needed"):
        Vault(bytes(31))


def test_a_vault_that_nobody_asks_costs_no_import():
    program = (
        "import sys; from penstock.core.sealing import Vault; Vault(bytes(32)); print('cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
