"""A custom provider as the fields of a form, and back. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.core import codec
from penstock.dashboard.forms import Faults, Form, Wrong
from penstock.providers.kinds import TOKENS

COMMON = ("input", "output", "cache_read", "cache_write")
KINDS = (*COMMON, *sorted(TOKENS.difference(COMMON)))  # of tokens, that may have a price
_PRICE = "price_"
_TEXTS = ("description", "link", "curl_example", "js_example")
FIELDS = ("name", "slug", "base_url", "enable", "beta", "position", "headers", "prices", *_TEXTS)


def body(form: Form) -> dict[str, Any]:
    """The members that ``CustomCreate`` and ``CustomUpdate`` have; null for what was left empty. Raises Wrong."""
    prices = {kind: price for kind in KINDS if (price := form.number(_PRICE + kind)) is not None}
    return {
        "name": form.text("name"),
        "slug": form.text("slug"),
        "base_url": form.text("base_url"),
        "enable": "enable" in form,
        "beta": "beta" in form,
        "position": form.number("position"),
        "headers": _headers(form.lines("headers")),
        "prices": prices or None,
        **{name: form.text(name) or None for name in _TEXTS},
    }


def shown(provider: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields that say what there is."""
    for name in ("name", "slug", "base_url", "position", *_TEXTS):
        yield name, "" if provider[name] is None else str(provider[name])
    for name in ("enable", "beta"):
        if provider[name]:
            yield name, "true"
    headers: dict[str, str] = codec.decode((provider["headers"] or "{}").encode())
    yield "headers", "\n".join(f"{name}: {value}" for name, value in headers.items())
    prices: dict[str, float] = provider["prices"] or {}
    for kind, price in prices.items():
        yield _PRICE + kind, f"{price:.9f}".rstrip("0").rstrip(".")


def _headers(lines: list[str]) -> str | None:
    """As the API takes them: an object, as text."""
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip().lower() in map(str.lower, headers):
            raise Wrong(Faults([("headers", "headers: one is given twice")]))
        headers[name.strip()] = value.strip()
    return codec.encode(headers).decode() if headers else None
