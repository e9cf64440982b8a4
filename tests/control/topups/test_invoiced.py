"""A top-up that Stripe has paid gets one invoice there, in the background, whatever fails on the way."""

import asyncio

import msgspec
import pytest
import pytest_asyncio

from penstock.control.topups import invoiced
from penstock.control.topups.invoiced import WAITS, look
from penstock.core import ids, instants
from penstock.storage import topups
from tests.control.topups.conftest import paying
from tests.kit.client import until
from tests.kit.databases import KINDS, database_of
from tests.kit.store import ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(params=KINDS, loop_scope="module")
async def api(request, tmp_path):
    """On either database, each time."""
    with database_of(request.param, tmp_path) as url:
        async with paying(database_url=url) as made:
            yield made


def control(api):
    return api.house.server.app.control


async def row(api):
    (told,) = await api.topups()
    async with api.database.reading() as connection:
        found = await topups.get(connection, ACCOUNT, ids.parse(told["id"]))
    assert found is not None
    return found


async def due(api):
    """The next try is due now."""
    found = await row(api)
    async with api.database.writing() as connection:
        await topups.change(connection, msgspec.structs.replace(found, invoice_due=0))


@pytest.mark.parametrize("forgets", [False, True], ids=["keys-kept", "keys-forgotten"])
async def test_one_invoice_is_made_though_the_webhook_comes_three_times_and_every_try_but_the_last_fails(api, forgets):
    intent = api.stripe.pay(await api.topup(2500))
    for _ in range(3):
        assert await api.tell("payment_intent.succeeded", intent) == 200
        assert await api.credit() == 2500
        api.stripe.down = True
        await look(control(api))
        api.stripe.down = False
    assert api.stripe.invoices == {}
    for _ in range(4):  # the answer to each of the writes is lost once
        assert (await api.topups())[0]["invoice_id"] is None
        await due(api)
        api.stripe.lost = 1
        await look(control(api))
        assert api.stripe.lost == 0
        if forgets:
            api.stripe.keys.clear()
    await due(api)
    await asyncio.gather(*(look(control(api)) for _ in range(3)))
    (invoice,) = api.stripe.invoices.values()
    (item,) = api.stripe.items
    (told,) = await api.topups()
    assert (invoice["status"], invoice["amount_paid"], invoice["auto_advance"]) == ("paid", 2500, False)
    assert invoice["metadata"]["penstock_topup"] == told["id"]
    assert (item["amount"], item["currency"], item["invoice"]) == ("2500", "usd", invoice["id"])
    assert api.stripe.charged == [2500]
    shown = invoice["hosted_invoice_url"]
    assert (told["invoice_id"], told["hosted_invoice_url"]) == (invoice["id"], shown)
    assert told["invoice_pdf"] == invoice["invoice_pdf"]
    (bill,) = (await api.done("GET", "/billing/invoice-history", None))["invoices"]
    assert bill["hosted_invoice_url"] == shown
    asked = len(api.stripe.asked)
    assert await api.tell("payment_intent.succeeded", intent) == 200
    await look(control(api))
    assert len(api.stripe.asked) == asked


async def test_each_write_of_an_invoice_carries_a_key(api):
    await api.saved()
    await look(control(api))
    writes = [path for method, path, _ in api.stripe.asked if method == "POST"]
    assert writes[-4:] == ["/v1/invoices", "/v1/invoiceitems", "/v1/invoices/in_0/finalize", "/v1/invoices/in_0/pay"]
    assert len(api.stripe.keys) == len(writes)


async def test_tries_come_later_each_time_and_in_the_end_no_more(api):
    await api.saved()
    api.stripe.down = True
    for wait in WAITS:
        before = instants.now()
        await look(control(api))
        later = (await row(api)).invoice_due
        assert later is not None
        assert wait <= later - before < wait + 60_000
        await due(api)
    await look(control(api))
    assert (await row(api)).invoice_due is None
    assert await api.credit() == 1000


async def test_what_waits_or_is_paid_by_hand_gets_none(manual):
    name = await manual.topup()
    await manual.done("POST", f"/billing/topups/{name}/paid")
    assert (await row(manual)).invoice_due is None


async def test_a_server_makes_them_by_itself_of_what_a_status_finds_paid(monkeypatch):
    monkeypatch.setattr(invoiced, "EVERY", 0.02)
    async with paying() as made:
        name = await made.topup()
        made.stripe.pay(name)
        assert made.stripe.invoices == {}
        assert await made.status(name) == "completed"
        await until(lambda: [one["status"] for one in made.stripe.invoices.values()] == ["paid"])
