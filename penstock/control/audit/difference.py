"""What differs between two states of something, for people to read. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard, cast

from penstock.core import codec

_LONGEST = 200  # characters of one value
_NOTHING = object()


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """What differs, field by field: ``+`` what was not set before, ``-`` what is no more, else from what to what."""
    old, new = _flat(before or {}), _flat(after or {})
    for name in [*old, *(name for name in new if name not in old)]:
        was, now = old.get(name, _NOTHING), new.get(name, _NOTHING)
        if was is _NOTHING:
            if now is not None:
                yield "+", f"{name}: {_value(now)}"
        elif now is _NOTHING:
            if was is not None:
                yield "-", f"{name}: {_value(was)}"
        elif codec.encode(was) != codec.encode(now):  # where Python would call 1 and true the same
            yield " ", f"{name}: {_value(was)} → {_value(now)}"


def _flat(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Members of members under names with dots, those of listed objects with their place; other lists stay whole."""
    found: dict[str, Any] = {}
    for name, member in value.items():
        if isinstance(member, dict) and member:
            found |= _flat(cast("dict[str, Any]", member), f"{above}{name}.")
        elif _objects(member):
            for place, part in enumerate(member):
                found |= _flat(part, f"{above}{name}[{place}].")
        else:
            found[above + name] = member
    return found


def _objects(member: Any) -> TypeGuard[list[dict[str, Any]]]:
    """Whether it is a list of objects that have members."""
    parts = cast("list[Any]", member) if isinstance(member, list) else []
    return bool(parts) and all(isinstance(part, dict) and bool(cast("object", part)) for part in parts)


def _value(value: Any) -> str:
    said = codec.encode(value).decode()
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
