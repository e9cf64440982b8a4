"""The flags of ``penstock token create`` and ``edit``, and what they mean in the API's words."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from penstock.control.tokens import schema, service
from penstock.control.tokens.schema import TokenUpdate, Wish
from penstock.core import instants
from penstock.core.errors import Invalid
from penstock.model.token import SCOPES, SHORT

_UNITS = {"h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_FLAGS = {
    "name": "--name",
    "scopes": "--scope",
    "email": "--email",
    "gateways": "--gateway",
    "expires_on": "--expires",
    "budget": "--budget",
    "rate_limit": "--rate",
    "models": "--models",
}
_SPANS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600, "day": 86_400}
NONE = "none"  # takes a limit away
_BUDGET = re.compile(r"\$?([0-9]+(?:\.[0-9]+)?)(?:/(?:(day|week|month)|([0-9]{1,9})s))?( ?sliding)?")
_RATE = re.compile(r"([0-9]{1,12})/(?:(s|sec|min|h|hour|day)|([0-9]{1,9})s)( ?sliding)?")


def wish(**fields: Any) -> Wish:
    """Checks what the API would check. Raises Invalid, which names the flag."""
    with _naming():
        found = schema.wish(**fields)
        service.check_time(found.expires_at)
    return found


def change(**given: Any) -> TokenUpdate:
    """What is given is changed; ``none``, or ``never``, takes it away. Raises Invalid, which names the flag."""
    read = {"budget": budget, "rate_limit": rate, "expires_on": expiry}
    fields: dict[str, Any] = {}
    for name, value in given.items():
        if value in (None, []):
            continue
        gone = value in (NONE, [NONE]) or (name == "expires_on" and value == "never")
        fields[name] = None if gone and name != "name" else read.get(name, _same)(value)
    if not fields:
        raise Invalid("say what is to be otherwise: --name, --budget, --rate, --models or --expires")
    with _naming():
        return schema.update(**fields)


def budget(given: str | None) -> dict[str, Any] | None:
    """As the API takes it: an amount for ever, or for a window. Raises Invalid."""
    if given is None:
        return None
    told = _BUDGET.fullmatch(given.strip())
    if told is None or (told[4] and not (told[2] or told[3])):
        raise Invalid("--budget: must be an amount in US dollars, for ever or for a time: 100, 50/month, 10/day")
    window = told[2] or (int(told[3]) if told[3] else "forever")
    return {"amount": float(told[1]), "window": window, "technique": "sliding" if told[4] else "fixed"}


def rate(given: str | None) -> dict[str, Any] | None:
    """As the API takes it. Raises Invalid."""
    if given is None:
        return None
    told = _RATE.fullmatch(given.strip())
    if told is None:
        raise Invalid("--rate: must be a number of calls for a time: 60/min, 2/s, 1000/h, 5000/day, 10/90s")
    window = int(told[3]) if told[3] else _SPANS[told[2]]
    return {"limit": int(told[1]), "window": window, "technique": "sliding" if told[4] else "fixed"}


@contextmanager
def _naming() -> Generator[None]:
    try:
        yield
    except Invalid as error:
        field = next(str(part) for part in error.path if part in _FLAGS)
        raise Invalid(f"{_FLAGS[field]}: {error.message.removeprefix(f'{field}: ')}", path=error.path) from None


def _same(value: Any) -> Any:
    return value


def scopes(given: list[str], *, everything: bool) -> list[str]:
    """Full names, each once. Raises Invalid."""
    if everything == bool(given):
        raise Invalid("say what it may do: --scope, repeated for several, or --all (not both)")
    return list(SCOPES) if everything else list(dict.fromkeys(map(_scope, given)))


def abridged(names: list[str]) -> str:
    """Scopes by their short names."""
    short = {scope: name for name, scope in SHORT.items()}
    return "all" if set(names) == set(SCOPES) else ", ".join(short[name] for name in names)


def expiry(given: str | None) -> str | None:
    """As the API takes it; a span counts from now."""
    span = re.fullmatch(r"([0-9]{1,5})([hdw])", given or "")
    return given if span is None else instants.text(instants.now() + int(span[1]) * _UNITS[span[2]])


def _scope(given: str) -> str:
    known = SHORT | {scope.lower(): scope for scope in SCOPES}
    if found := known.get(given.strip().lower()):
        return found
    near = get_close_matches(given.strip().lower(), known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(SHORT)}."
    raise Invalid(f"--scope: there is no scope {given!r}; {hint}")
