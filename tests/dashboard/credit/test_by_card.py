"""Credit where Stripe is the method of payment, and accounts are prepaid."""

import re
from typing import Any

import httpx
import pytest_asyncio

from penstock.control.topups import invoiced
from tests.kit.house import house
from tests.kit.store import SECRET
from tests.kit.stripe import KEY, VISA, WEBHOOK_SECRET, stand_in


@pytest_asyncio.fixture
async def stripe(monkeypatch):
    monkeypatch.setattr(invoiced, "EVERY", 3600.0)
    async with stand_in() as made:
        yield made


@pytest_asyncio.fixture
async def browser(stripe):
    by: dict[str, Any] = {"payments": "stripe", "stripe_secret_key": KEY, "stripe_webhook_secret": WEBHOOK_SECRET}
    async with house(stripe_base_url=stripe.url, billing_mode="prepaid", **by) as served:
        at = f"http://127.0.0.1:{served.server.port}"
        async with httpx.AsyncClient(base_url=at, follow_redirects=True, timeout=30) as client:
            await client.post("/ui/sign-in", data={"token": SECRET})
            yield client
        await served.quiet()


async def post(browser, path, **fields):
    page = (await browser.get("/ui/credit")).text
    token = re.search(r'name="csrf" value="(\w+)"', page)
    assert token
    return (await browser.post(f"/ui/credit{path}", data={"csrf": token[1], **fields})).text


async def test_the_first_card_is_taken_elsewhere_and_the_next_top_ups_charge_it(browser, stripe):
    assert "needs credit that covers it" in (await browser.get("/ui/credit")).text
    assert "make a top-up first" in await post(browser, "/automatic", threshold="5", by="10")
    begun = await post(browser, "/topups", amount="10")
    intent = re.search(r"Client secret of (\w+)", begun)
    assert intent
    assert f"{intent[1]}_secret" in begun
    stripe.pay(intent[1], VISA)
    assert "The top-up is paid." in await post(browser, f"/topups/{intent[1]}/status")
    page = (await browser.get("/ui/credit")).text
    assert "visa that ends in 4242" in page
    assert "$10.00" in page
    assert "Mark as paid" not in page
    assert "The top-up is paid." in await post(browser, "/topups", amount="20")
    assert "$30.00" in (await browser.get("/ui/credit")).text


async def test_a_card_that_is_unknown_is_told_at_its_field(browser):
    page = await post(browser, "/topups", amount="10", payment_method_id="pm_unknown")
    assert "payment_method_id:" in page
    assert 'aria-invalid="true"' in page
