"""The flags of ``penstock token create`` and what they mean in the API's words."""

import re
from difflib import get_close_matches
from typing import Any

from penstock.control.tokens import schema, service
from penstock.control.tokens.schema import Wish
from penstock.core import instants
from penstock.core.errors import Invalid
from penstock.model.token import SCOPES, Scope

SHORT = {
    "read": Scope.READ,
    "metadata": Scope.METADATA,
    "write": Scope.WRITE,
    "run": Scope.RUN,
    "workers": Scope.WORKERS,
}
_UNITS = {"h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_FLAGS = {"name": "--name", "scopes": "--scope", "email": "--email", "gateways": "--gateway", "expires_on": "--expires"}


def wish(**fields: Any) -> Wish:
    """Checks what the API would check. Raises Invalid, which names the flag."""
    try:
        found = schema.wish(**fields)
        service.check_time(found)
    except Invalid as error:
        field = next(str(part) for part in error.path if part in _FLAGS)
        raise Invalid(f"{_FLAGS[field]}: {error.message.removeprefix(f'{field}: ')}", path=error.path) from None
    return found


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
