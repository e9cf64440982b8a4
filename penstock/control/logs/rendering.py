"""A stored row as the API shows it."""

from typing import Any

from penstock.control.logs.schema import HEAD
from penstock.core import instants
from penstock.core.codec import decode
from penstock.model.credential import BYOK
from penstock.providers.kinds import CACHE_READ, REASONING
from penstock.providers.told import told
from penstock.storage.log.columns import BY_NAME, NANO
from penstock.storage.log.reader import LogRow, Summary

_SCORE = BY_NAME["score"].unit
_PLAIN = (
    *("id", "provider", "model", "model_type", "request_type", "path", "duration", "status_code", "success", "cached"),
    *("step", "tokens_in", "tokens_out", "custom_cost", "metadata", "request_content_type", "response_content_type"),
    *("user_agent", "outcome", "event_id", "authentication", "wholesale", "dlp_action", "feedback"),
)


def entry(row: LogRow) -> dict[str, Any]:
    """A row of a list; members as in ``schema.LogEntry``."""
    return _entry(row, decode(row.detail))


def detail(row: LogRow) -> dict[str, Any]:
    """One row, without heads; members as in ``schema.LogDetail``."""
    told = decode(row.detail)
    priced: dict[str, Any] = told.get("priced", {})
    return _entry(row, told) | {
        "method": told.get("method", ""),
        "request_size": row.request_size,
        "response_size": row.response_size,
        "attempts": told.get("attempts", []),
        "error": told.get("error"),
        "prices": priced.get("prices"),
        "parts": [_part(used, priced.get("terms", [])) for used in priced.get("used", [])],
        "warnings": told.get("warnings", []),
        "decisions": told.get("decisions", {}),
    }


def heads(request: bytes | None, response: bytes | None) -> dict[str, Any]:
    """The beginnings of the bodies; null: not kept."""
    shown: dict[str, Any] = {}
    for side, body in (("request", request), ("response", response)):
        # no character takes more than four bytes; the one that this may cut lies beyond the head
        text = None if body is None else body[: 4 * HEAD + 4].decode("utf-8", "replace")
        shown[f"{side}_head"] = None if text is None else text[:HEAD]
        shown[f"{side}_head_complete"] = None if text is None else len(text) <= HEAD
    return shown


def ranges(summary: Summary) -> dict[str, Any]:
    """What ``meta_info`` adds of them to ``result_info``."""
    told: dict[str, Any] = {}
    for name, ends in summary.ranges.items():
        for side, value in zip(("min", "max"), ends, strict=True):
            told[f"{side}_{name}"] = _dollars(value) if name == "cost" else value
    return told


def _entry(row: LogRow, told: dict[str, Any]) -> dict[str, Any]:
    created = instants.text(row.created_at)
    return {
        **{name: getattr(row, name) for name in _PLAIN},
        "created_at": created,
        "timestamp": created,
        "duration_ms": row.duration,
        "cost": _dollars(row.cost),
        "cost_source": _cost_source(row, told),
        "charge": _dollars(row.charge),
        "usage_metadata": _usage(row, told.get("usage")),
        "timings": told.get("timings", {}),
        "byok": _key_source(told) == BYOK,
        "compatibilityMode": row.compatibility_mode,
        "score": None if row.score is None else row.score / _SCORE,
    }


def _part(used: list[Any], terms: list[str]) -> dict[str, Any]:
    """``used``: as ``model.usage.Used``; ``terms``: of the whole answer."""
    kind, amount, *attributes = used
    own = [f"{name}={value}" for one in attributes for name, value in one]
    return {"kind": kind, "amount": amount, "terms": [*terms, *own]}


def _key_source(told: dict[str, Any]) -> str | None:
    decisions: dict[str, dict[str, str]] = told.get("decisions") or {}
    return decisions.get("key", {}).get("source")


def _cost_source(row: LogRow, told: dict[str, Any]) -> str | None:
    if row.cost is None or row.cached:
        return None
    return "custom" if row.custom_cost else told.get("cost_source") or ("list" if row.tokens_in is not None else None)


def _usage(row: LogRow, said: object) -> dict[str, int | None]:
    into, out = row.tokens_in, row.tokens_out
    total = None if into is None or out is None else into + out
    usage: dict[str, int | None] = {"input_tokens": into, "output_tokens": out, "total_tokens": total}
    for name, kind in (("output_reasoning_tokens", REASONING), ("input_cached_tokens", CACHE_READ)):
        if (found := told(said, kind)) is not None:
            usage[name] = found
    return usage


def _dollars(nanos: int | None) -> float | None:
    return None if nanos is None else nanos / NANO
