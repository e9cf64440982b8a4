"""A token as the fields of a form, and back. Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from penstock.core import instants
from penstock.dashboard.forms import Form
from penstock.model.token import Scope

MEANINGS = {
    Scope.READ: "see gateways, keys, tokens, the audit trail, and the log with prompts and answers",
    Scope.METADATA: "see the log without prompts and answers",
    Scope.WRITE: "change gateways, keys and routes; make and revoke tokens",
    Scope.RUN: "call models through gateways: what a program needs",
    Scope.BILLING: "say that credit was paid for: for the operator alone",
    Scope.WORKERS: "call models at the address of the API: the same as Run there",
}
WINDOWS = (
    ("month", "a month"),
    ("week", "a week"),
    ("day", "a day"),
    ("forever", "for ever"),
    ("seconds", "other: seconds below"),
)
TECHNIQUES = (("fixed", "fixed: by the clock, UTC"), ("sliding", "sliding: any interval of that length"))
FIELDS = ("name", "email", "scopes", "gateways", "expires_on", "budget", "rate_limit", "models")
_SPANS = {1: "a second", 60: "a minute", 3600: "an hour", 86_400: "a day", 604_800: "a week"}


def body(form: Form) -> dict[str, Any]:
    """As ``NewToken`` takes it."""
    gateways = list(dict.fromkeys([*form.all("gateways"), *form.lines("other_gateways")]))
    chosen = {"email": form.text("email"), "gateways": gateways, **bounds(form)}
    return {"scopes": form.all("scopes"), **{name: value for name, value in chosen.items() if value or name == "name"}}


def bounds(form: Form) -> dict[str, Any]:
    """The members that can be changed, each as it is to be."""
    return {
        "name": form.text("name"),
        "expires_on": _expiry(form.text("expires_on")),
        "budget": _budget(form),
        "rate_limit": _rate(form),
        "models": form.lines("models") or None,
    }


def changed(form: Form, token: Mapping[str, Any]) -> dict[str, Any]:
    """As ``TokenUpdate`` takes it: what is not as it was."""
    before = bounds(Form(shown(token)))
    return {name: value for name, value in bounds(form).items() if value != before[name]}


def shown(token: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields that say what there is. ``token`` as ``TokenShown`` has it."""
    yield "name", token["name"]
    if token["expires_on"] is not None:
        ends = datetime.fromtimestamp(instants.parse(token["expires_on"]) / 1000, UTC)
        yield "expires_on", ends.strftime("%Y-%m-%dT%H:%M:%S")
    if (budget := token["budget"]) is not None:
        named = isinstance(budget["window"], str)
        yield "budget_amount", f"{budget['amount']:.9f}".rstrip("0").rstrip(".")
        yield "budget_window", budget["window"] if named else "seconds"
        yield "budget_seconds", "" if named else str(budget["window"])
        yield "budget_technique", budget["technique"]
    if (rate := token["rate_limit"]) is not None:
        yield "rate_limit", str(rate["limit"])
        yield "rate_window", str(rate["window"])
        yield "rate_technique", rate["technique"]
    yield "models", "\n".join(token["models"] or ())


def span(window: str | int, technique: str = "fixed") -> str:
    """A window in words: ``a month``, ``90 seconds, sliding``."""
    words = dict(WINDOWS).get(window, "") if isinstance(window, str) else _SPANS.get(window, f"{window:,} seconds")
    return f"{words}, sliding" if technique == "sliding" and window != "forever" else words


def _expiry(typed: str) -> str | None:
    """What browsers say in several ways, in one; what is no time as it was typed, for the resource to refuse."""
    try:
        return instants.text(instants.parse(typed)) if typed else None
    except ValueError:
        return typed


def _budget(form: Form) -> dict[str, Any] | None:
    amount = form.number("budget_amount")
    if amount is None:
        return None
    window = form.text("budget_window", "month")
    return {
        "amount": amount,
        "window": form.number("budget_seconds") if window == "seconds" else window,
        "technique": form.text("budget_technique", "fixed"),
    }


def _rate(form: Form) -> dict[str, Any] | None:
    limit = form.number("rate_limit")
    if limit is None:
        return None
    return {
        "limit": limit,
        "window": form.number("rate_window"),
        "technique": form.text("rate_technique", "fixed"),
    }
