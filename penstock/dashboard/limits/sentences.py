"""Limits on money in words. Pure."""

from penstock.features.spend.rules import Rule

_UNITS = ((604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_NAMED = {"daily": "day", "weekly": "week", "monthly": "month"}
_SLIDING = {"day": "24 hours", "week": "7 days", "month": "30 days"}
_FEW = 10  # values that a sentence names


def whom(rule: Rule) -> str:
    """The calls that a rule holds for: ``calls to gpt-5, for each value of user``."""
    parts = ["calls"]
    if rule.models is not None:
        parts.append(f"to {_any(rule.models)}")
    if rule.providers is not None:
        parts.append(f"{'of' if rule.models is not None else 'to'} {_any(rule.providers)}")
    parts += [f"with {key} {_any(values)}" for key, values in rule.filters]
    told = "all calls" if parts == ["calls"] else " ".join(parts)
    if rule.partitions:
        told += f", for each value of {' and '.join(rule.partitions)} by itself"
    return told


def within(window: int | str, technique: str) -> str:
    """The time for which a limit holds: seconds, or ``day``, ``week``, ``month``, ``forever``."""
    if window == "forever":
        return "in all"
    window = _NAMED.get(str(window), window)
    span = window if isinstance(window, str) else _span(window)
    if technique == "sliding":
        return f"in any {_SLIDING.get(span, span)}"
    return f"each {span}"


def _span(seconds: int) -> str:
    """``hour``, ``6 hours``."""
    for size, unit in _UNITS:
        if seconds == size:
            return unit
        if seconds % size == 0:
            return f"{seconds // size:,} {unit}s"
    raise AssertionError


def _any(values: frozenset[str]) -> str:
    """``a, b or c``."""
    named = sorted(values)
    if len(named) > _FEW:
        named = [*named[:_FEW], f"{len(named) - _FEW:,} more"]
    *first, last = named or ["nothing"]
    return f"{', '.join(first)} or {last}" if first else last
