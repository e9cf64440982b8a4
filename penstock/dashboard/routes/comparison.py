"""What differs between two lists of elements, by their ids."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from penstock.core import codec
from penstock.dashboard.routes.drawing import Marks

MOST = 300  # differences that are told
_DEEP = 16
ADDED, REMOVED, CHANGED = "added", "removed", "changed"


class Difference(NamedTuple):
    """``path``: of the member; empty where the whole element came or went. None: there is no value on that side."""

    element: str
    how: str
    path: str
    before: str | None
    after: str | None


class Comparison(NamedTuple):
    """``left_out``: how many differences are not told."""

    differences: list[Difference]
    before: Marks
    after: Marks
    left_out: int


def compared(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Comparison:
    """Where several elements have one id, the first counts."""
    old = {str(each["id"]): each for each in reversed(before)}
    new = {str(each["id"]): each for each in reversed(after)}
    names = sorted({*old, *new}, key=[*new, *old].index)
    found = [difference for name in names for difference in _differences(name, old.get(name), new.get(name))]
    how = {difference.element: difference.how for difference in found}
    marks = [Marks(changed=_marked(side, how)) for side in (before, after)]
    return Comparison(found[:MOST], marks[0], marks[1], max(len(found) - MOST, 0))


def _marked(elements: Sequence[Mapping[str, Any]], how: Mapping[str, str]) -> dict[int, str]:
    return {index: how[name] for index, each in enumerate(elements) if (name := str(each["id"])) in how}


def _differences(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Iterator[Difference]:
    if old is None or new is None:
        sides = (None if old is None else _told(old), None if new is None else _told(new))
        yield Difference(name, ADDED if old is None else REMOVED, "", *sides)
        return
    for path, left, right in _leaves((), old, new):
        sides = (None if left is _NONE else _told(left), None if right is _NONE else _told(right))
        yield Difference(name, CHANGED, ".".join(path), *sides)


_NONE = object()


def _leaves(path: tuple[str, ...], old: Any, new: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """The members that differ, as deep as both sides have them."""
    if isinstance(old, dict) and isinstance(new, dict) and len(path) < _DEEP:
        left, right = cast("dict[str, Any]", old), cast("dict[str, Any]", new)
        for name in dict.fromkeys([*left, *right]):
            yield from _leaves((*path, name), left.get(name, _NONE), right.get(name, _NONE))
    elif _differ(old, new):
        yield path, old, new


def _differ(old: Any, new: Any) -> bool:
    """1 and true differ, as in JSON."""
    if old is _NONE or new is _NONE:
        return old is not new
    return codec.encode(old) != codec.encode(new)


def _told(value: Any) -> str:
    return codec.encode(value).decode("utf-8", "replace")
