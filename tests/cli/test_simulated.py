"""Simulated providers beside a server: there for the block, and gone with it."""

import urllib.request
from ipaddress import ip_network

import psutil

from penstock.cli.simulated import simulated
from penstock.core.settings import Settings
from penstock.providers import catalog


def mocks():
    return [one for one in psutil.Process().children() if "penstock.mock" in one.cmdline()]


def test_where_they_are_not_asked_for_nothing_is_started():
    settings = Settings()
    with simulated(settings, on=False) as given:
        assert given is settings
        assert mocks() == []


def test_every_provider_points_at_them_but_the_overridden_ones():
    chosen = {"openai": "http://127.0.0.1:1/v1"}
    with simulated(Settings(providers=chosen), on=True) as given:
        assert given.providers["openai"] == chosen["openai"]
        assert given.providers.keys() == {row.id for row in catalog.load().values()}
        origin = given.providers["anthropic"].rpartition("/")[0]
        with urllib.request.urlopen(f"{origin}/anthropic/v1/models") as answer:
            assert answer.status == 200
        (process,) = mocks()
    assert not process.is_running()


def test_beside_them_addresses_of_this_machine_may_be_set():
    private = ip_network("10.0.0.0/8")
    with simulated(Settings(allowed_networks=(private,)), on=True) as given:
        assert given.allowed_networks == (private, ip_network("127.0.0.0/8"), ip_network("::1/128"))
