"""What gateways are compiled from, where the stored row is not as it should be."""

from penstock.control.custom_providers.compile_settings import customs
from penstock.control.custom_providers.headers import place
from penstock.core.sealing import Vault
from penstock.storage.custom_providers import CustomRow

MINE, ANOTHER = Vault(bytes(32)), Vault(b"x" * 32)


def a_row(vault, slug="mine", **settings):
    sealed = vault.seal("secret", *place("account", slug, "X-Org"))
    told = {"base_url": "https://a.example", "enable": True, "headers": {"X-Org": sealed}} | settings
    return CustomRow(slug, "account", slug, told, 1, 0, 0)


def test_headers_that_do_not_open_keep_their_provider_from_being_called_and_no_other(caplog):
    broken, whole = customs([a_row(ANOTHER), a_row(MINE, "whole")], MINE)
    assert "store them again" in broken.refusal
    assert broken.headers == ()
    assert (whole.refusal, whole.headers) == ("", ((b"x-org", b"secret"),))
    assert "secret" not in caplog.text
    assert "custom_providers/account/mine/x-org" in caplog.text
