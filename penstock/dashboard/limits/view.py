"""What may be spent, and what of it is: by gateways, by the account, by tokens."""

from typing import Any, NamedTuple

from fastapi import Response

from penstock.control import spending_limit
from penstock.control.envelope import Paging
from penstock.control.gateways import spend
from penstock.control.tokens import service as tokens
from penstock.dashboard import amounts, paging
from penstock.dashboard.forms import NO_FAULTS, Faults, Wrong, checked
from penstock.dashboard.limits import sentences
from penstock.dashboard.page import get, post
from penstock.dashboard.visit import Visit
from penstock.features.spend.rules import Rule
from penstock.model.token import Scope

_PATH = "/ui/limits"
_GATEWAYS = 10  # of a page
_COUNTERS = 50  # of a gateway
_TOKENS = 50  # of a page
_EMPTY = {"amount": "", "duration": "monthly", "strategy": "fixed"}
_CENTS = 100


class Limited(NamedTuple):
    """A gateway with limits: each rule with its counters; ``more``: counters that are not shown."""

    id: str
    rules: list[tuple[Rule, list[dict[str, Any]]]]
    more: int


async def show(visit: Visit, faults: Faults = NO_FAULTS, fields: dict[str, str] | None = None) -> Response:
    context, whole = visit.context, visit.context.limited_to is None
    some, many = await spend.limited(context, paging.asked(visit, _GATEWAYS))
    state = standing = None
    budgets: list[dict[str, Any]] = []
    holders = 0
    if whole and visit.may(Scope.READ):
        state, standing = await spending_limit.get(context), await spending_limit.standing(context)
        budgets, holders = await tokens.page(context, paging.asked(visit, _TOKENS, "tokens"), budgeted=True)
    config: dict[str, Any] | None = state["config"] if state and state["enabled"] else None
    known = _EMPTY if config is None else config | {"amount": amounts.plain(config["amount"])}
    return visit.html(
        "limits/page.html",
        faults=faults,
        say=sentences,
        gateways=[await _limited(visit, gateway, rules) for gateway, rules in some],
        pager=paging.pages(visit, many, _GATEWAYS, path=_PATH),
        state=state,
        limit=None if config is None else config["amount"] / _CENTS,
        standing=standing,
        fields=fields or known,
        tokens=budgets,
        token_pager=paging.pages(visit, holders, _TOKENS, name="tokens", path=_PATH),
    )


async def _limited(visit: Visit, gateway: str, rules: tuple[Rule, ...]) -> Limited:
    counters, total = await spend.page(visit.context, gateway, Paging(page=1, per_page=_COUNTERS))
    told = [(rule, [counter for counter in counters if counter["rule"] == rule.name]) for rule in rules]
    return Limited(gateway, told, total - len(counters))


async def put(visit: Visit) -> Response:
    """Limits what all calls of the account may cost."""
    form = await visit.form()
    fields = {name: form.text(name) for name in _EMPTY}
    try:
        amount = amounts.cents(form, "amount", spending_limit.LEAST, spending_limit.MOST)
        body = checked(spending_limit.SpendingLimit, {**fields, "amount": amount})
        await spending_limit.put(visit.context, body)
    except Wrong as wrong:
        return await show(visit, wrong.faults, fields)
    return visit.done(_PATH, "The account's spending limit is set.")


async def remove(visit: Visit) -> Response:
    await spending_limit.delete(visit.context)
    return visit.done(_PATH, "The account has no spending limit any more.")


ROUTES = (
    get(_PATH, show, Scope.READ, Scope.METADATA),
    post(f"{_PATH}/account", put, Scope.WRITE, shows=(Scope.READ, Scope.METADATA)),
    post(f"{_PATH}/account/remove", remove, Scope.WRITE),
)
