"""What an element does, in a few words: for its box in the drawing, and for its line in the outline."""

from collections.abc import Mapping
from typing import Any, cast

from penstock.core import codec

KINDS = {
    "start": "Start",
    "conditional": "Condition",
    "percentage": "Split",
    "rate": "Limit",
    "rate_limit": "Limit",
    "model": "Model",
    "end": "End",
}
SIGNS = {"$eq": "=", "$ne": "≠", "$gt": ">", "$gte": "≥", "$lt": "<", "$lte": "≤"}
_SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_MOST = 300  # characters


def summary(element: Mapping[str, Any]) -> str:
    """Of any element that can be stored, whatever is in its properties."""
    given: Any = element.get("properties")
    properties: dict[str, Any] = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    kind = element.get("type", "")
    told = _TOLD[kind](properties) if kind in _TOLD else ""
    return told if len(told) <= _MOST else f"{told[:_MOST]}…"


def _start(_: Mapping[str, Any]) -> str:
    return "a call begins here"


def _end(_: Mapping[str, Any]) -> str:
    return "the answer goes back"


def _conditional(properties: Mapping[str, Any]) -> str:
    given = properties.get("conditions", properties.get("condition"))
    return "no condition yet" if given is None else condition(given)


def condition(given: Any) -> str:
    """``metadata.plan = free and body.n > 1``; what is not that simple: as JSON."""
    members = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    tests = [_test(name, value) for name, value in members.items()]
    if not tests or None in tests:
        return codec.encode(given).decode("utf-8", "replace")
    return " and ".join(filter(None, tests))


def _test(field: str, value: Any) -> str | None:
    """None: it cannot be said in a few words."""
    if field.startswith("$"):
        return None
    if not isinstance(value, dict | list):
        return f"{field} = {_scalar(value)}"
    if isinstance(value, list) or len(cast("dict[str, Any]", value)) != 1:
        return None
    ((operator, operand),) = cast("dict[str, Any]", value).items()
    if operator == "$exists":
        return f"{field} is {'there' if operand else 'not there'}"
    if isinstance(operand, dict):
        return None
    return f"{field} {SIGNS.get(operator, operator.removeprefix('$'))} {_scalar(operand)}"


def _scalar(value: Any) -> str:
    return value if isinstance(value, str) else codec.encode(value).decode("utf-8", "replace")


def _percentage(properties: Mapping[str, Any]) -> str:
    by = properties.get("stickyBy")
    return f"divides calls, kept by {by}" if by else "divides calls by chance"


def _limit(properties: Mapping[str, Any]) -> str:
    limit, window = properties.get("limit", "?"), properties.get("window", properties.get("interval", "?"))
    amount = f"${limit}" if properties.get("limitType") == "cost" else "1 call" if limit == 1 else f"{limit} calls"
    return f"{amount} in {_span(window)} by {properties.get('key', '?')}"


def _span(seconds: Any) -> str:
    if isinstance(seconds, int) and seconds > 0:
        for size, name in _SPANS:
            if seconds % size == 0:
                return f"1 {name}" if seconds == size else f"{seconds // size} {name}s"
    return f"{seconds} seconds"


def _model(properties: Mapping[str, Any]) -> str:
    targets: Any = properties.get("targets")
    if isinstance(targets, list) and targets:
        listed = cast("list[Any]", targets)
        if len(listed) > 1:
            return f"{len(listed)} models, {properties.get('strategy', 'weighted')}"
        properties = cast("dict[str, Any]", listed[0]) if isinstance(listed[0], dict) else {}
    return f"{properties.get('provider', '?')}/{properties.get('model', '?')}"


_TOLD = {
    "start": _start,
    "end": _end,
    "conditional": _conditional,
    "percentage": _percentage,
    "rate": _limit,
    "rate_limit": _limit,
    "model": _model,
}
