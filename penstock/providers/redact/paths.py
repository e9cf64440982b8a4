"""Paths of values that are not to be stored, such as ``request.messages[*].content``: their grammar, and trees of them.

A tree of an answer also has the places where the pieces of the same value stand in a stream's events, and in the
envelope of the API. Google's streams may be a list of events.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from penstock.providers.dialects import DIALECTS

MOST = 50  # paths of a gateway
LONGEST = 256  # characters of a path
METADATA, REQUEST, RESPONSE = "metadata", "request", "response"

SHAPE = r"(metadata\.[^\x00]{1,128}|(request|response)(\.[^.\[\]\x00]+|\[(\*|[0-9]{1,6})\])+)"
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\*|[0-9]+)\]")

Step = str | int | None  # a member, an element, every element
Steps = tuple[Step, ...]


class Tree(msgspec.Struct):
    """Of a value: whether all of it is replaced, or what within it."""

    whole: bool = False
    members: "dict[str, Tree]" = {}
    elements: "dict[int, Tree]" = {}
    every: "Tree | None" = None

    def __bool__(self) -> bool:
        return self.whole or bool(self.members or self.elements or self.every)


class Rules(msgspec.Struct, frozen=True):
    """What is replaced in each part of a record; ``stream``: in the events of an answer that is a stream."""

    metadata: Tree
    request: Tree
    response: Tree
    stream: Tree


@lru_cache(maxsize=1024)
def rules(paths: tuple[str, ...]) -> Rules:
    """The rules of paths that have the ``SHAPE``."""
    asked = _below(REQUEST, paths)
    answered = _below(RESPONSE, paths)
    events = [piece for path in answered for piece in _pieces(path)]
    return Rules(
        _tree((path[len(METADATA) + 1 :],) for path in paths if path.startswith(f"{METADATA}.")),
        _tree(asked),
        _tree([*answered, *((_ENVELOPE, *path) for path in answered), *((None, *path) for path in events)]),
        _tree([*events, *((_ENVELOPE, *path) for path in events)]),
    )


def _below(root: str, paths: Iterable[str]) -> list[Steps]:
    return [_steps(path[len(root) :]) for path in paths if path.startswith((f"{root}.", f"{root}["))]


def _steps(text: str) -> Steps:
    return tuple(name or (None if place == "*" else int(place)) for name, place in _STEP.findall(text))


def _tree(paths: Iterable[Steps]) -> Tree:
    top = Tree()
    for path in paths:
        at = top
        for step in path:
            if isinstance(step, str):
                at = at.members.setdefault(step, Tree())
            elif step is None:
                at.every = at = at.every or Tree()
            else:
                at = at.elements.setdefault(step, Tree())
        at.whole = True
    return top


def _pieces(path: Steps) -> list[Steps]:
    """Where the value stands in events. Which element an event is about, its place does not tell: it may be any."""
    path = (*(None if isinstance(step, int) else step for step in path),)
    found: list[Steps] = [path]
    for whole, piece in _PIECES:
        if path[: len(whole)] == whole:
            found.append((*piece, *path[len(whole) :]))
        elif whole[: len(path)] == path:
            found.append(piece)
    return found


_ENVELOPE = "result"
_PIECES = tuple((_steps(whole), _steps(piece)) for dialect in DIALECTS.values() for whole, piece in dialect.pieces)
