"""A whole server, and a stand-in for Stripe beside it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import cloudflare
import httpx
import pytest
import pytest_asyncio

from penstock.control.topups import invoiced
from penstock.model.token import SCOPES, Scope
from penstock.storage import ledger
from penstock.storage.engine import within
from penstock.storage.ledger import CREDIT
from tests.control.custom_providers.conftest import OTHER, Api
from tests.kit.databases import EITHER, database_of
from tests.kit.house import house
from tests.kit.store import ACCOUNT, SECRET, a_token
from tests.kit.stripe import KEY, VISA, WEBHOOK_SECRET, Stripe, stand_in

CENT = 10_000_000
CUSTOMER, LIMITED, FOREIGN = "the-customer-of-the-operator", "limited-to-one-gateway", "of-another-account-0"
TOKENS = [
    a_token(CUSTOMER, scopes=frozenset(SCOPES) - {Scope.BILLING}),
    a_token(LIMITED, gateways=frozenset({"default"})),
    a_token(FOREIGN, account=OTHER),
]
HOOK = "/client/v4/webhooks/stripe"


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invoices of top-ups are made when a test says so."""
    monkeypatch.setattr(invoiced, "EVERY", 3600.0)


class Paying(Api):
    """Asks the control plane about money."""

    stripe: Stripe

    async def done(self, *args: Any, **given: Any) -> Any:
        """The result of a request that is right."""
        status, body = await self.ask(*args, **given)
        assert status == 200, body
        return body["result"]

    @property
    def database(self):
        return self.house.server.app.control.database

    async def credit(self) -> float:
        """Cents."""
        async with self.database.reading() as connection:
            books = await within(connection, lambda sql: ledger.balances(sql, ACCOUNT))
        assert sum(books.values()) == 0
        return books[CREDIT] / CENT

    async def topup(self, amount=1000, **fields: Any) -> str:
        """Begins one; returns what it is called."""
        return (await self.done("POST", "/billing/topup", {"amount": amount} | fields))["payment_intent_id"]

    async def status(self, reference: str) -> str:
        return (await self.done("POST", "/billing/topup/status", {"payment_intent_id": reference}))["status"]

    async def topups(self) -> list[dict[str, Any]]:
        return await self.done("GET", "/billing/topups")

    async def tell(self, kind: str, about: dict[str, Any], **how: Any) -> int:
        """Delivers a webhook; returns the answer's status."""
        body = self.stripe.event(kind, about)
        return (await self.client.post(HOOK, content=body, headers=self.stripe.signed(body, **how))).status_code

    async def saved(self, amount=1000) -> None:
        """The account has paid once, and its card is saved."""
        intent = self.stripe.pay(await self.topup(amount), VISA)
        assert await self.tell("payment_intent.succeeded", intent) == 200

    def sdk(self) -> cloudflare.AsyncCloudflare:
        at = f"http://127.0.0.1:{self.house.server.port}/client/v4"
        return cloudflare.AsyncCloudflare(base_url=at, api_token=SECRET, _strict_response_validation=True)


@asynccontextmanager
async def paying(**settings: Any) -> AsyncGenerator[Paying]:
    async with stand_in() as stripe:
        by: dict[str, Any] = {"payments": "stripe", "stripe_secret_key": KEY, "stripe_webhook_secret": WEBHOOK_SECRET}
        by |= {"stripe_base_url": stripe.url} | settings
        async with house(accounts=[OTHER], tokens=TOKENS, **by) as served:
            client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.server.port}")
            made = Paying(served, client)
            made.stripe = stripe
            yield made
            await client.aclose()
            await served.quiet()


@pytest_asyncio.fixture(params=EITHER, loop_scope="module")
async def api(request, tmp_path) -> AsyncGenerator[Paying]:
    """With Stripe, on either database; PostgreSQL with --deep alone."""
    with database_of(request.param, tmp_path) as url:
        async with paying(database_url=url) as made:
            yield made


@pytest_asyncio.fixture(params=EITHER, loop_scope="module")
async def manual(request, tmp_path) -> AsyncGenerator[Paying]:
    """Without a method that charges, on either database; PostgreSQL with --deep alone."""
    with database_of(request.param, tmp_path) as url:
        async with paying(database_url=url, payments="manual") as made:
            yield made
