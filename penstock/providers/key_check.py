"""Whether a provider accepts a key: which request tells, and what its answer says. Pure."""

from collections.abc import Iterable
from typing import Literal, NamedTuple
from urllib.parse import quote

from penstock.core.errors import ProviderFailure
from penstock.providers import credential_json
from penstock.providers.catalog import Check, Provider
from penstock.providers.sentence import sentence
from penstock.providers.templates import PART, safe

Outcome = Literal["accepted", "refused", "unreachable", "unclear", "not testable"]
_REFUSED = frozenset({401, 403})
_GOOD = range(200, 300)
_LONGEST = 300  # characters of a provider's message
MASK = "***"


class Verdict(NamedTuple):
    """``status``: of the answer; None: there was none. ``message``: the provider's, or why there was no answer."""

    outcome: Outcome
    status: int | None = None
    message: str = ""


def address(provider: Provider, check: Check, secret: str) -> tuple[bytes, bytes]:
    """Path, and query with its question mark.

    Raises ValueError for a path that leads out of its place, or has a part that the key does not tell.
    """
    shape = provider.credential_json
    parts = credential_json.read(shape, secret).parts if credential_json.is_json(shape, secret) else {}
    for match in PART.finditer(check.path):
        if match[1] not in parts:
            raise ValueError(
                f"this key does not say what {{{match[1]}}} is: give --path {check.path} with it filled in"
            )
    path, mark, query = PART.sub(lambda match: quote(parts[match[1]], safe=""), check.path).partition("?")
    if not safe(path.encode()) or not path.isascii() or any(map(str.isspace, path + query)):
        raise ValueError(f"--path: {path!r} is not a path")
    return path.removeprefix("/").encode(), (mark + query).encode()


def judged(check: Check, status: int, body: bytes, hidden: Iterable[str]) -> Verdict:
    """What an answer says of the key. ``hidden``: texts that must not be shown."""
    if status in _GOOD:
        return Verdict("accepted", status)
    message = shown(sentence(body) or body.decode("utf-8", "replace"), hidden)
    if status in _REFUSED or status in check.refused:
        known = bool(check.known) and check.known in message
        return Verdict("accepted" if known else "refused", status, message)
    return Verdict("unclear", status, message)


def hidden(provider: Provider, secret: str) -> tuple[str, ...]:
    """The parts of a key that must not be shown."""
    shape = provider.credential_json
    if not credential_json.is_json(shape, secret):
        return (secret,)
    try:
        return (secret, *credential_json.read(shape, secret).secrets)
    except ValueError:
        return (secret,)


def shown(text: str, hidden: Iterable[str]) -> str:
    """A message of somebody else on one line, without what must not be shown."""
    for one in hidden:
        for spelt in (one, quote(one, safe=""), quote(one)):
            text = text.replace(spelt, MASK) if spelt else text
    return " ".join(text.split())[:_LONGEST]


def unanswered(error: ProviderFailure | TimeoutError, patience: float) -> str:
    """Why there was no answer, without a full stop."""
    reason = str(error) or f"no answer within {patience:g} seconds"
    return reason.removeprefix("Failed to get response from provider: ").rstrip(".")
