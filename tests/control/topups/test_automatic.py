"""Automatic top-ups: when credit is below the threshold, one at a time, again later after a failure, and in the end no
more.
"""

import asyncio

import msgspec
import pytest
import pytest_asyncio

from penstock.control.topups import automatic
from penstock.control.topups.automatic import look
from penstock.core import ids, instants
from penstock.storage import ledger, topups
from penstock.storage.engine import within
from penstock.storage.ledger import ADJUSTMENT, ADJUSTMENTS, CREDIT, Entry
from tests.control.topups.conftest import CENT, paying
from tests.kit.client import until
from tests.kit.databases import KINDS, database_of
from tests.kit.store import ACCOUNT
from tests.kit.stripe import DECLINED

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = "/billing/topup/config"


@pytest_asyncio.fixture(params=KINDS, loop_scope="module")
async def api(request, tmp_path, monkeypatch):
    """A server that looks when the test says so, with a card that is saved and $10 of credit."""
    monkeypatch.setattr(automatic, "EVERY", 3600.0)
    with database_of(request.param, tmp_path) as url:
        async with paying(database_url=url) as made:
            await made.saved()
            yield made


async def spend(api, cents):
    nano = cents * CENT
    entry = Entry(ids.new(), ACCOUNT, ADJUSTMENT, instants.now(), None, None, ((CREDIT, -nano), (ADJUSTMENTS, nano)))
    async with api.database.writing() as connection:
        await within(connection, lambda sql: ledger.post(sql, [entry]))


async def change(api, **fields):
    """Of the one who pays, without the API."""
    async with api.database.writing() as connection:
        payer = await topups.payer(connection, ACCOUNT)
        await topups.set_payer(connection, msgspec.structs.replace(payer, **fields))


async def payer(api):
    async with api.database.reading() as connection:
        return await topups.payer(connection, ACCOUNT)


def control(api):
    return api.house.server.app.control


async def configured(api, amount=2000, threshold=500):
    await api.done("POST", CONFIG, {"amount": amount, "threshold": threshold})


async def test_credit_below_the_threshold_is_topped_up_once_until_it_is_again(api):
    await configured(api)
    await look(control(api))
    assert await api.credit() == 1000
    await spend(api, 500)
    await look(control(api))
    assert await api.credit() == 500  # not below
    await spend(api, 1)
    await asyncio.gather(*(look(control(api)) for _ in range(5)))
    assert await api.credit() == 2499
    assert api.stripe.charged == [1000, 2000]
    first = (await api.topups())[0]
    assert (first["origin"], first["state"], first["created_by"]) == ("auto", "completed", "automatic top-up")
    assert api.stripe.asked[-1][2]["off_session"] == "true"


async def test_a_charge_whose_answer_is_lost_is_made_once(api):
    await configured(api)
    await spend(api, 900)
    api.stripe.lost = 1
    await look(control(api))
    assert (await api.done("GET", CONFIG))["error"] == "the payment service does not answer"
    assert [row["state"] for row in await api.topups()] == ["pending", "completed"]
    await look(control(api))  # not due yet
    assert await api.credit() == 100
    await change(api, due_at=0)
    await look(control(api))
    assert await api.credit() == 2100
    assert api.stripe.charged == [1000, 2000]
    assert "error" not in await api.done("GET", CONFIG)


async def test_after_failures_it_waits_longer_each_time_and_then_gives_up(api):
    await configured(api)
    await spend(api, 900)
    await change(api, means=DECLINED)
    waits = []
    for _ in range(len(automatic.WAITS)):
        await change(api, due_at=0)
        before = instants.now()
        await look(control(api))
        waits.append((await payer(api)).due_at - before)
    assert all(least <= wait < least + 60_000 for wait, least in zip(waits, automatic.WAITS, strict=True))
    told = await api.done("GET", CONFIG)
    assert told["error"] == "Your card was declined."
    assert told["lastFailedAt"] <= instants.now()
    assert "disabledReason" not in told
    await change(api, due_at=0)
    await look(control(api))
    told = await api.done("GET", CONFIG)
    assert told["disabledReason"] == "5 automatic top-ups in a row failed; set the configuration again"
    await change(api, due_at=0)
    await look(control(api))
    assert [row["state"] for row in await api.topups()] == ["failed"] * 5 + ["completed"]
    assert await api.credit() == 100
    await change(api, means="pm_card_visa")
    await configured(api)  # begins anew
    await look(control(api))
    assert await api.credit() == 2100


async def test_what_is_not_wanted_any_more_charges_nothing(api):
    await configured(api)
    await spend(api, 900)
    await api.done("DELETE", CONFIG)
    await look(control(api))
    assert api.stripe.charged == [1000]


async def test_a_server_looks_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(automatic, "EVERY", 0.02)
    async with paying() as made:
        await made.saved()
        await configured(made, threshold=2000)
        await until(lambda: made.stripe.charged == [1000, 2000])


async def test_by_hand_it_makes_one_topup_that_waits_and_says_so(monkeypatch):
    monkeypatch.setattr(automatic, "EVERY", 3600.0)
    async with paying(payments="manual") as made:
        await configured(made)
        for _ in range(3):
            await change(made, due_at=0)
            await look(control(made))
        (row,) = await made.topups()
        assert (row["origin"], row["state"], row["amount"]) == ("auto", "pending", 2000)
        told = await made.done("GET", CONFIG)
        assert told["error"] == f"top-up {row['id']} waits until an operator marks it paid"
        await made.done("POST", f"/billing/topups/{row['id']}/paid")
        await change(made, due_at=0)
        await look(control(made))
        assert len(await made.topups()) == 1
