"""What a link that signs in once carries."""

import re

import pytest

from penstock.control.sessions import link
from penstock.core.sealing import Vault

ACCOUNT, TOKEN = "a" * 32, "b" * 32
OLD, NEW = b"o" * 32, b"n" * 32
NOW = 1_790_000_000_000


def test_a_link_is_good_for_an_hour_and_no_two_are_of_one_session():
    first, second = [link.new(Vault(NEW), ACCOUNT, TOKEN, NOW) for _ in range(2)]
    found = link.opened(Vault(NEW), first, NOW + 3_599_999)
    assert found is not None
    assert found[:2] == (ACCOUNT, TOKEN)
    assert re.fullmatch(r"[0-9a-f]{32}", found.session)
    assert found != link.opened(Vault(NEW), second, NOW)
    assert link.opened(Vault(NEW), first, NOW + 3_600_000) is None


def test_a_link_can_be_pasted_as_it_stands():
    text = link.new(Vault(NEW), ACCOUNT, TOKEN, NOW)
    assert re.fullmatch(
        r"https://ai\.example\.com/ui/sign-in\?once=v1\.[\w-]+", link.address("https://ai.example.com", text)
    )


def test_a_link_outlives_a_change_of_the_master_key():
    text = link.new(Vault(OLD), ACCOUNT, TOKEN, NOW)
    assert link.opened(Vault(NEW, OLD), text, NOW)
    assert link.opened(Vault(NEW), text, NOW) is None


@pytest.mark.parametrize("text", ["", "v1.", "v1.AAAA", "v1.%00", "v1.\u00e9" * 9, "x" * 5000])
def test_what_was_not_made_here_is_no_link(text):
    assert link.opened(Vault(NEW), text, NOW) is None
