"""The parent of several processes gives up where they cannot start; tests/e2e/test_worker_deaths.py does the rest."""

import socket

import pytest

from penstock.cli import supervise
from penstock.cli.handover import Handover
from penstock.cli.refused import Refused
from penstock.cli.supervise import Supervisor
from penstock.core.settings import Settings
from tests.kit.store import furnish


async def given_up(place, settings):
    """What it says in the end."""
    greeted = []
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(Refused) as caught:
        handover = Handover.of(settings, place.url, place.master_keys)
        await Supervisor(settings, handover, listener, lambda: greeted.append(True)).run()
    assert greeted == []
    return str(caught.value)


async def test_processes_that_die_as_they_start_again_and_again_end_the_start(tmp_path, caplog, capfd):
    place = await furnish(tmp_path, {}, [])
    settings = Settings(workers=1, providers={"nobody": "http://127.0.0.1:1"})
    said = await given_up(place, settings)
    assert "end as they start (status 1)" in said
    assert caplog.text.count("is started again") == supervise.TRIES - 1
    assert "providers.nobody" in capfd.readouterr().err


async def test_a_process_that_says_why_ends_the_start_at_once(tmp_path, caplog):
    place = await furnish(tmp_path, {}, [])
    said = await given_up(place, Settings(workers=2, redis_url="redis://127.0.0.1:1/0"))
    assert said.startswith("redis_url: Redis cannot be used")
    assert "is started again" not in caplog.text
