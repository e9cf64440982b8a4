"""The invoice at Stripe of a top-up that its PaymentIntent has paid: marked as paid out of band, never charged."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from penstock.backends.payments.stripe_events import TOPUP
from penstock.ports.payments import Bill, Invoiced

if TYPE_CHECKING:
    from stripe import Invoice, StripeClient

LATEST = 100  # invoices of a customer, among which one that was begun is looked for


def make(client: "StripeClient", bill: Bill, once: Callable[[str, str], Any]) -> Invoiced:
    """Goes on from where the invoice stands at Stripe. It is looked for first: Stripe keeps idempotency keys, by which
    two that ask at once make one, for a day alone.

    A customer without an address of mail can have no invoice that is sent, so it is one that is charged
    automatically, whose charge is switched off.
    """
    found = _begun(client, bill)
    if found is None:
        params: Any = {
            "customer": bill.customer,
            "currency": "usd",
            "collection_method": "charge_automatically",
            "auto_advance": False,
            "pending_invoice_items_behavior": "exclude",
            "metadata": {TOPUP: bill.topup, "penstock_account": bill.account},
        }
        found = client.v1.invoices.create(params, once("invoice", bill.topup))
    if found.status == "draft":
        if not found.total:
            item: Any = {
                "customer": bill.customer,
                "invoice": found.id,
                "amount": bill.amount,
                "currency": "usd",
                "description": "Credit for model calls",
                "metadata": {TOPUP: bill.topup},
            }
            client.v1.invoice_items.create(item, once("invoice-item", bill.topup))
        finalize = once("invoice-finalize", bill.topup)
        found = client.v1.invoices.finalize_invoice(found.id, {"auto_advance": False}, finalize)
    if found.status == "open":
        found = client.v1.invoices.pay(found.id, {"paid_out_of_band": True}, once("invoice-pay", bill.topup))
    return Invoiced(found.id, found.hosted_invoice_url, found.invoice_pdf)


def _begun(client: "StripeClient", bill: Bill) -> "Invoice | None":
    listed = client.v1.invoices.list({"customer": bill.customer, "limit": LATEST})
    for one in listed.data:
        if one.metadata is not None and TOPUP in one.metadata and one.metadata[TOPUP] == bill.topup:
            return one
    return None
