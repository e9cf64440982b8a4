"""What a Claude model accepts in a request; each refuses what it does not know with status 400.

https://platform.claude.com/docs/en/build-with-claude/thinking and the migration guides of the models.
"""

import re
from functools import lru_cache
from typing import NamedTuple

_NAME = re.compile(r"claude-(?:(\d)(?:[.-](\d))?-)?(opus|sonnet|haiku|fable|mythos)(?:-(\d)(?:[.-](\d{1,2}))?(?!\d))?")
_TOKENS = 8_192
_THOUGHT = 16_384  # what models that think unasked may spend on it


class Model(NamedTuple):
    """``off``: the type of ``thinking`` that turns it off; empty: off unless it is asked for; None: always on."""

    budget: bool = True  # thinks within a number of tokens
    adaptive: bool = False  # decides for itself how much it thinks, by an effort
    off: str | None = ""
    xhigh: bool = False  # knows this level of effort
    sampling: bool = True  # takes temperature, top_p and top_k
    both: bool = True  # takes temperature and top_p together
    formats: bool = True  # takes a schema of the answer, and strict tools
    forced: bool = True  # can be told to call a tool
    tokens: int = _TOKENS  # of an answer, where the client names no limit


def model_of(name: str) -> Model:
    """By family and version. A model that is none of Claude's is taken for one that accepts everything."""
    found = _NAME.search(name)
    return Model() if found is None else _model(*found.groups())


@lru_cache(maxsize=256)
def _model(older: str | None, minor: str | None, family: str, newer: str | None, newer_minor: str | None) -> Model:
    if older:
        return _older((int(older), int(minor or 0)))
    if newer is None:
        return _newer(family, (4, 7) if family == "mythos" else (9, 0))  # mythos-preview, or a name without a version
    return _newer(family, (int(newer), int(newer_minor or 0)))


def _older(version: tuple[int, int]) -> Model:
    thinks = version >= (3, 7)
    return Model(budget=thinks, formats=False, tokens=_TOKENS if version >= (3, 5) else 4_096)


def _newer(family: str, version: tuple[int, int]) -> Model:
    if version < (4, 6):
        return Model(both=version < (4, 1), formats=version >= (4, 5) or (family == "opus" and version == (4, 1)))
    if version < (4, 7):
        return Model(adaptive=True, both=False)
    top = family in ("fable", "mythos")
    latest = version >= (5, 1)  # 5.5 of those that have one, 5.1 of the others
    off = (
        None
        if top or (latest and family == "opus")
        else "between_tools"
        if latest and family == "sonnet"
        else "disabled"
    )
    forced = not top and (not latest or family == "haiku")  # never while it thinks
    tokens = _TOKENS if version < (5, 0) else _TOKENS + _THOUGHT
    return Model(budget=False, adaptive=True, off=off, xhigh=True, sampling=False, forced=forced, tokens=tokens)
