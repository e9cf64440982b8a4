"""The columns that a list of calls can have. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Column(NamedTuple):
    """``name``: in the address. ``keys``: the way to its value in a row. ``order``: what lists are ordered by for it,
    empty where they cannot be. ``kind``: how ``logs/found.html`` shows it.
    """

    name: str
    title: str
    kind: str
    order: str = ""
    keys: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether its values are numbers, which stand at the right."""
        return self.kind in ("count", "dollars", "millis")

    def value(self, row: Mapping[str, Any]) -> Any:
        """Of a row; None: it has none."""
        found: Any = row
        for key in self.keys or (self.name,):
            found = found.get(key)
        return found


COLUMNS = (
    Column("created_at", "Time (UTC)", "time", "created_at"),
    Column("provider", "Provider", "word", "provider"),
    Column("model", "Model", "word", "model"),
    Column("status_code", "Status", "status", "status_code"),
    Column("tokens", "Tokens", "count", "tokens", ("usage_metadata", "total_tokens")),
    Column("tokens_in", "Tokens in", "count", "tokens_in"),
    Column("tokens_out", "Tokens out", "count", "tokens_out"),
    Column("cost", "Cost", "dollars", "cost"),
    Column("charge", "Charged", "dollars"),
    Column("duration", "Duration", "millis", "duration"),
    Column("latency", "First byte", "millis", "latency", ("timings", "latency")),
    Column("overhead", "Penstock's part", "millis", "", ("timings", "overhead")),
    Column("outcome", "Outcome", "word"),
    Column("success", "Succeeded", "flag", "success"),
    Column("cached", "From the cache", "flag", "cached"),
    Column("metadata", "Metadata", "word"),
    Column("model_type", "Kind of model", "word", "model_type"),
    Column("request_type", "Kind of request", "word"),
    Column("path", "Path", "word"),
    Column("step", "Step", "count"),
    Column("feedback", "Feedback", "feedback", "feedback"),
    Column("score", "Score", "count", "score"),
    Column("cost_source", "Cost by", "word"),
    Column("byok", "Stored key", "flag"),
    Column("wholesale", "Key of the configuration", "flag"),
    Column("authentication", "With a token", "flag"),
    Column("compatibilityMode", "Unified API", "flag"),
    Column("user_agent", "User agent", "word"),
    Column("request_content_type", "Request type", "word"),
    Column("response_content_type", "Answer type", "word"),
    Column("event_id", "Event", "word"),
    Column("id", "Id", "word"),
)
USUAL = ("created_at", "provider", "model", "status_code", "tokens", "cost", "duration")
_KNOWN = {column.name: column for column in COLUMNS}


def chosen(names: Iterable[str]) -> list[Column]:
    """The columns of these names, the usual ones where none is known."""
    wanted = set(names)
    return [column for column in COLUMNS if column.name in wanted] or [_KNOWN[name] for name in USUAL]
