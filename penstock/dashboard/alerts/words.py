"""Kinds of alerts in words, and their forms as bodies of the API. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from penstock.control.alerts.kinds import KINDS
from penstock.control.alerts.schema import CALLS, WINDOW
from penstock.dashboard.forms import Form
from penstock.dashboard.rendering import dollars, millis


class Kind(NamedTuple):
    """``label``, ``hint``: of the threshold; empty: it has none. ``unit``: share, millis or dollars."""

    title: str
    about: str
    label: str = ""
    hint: str = ""
    unit: str = ""
    usual: str = ""


WORDS = {
    "error_rate": Kind(
        "Calls fail",
        "A share of the calls of a gateway fails.",
        *("Share of the calls", "0.001 to 1: 0.05 is 5 % of the calls.", "share", "0.05"),
    ),
    "latency": Kind(
        "Calls are slow",
        "The slowest 5 % of the calls of a gateway wait long for the first byte of their answer.",
        *("Milliseconds", "1 to 120,000.", "millis", "10000"),
    ),
    "log_cap": Kind(
        "A log is nearly full",
        "The log of a gateway has a share of the rows that it may have.",
        *("Share of the rows", "0.01 to 1: 0.9 is 90 % of the rows.", "share", "0.9"),
    ),
    "spend_limit": Kind(
        "A spend limit is nearly spent",
        "A share of a spend limit of a gateway is spent.",
        *("Share of the limit", "0.01 to 1: 0.8 warns at 80 %, 1 tells when calls are refused.", "share", "0.8"),
    ),
    "credit_low": Kind(
        "Little credit is left",
        "The credit of the account has fallen.",
        *("US dollars", "It fires when so much is left, or less.", "dollars", "10"),
    ),
    "credential_refused": Kind(
        "A provider refuses a key", "A provider has refused a stored key, with 401 or 403, when it was last used."
    ),
}
WINDOWS = {60: "minute", 300: "5 minutes", 900: "15 minutes", 3600: "hour", 21_600: "6 hours", 86_400: "day"}
BLANK = {"name": "", "gateway_id": "", "url": "", "minimum_calls": str(CALLS), "window_seconds": str(WINDOW)}


def threshold(kind: str, value: float | None) -> str:
    """``5 % or more``, ``340 ms or more``, ``$10.00 or less``."""
    if value is None:
        return ""
    told = {"millis": millis, "dollars": dollars}.get(WORDS[kind].unit, _share)(value)
    return f"{told} or {'less' if KINDS[kind].below else 'more'}"


def body(form: Form, kind: str) -> dict[str, Any]:
    """What the API would be sent, of what a form of that kind has."""
    told: dict[str, Any] = {name: form.text(name) for name in ("name", "url")}
    told["window_seconds"] = _number(form.text("window_seconds"))
    told["enabled"] = "enabled" in form
    if KINDS[kind].threshold is not None:
        told["threshold"] = _number(form.text("threshold"))
    if KINDS[kind].counts and form.text("minimum_calls"):
        told["minimum_calls"] = _number(form.text("minimum_calls"))
    if form.text("secret"):
        told["secret"] = form.text("secret")
    return told


def fields(alert: Mapping[str, Any]) -> dict[str, str]:
    """An alert as a form has it."""
    return {name: "" if alert[name] is None else f"{alert[name]}" for name in (*BLANK, "threshold")}


def typed(form: Form) -> dict[str, str]:
    """The same of a form that was sent."""
    return {name: form.text(name) for name in (*BLANK, "threshold")}


def windows(seconds: str) -> list[tuple[str, str]]:
    """Choices, of which that one is there."""
    known = {str(size): label for size, label in WINDOWS.items()}
    return list((known if seconds in known else {seconds: f"{seconds} seconds", **known}).items())


def _share(value: float) -> str:
    return f"{100 * value:g} %"


def _number(text: str) -> float | str:
    """What is no number stays as it is, and is refused as such."""
    try:
        found = float(text)
    except ValueError:
        return text
    return int(found) if found.is_integer() else found
