"""Payments by Stripe, through its official library: a customer for each account, a PaymentIntent for each top-up.

The library blocks, so it works on threads of its own. Each write carries an idempotency key made of what it is for,
so that it is done once however often it is sent.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from penstock.backends.payments.stripe_events import TOPUP, read
from penstock.backends.payments.stripe_invoices import make
from penstock.core.logs import log
from penstock.ports.payments import (
    Bill,
    Invoiced,
    News,
    NotSigned,
    Payment,
    PaymentRefused,
    Payments,
    PaymentsAway,
    Saved,
    State,
)

if TYPE_CHECKING:
    from stripe import PaymentIntent, StripeClient

_T = TypeVar("_T")
_TIMEOUT = (5.0, 20.0)  # seconds: to connect, to answer
_RETRIES = 2
_THREADS = 4
TOLERANCE = 300  # seconds between a webhook's signature and our clock
_STATES: dict[str, State] = {"succeeded": "completed", "canceled": "canceled"}


class Stripe(Payments):
    """``url``: of a stand-in; empty: Stripe's own."""

    name = "stripe"
    charges = True

    def __init__(self, key: str, webhook_secret: str, url: str) -> None:
        self._key, self._webhook_secret, self._url = key, webhook_secret, url
        self._threads = ThreadPoolExecutor(_THREADS, "payments")
        self._client: StripeClient | None = None

    async def customer(self, account: str) -> str:
        params: Any = {"name": account, "metadata": {"penstock_account": account}}
        return await self._ask(lambda client: client.v1.customers.create(params, _once("customer", account)).id)

    async def begin(self, bill: Bill) -> Payment:
        if bill.saved:
            return await self._create(bill, "begin", payment_method=bill.saved, confirm=True)
        return await self._create(bill, "begin", setup_future_usage="off_session")

    async def charge(self, bill: Bill) -> Payment:
        return await self._create(bill, "charge", payment_method=bill.saved, confirm=True, off_session=True)

    async def look(self, intent: str) -> Payment:
        return await self._ask(lambda client: _payment(client.v1.payment_intents.retrieve(intent)))

    async def cancel(self, intent: str) -> Payment:
        once = _once("cancel", intent)
        return await self._ask(lambda client: _payment(client.v1.payment_intents.cancel(intent, {}, once)))

    async def saved(self, means: str) -> Saved:
        found = await self._ask(lambda client: client.v1.payment_methods.retrieve(means))
        card = found.card if "card" in found else None
        return Saved(found.id, card.brand, card.last4) if card is not None else Saved(found.id, str(found.type))

    async def invoice(self, bill: Bill) -> Invoiced:
        return await self._ask(lambda client: make(client, bill, _once))

    async def news(self, body: bytes, signature: str) -> News | None:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._news, body, signature)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _create(self, bill: Bill, deed: str, **more: object) -> Payment:
        params: Any = {
            "amount": bill.amount,
            "currency": "usd",
            "customer": bill.customer,
            "description": "Credit for model calls",
            "metadata": {TOPUP: bill.topup, "penstock_account": bill.account},
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        } | more
        once = _once(deed, bill.topup)
        return await self._ask(lambda client: _payment(client.v1.payment_intents.create(params, once)))

    async def _ask(self, work: "Callable[[StripeClient], _T]") -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, work)

    def _news(self, body: bytes, signature: str) -> News | None:
        """On a thread."""
        stripe = _library()
        try:
            stripe.WebhookSignature.verify_header(body, signature, self._webhook_secret, TOLERANCE)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            raise NotSigned from None
        return read(body)

    def _work(self, work: "Callable[[StripeClient], _T]") -> _T:
        """On a thread. What the library says of a fault of ours or of Stripe's goes into the log, and no further."""
        stripe = _library()
        client = self._client = self._client or stripe.StripeClient(
            self._key,
            http_client=stripe.RequestsClient(timeout=_TIMEOUT),
            base_addresses={"api": self._url} if self._url else None,
            max_network_retries=_RETRIES,
        )
        try:
            return work(client)
        except stripe.CardError as error:
            raise PaymentRefused(error.user_message or "the means of payment was declined") from error
        except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
            field = "payment_method_id" if getattr(error, "param", "") == "payment_method" else ""
            raise PaymentRefused(error.user_message or "Stripe refuses the request", field) from error
        except stripe.StripeError as error:
            log.warning("Stripe could not be asked: %s %s", type(error).__name__, error.http_status or "")
            raise PaymentsAway(type(error).__name__) from error


def _library() -> Any:
    """Its import takes a second."""
    return import_module("stripe")


def _once(deed: str, what: str) -> Any:
    """The option by which Stripe does a write once."""
    return {"idempotency_key": f"penstock-{deed}-{what}"}


def _payment(intent: "PaymentIntent") -> Payment:
    state = _STATES.get(intent.status, "pending")
    means = intent.payment_method
    failure = intent.last_payment_error
    return Payment(
        intent.id,
        state,
        intent.amount_received if state == "completed" else 0,
        (failure.message if failure is not None and "message" in failure else "") or "",
        intent.client_secret,
        means if isinstance(means, str) else "" if means is None else means.id,
    )
