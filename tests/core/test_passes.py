"""Passes: what is sealed into one, and what is none."""

import pytest

from penstock.core import passes
from penstock.core.sealing import Vault
from penstock.wire.headers import like_ours

HASH = bytes(range(32))
NOW = 1_790_000_000_000
OLD, NEW = b"o" * 32, b"n" * 32


def test_a_pass_is_good_for_five_minutes():
    made = passes.new(Vault(NEW), HASH, NOW)
    assert made.expires_at == NOW + 300_000
    assert passes.opened(Vault(NEW), made.text.encode(), NOW + 299_999) == HASH
    assert passes.opened(Vault(NEW), made.text.encode(), NOW + 300_000) is None


def test_a_pass_outlives_a_change_of_the_master_key():
    made = passes.new(Vault(OLD), HASH, NOW).text.encode()
    assert passes.opened(Vault(NEW, OLD), made, NOW) == HASH
    assert passes.opened(Vault(NEW), made, NOW) is None


@pytest.mark.parametrize(
    "secret",
    [
        b"pst_pass_",
        b"pst_pass_v1.",
        b"pst_pass_v1.AAAA",
        b"pst_pass_v1.\xff\xfe",
        b"pst_pass_v1." + b"A" * 140,
    ],
)
def test_what_was_not_made_as_a_pass_is_none(secret):
    assert passes.opened(Vault(NEW), secret, NOW) is None


def test_what_was_sealed_for_something_else_is_no_pass():
    sealed = Vault(NEW).seal(f"{HASH.hex()} {NOW + 1}", "session")
    assert passes.opened(Vault(NEW), f"pst_pass_{sealed}".encode(), NOW) is None


def test_a_pass_that_was_changed_is_none():
    made = bytearray(passes.new(Vault(NEW), HASH, NOW).text.encode())
    made[40] ^= 1
    assert passes.opened(Vault(NEW), bytes(made), NOW) is None


@pytest.mark.parametrize("around", [b"%s", b"Bearer %s", b"x%s", b"%%2d%s", b"a-%s,"])
def test_a_pass_is_told_from_what_is_not_ours_wherever_it_stands(around):
    assert like_ours(around % passes.new(Vault(NEW), HASH, NOW).text.encode())
