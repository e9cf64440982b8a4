"""A log id that is young is waited for, whichever process holds its row; an old one is not."""

import asyncio
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.control.logs import service
from penstock.control.logs.service import FLUSH, HORIZON, LONGEST, patience
from penstock.core import ids, instants
from tests.kit.logsink import a_record

YEAR = 366 * 24 * 3600 * 1000


def share(world):
    """From now on other processes write to the same log."""
    state = world.app.state
    state.control = dataclasses.replace(state.control, shared=True)


def aged(seconds):
    """An id that was made so long ago."""
    return ids.new(lambda: int((instants.now() - seconds * 1000) * 1_000_000))


@pytest.mark.parametrize("path", ["", "/request", "/response"])
async def test_the_row_of_another_process_is_waited_for(world, path):
    share(world)
    record = a_record(gateway=world.number)
    asked = asyncio.ensure_future(world.get(f"/{ids.text(record.id)}{path}"))
    await asyncio.sleep(3 * service.LOOK)
    assert not asked.done()
    world.write(record)
    assert (await asked).status_code == 200


async def test_the_row_of_a_call_that_took_long_is_waited_for_a_moment(world):
    share(world)
    record = a_record(id=aged(60), gateway=world.number)
    asked = asyncio.ensure_future(world.get(f"/{ids.text(record.id)}"))
    await asyncio.sleep(service.LOOK)
    world.write(record)
    assert (await asked).status_code == 200


async def test_an_id_that_never_comes_is_not_found_when_its_time_is_over(world):
    share(world)
    assert (await world.get(f"/{ids.text(aged(HORIZON - 0.2))}")).status_code == 404


async def test_a_process_that_is_alone_looks_once(world):
    asked = asyncio.ensure_future(world.get(f"/{ids.text(ids.new())}"))
    await asyncio.sleep(0)
    async with asyncio.timeout(HORIZON / 2):
        assert (await asked).status_code == 404


NOW = 1_800_000_000_000


@pytest.mark.parametrize(("age", "wait"), [
    (0.0, HORIZON), (1.0, HORIZON - 1.0), (HORIZON, FLUSH), (600.0, FLUSH), (LONGEST, FLUSH), (LONGEST + 1, 0.0),
    (-1.0, HORIZON), (-60.0, 0.0),
])  # fmt: skip
def test_how_long_is_waited_depends_on_the_age_that_the_id_tells(age, wait):
    assert patience(int(NOW - age * 1000), NOW) == pytest.approx(wait)


@given(st.integers(0, 2**48 - 1))
def test_no_id_is_waited_for_longer_than_the_horizon(made):
    assert 0 <= patience(made, NOW) <= HORIZON
    assert patience(made, NOW) == 0 or abs(made - NOW) < YEAR
