"""What a worker process is given is what the parent has."""

from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from penstock.cli.handover import Handover
from penstock.core import codec
from penstock.core.settings import SETTINGS, Settings
from penstock.core.settings_sections import OidcGrant

EVERYTHING = Settings(
    host="::",
    port=0,
    data_dir=Path("~/not expanded again"),
    config=Path("/etc/penstock.toml"),
    workers=64,
    role="proxy",
    public_url="http://127.0.0.1:0",
    database_url="postgresql://u:secret@h/d",
    master_key="ab" * 32,
    master_key_previous="cd" * 32,
    allowed_networks=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
    trusted_proxies=(ip_network("127.0.0.1"),),
    cors_origins=("*",),
    max_body=12_345_679,
    head_timeout=1 / 3,
    access_log=True,
    prices_file="/etc/prices.toml",
    prices="[[prices]]",
    providers={"openai": "http://127.0.0.1:1/v1"},
    provider_keys={"openai": "sk"},
    markups=(("openai", "*", 12.5),),
    oidc_grants=(OidcGrant("groups", "ops", ("AI Gateway Read",), None), OidcGrant("sub", "*", ("run",), ("main",))),
)


@pytest.mark.parametrize("settings", [Settings(), EVERYTHING], ids=["defaults", "everything"])
def test_the_settings_travel_whole(settings):
    made = Handover.of(settings, "postgresql://u:secret@h/d", (bytes(32), b"1" * 32))
    told = codec.unpacker(Handover).decode(codec.pack(made))
    assert told.read() == settings
    assert (told.url, told.master_keys, told.first) == ("postgresql://u:secret@h/d", (bytes(32), b"1" * 32), True)
    tables = {field.name for field in fields(Settings)} - {row.name for row in SETTINGS}
    assert settings == Settings() or all(getattr(settings, name) for name in tables)  # so that all of them travel
    for row in SETTINGS:
        assert type(getattr(told.read(), row.name)) is type(getattr(settings, row.name))
