"""What the account has: its credit, what raised and lowered it, and how it is topped up."""

from typing import Any

from fastapi import Response

from penstock.control.billing import service as billing
from penstock.control.billing.schema import UsageQuery
from penstock.control.topups import service as topups
from penstock.control.topups.schema import LEAST, LEAST_THRESHOLD, MOST, ConfigCreate, TopupCreate
from penstock.core import instants
from penstock.core.errors import Conflict, Invalid, PaymentFailed
from penstock.dashboard import amounts, paging
from penstock.dashboard.forms import NO_FAULTS, Faults, Wrong, checked
from penstock.dashboard.page import get, post
from penstock.dashboard.rendering import dollars
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope
from penstock.storage.ledger import ADJUSTMENT, CALL, GRANT, KINDS, REFUND, TAX, TOPUP

_PATH = "/ui/credit"
_TOPUPS, _ENTRIES = 20, 50  # of a page
_CENTS = 100
_WINDOWS = {"day": "30 days", "hour": "7 days"}
_SHOWN = {
    "": (TOPUP, GRANT, ADJUSTMENT, REFUND, TAX),
    "calls": (CALL,),
    "all": KINDS,
}


async def show(visit: Visit, faults: Faults = NO_FAULTS, **fields: str) -> Response:
    context, control = visit.context, visit.control
    window = visit.query.get("window", "day")
    window = window if window in _WINDOWS else "day"
    kinds = visit.query.get("entries", "")
    kinds = kinds if kinds in _SHOWN else ""
    told = await billing.credit_balance(context)
    rows, total = await topups.page(context, paging.asked(visit, _TOPUPS))
    history = await billing.usage_history(context, UsageQuery.model_validate({"value_grouping_window": window}))
    parts: list[dict[str, Any]] = history["history"]
    usage = [[instants.text(part["start_time"]), part["aggregated_value"] / _CENTS] for part in parts]
    automatic: dict[str, Any] = told["topup_config"]
    return visit.html(
        "credit/page.html",
        faults=faults,
        balance=told["balance"] / _CENTS,
        means=told["payment_method"],
        prepaid=control.prepaid,
        charges=control.payments.charges,
        method=control.payments.name,
        automatic=automatic,
        topups=rows,
        pager=paging.pages(visit, total, _TOPUPS, path=_PATH),
        usage=usage,
        used=sum(part["aggregated_value"] for part in parts) / _CENTS,
        window=window,
        windows=_WINDOWS,
        entries=await billing.entries(context, _SHOWN[kinds], _ENTRIES),
        kinds=kinds,
        fields={
            "amount": "",
            "payment_method_id": "",
            "threshold": amounts.plain(automatic.get("threshold")),
            "by": amounts.plain(automatic.get("amount")),
            **fields,
        },
    )


async def top_up(visit: Visit) -> Response:
    """Begins a top-up."""
    form = await visit.form()
    fields = {name: form.text(name) for name in ("amount", "payment_method_id")}
    try:
        body = {"amount": amounts.cents(form, "amount", LEAST, MOST)}
        if fields["payment_method_id"]:
            body |= {"payment_method_id": fields["payment_method_id"]}
        made, waits = await topups.create(visit.context, checked(TopupCreate, body))
    except Wrong as wrong:
        return await show(visit, wrong.faults, **fields)
    except (Invalid, Conflict, PaymentFailed) as error:
        return await show(visit, Faults.of(error), **fields)
    secret = made.get("client_secret")
    if secret and not made["onboarding"]:
        return visit.html("credit/begun.html", made=made, secret=secret)
    return visit.done(_PATH, waits) if waits else await _standing(visit, made["payment_intent_id"])


async def paid(visit: Visit) -> Response:
    row = await topups.paid(visit.context, visit.path("topup"))
    return visit.done(_PATH, f"The top-up of {dollars(row['amount'] / _CENTS)} is paid: the credit is there.")


async def cancel(visit: Visit) -> Response:
    row = await topups.cancel(visit.context, visit.path("topup"))
    return visit.done(_PATH, f"The top-up of {dollars(row['amount'] / _CENTS)} is canceled.")


async def look(visit: Visit) -> Response:
    """Asks the payment service how a top-up stands."""
    return await _standing(visit, visit.path("topup"))


async def _standing(visit: Visit, reference: str) -> Response:
    try:
        standing, reason = await topups.status(visit.context, reference)
    except Conflict as error:
        return visit.done(_PATH, error.message)
    said = "The top-up is paid." if standing["status"] == "completed" else reason or "The top-up still waits."
    return visit.done(_PATH, said)


async def automatic(visit: Visit) -> Response:
    """Sets the automatic top-up."""
    form = await visit.form()
    fields = {name: form.text(name) for name in ("threshold", "by")}
    try:
        threshold = amounts.cents(form, "threshold", LEAST_THRESHOLD, MOST)
        amount = amounts.cents(form, "by", LEAST, MOST)
        await topups.set_config(visit.context, checked(ConfigCreate, {"amount": amount, "threshold": threshold}))
    except Wrong as wrong:
        return await show(visit, wrong.faults, **fields)
    except Conflict as error:
        return await show(visit, Faults.of(error), **fields)
    return visit.done(_PATH, "Credit is topped up automatically from now on.")


async def by_hand(visit: Visit) -> Response:
    """Takes the automatic top-up away."""
    await topups.delete_config(visit.context)
    return visit.done(_PATH, "Credit is not topped up automatically any more.")


ROUTES = (
    get(_PATH, show, Scope.READ),
    post(f"{_PATH}/topups", top_up, Scope.WRITE, shows=(Scope.READ,)),
    post(f"{_PATH}/topups/{{topup}}/paid", paid, Scope.BILLING),
    post(f"{_PATH}/topups/{{topup}}/cancel", cancel, Scope.WRITE),
    post(f"{_PATH}/topups/{{topup}}/status", look, Scope.READ),
    post(f"{_PATH}/automatic", automatic, Scope.WRITE, shows=(Scope.READ,)),
    post(f"{_PATH}/automatic/remove", by_hand, Scope.WRITE),
)
