"""What a provider says in an error's body, whatever the shape of it. Pure."""

from collections.abc import Iterable
from typing import Any, cast

from penstock.core import codec

_MEMBERS = ("message", "Message", "error_description", "err_msg", "detail", "error", "errors", "title")


def sentence(body: bytes) -> str:
    """The first text that is found in the members which providers use; empty: there is none, or the body is no JSON."""
    try:
        return _first(codec.decode(body))
    except codec.DecodeError:
        return ""


def _first(value: Any) -> str:
    if isinstance(value, str):
        return value
    inner: Iterable[Any] = ()
    if isinstance(value, list):
        inner = cast("list[Any]", value)
    elif isinstance(value, dict):
        inner = map(cast("dict[str, Any]", value).get, _MEMBERS)
    return next((said for said in map(_first, inner) if said), "")
