"""What can be asked of analytics, and what comes back (docs/analytics.md)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from penstock.control.logs.schema import Start
from penstock.control.values import Text, spelt

GROUPS = ("gateway", "provider", "model", "outcome", "status_code", "status_class")
POINTS = 1_500  # in time
SERIES = 20_000  # points of all groups together
Grouping = Annotated[
    str,
    *spelt(rf"({'|'.join(GROUPS)}|metadata\.[^\x00]{{1,128}})", f"must be one of {', '.join(GROUPS)}, metadata.<key>"),
]
Pair = Annotated[str, *spelt(r"[^\x00=]{1,128}=[^\x00]*", "must be <key>=<value>")]


class AnalyticsQuery(BaseModel):
    """Query parameters of analytics."""

    model_config = ConfigDict(extra="forbid")

    start: Start | None = Field(None, description="From here on; the interval that it lies in is whole. A day ago.")
    end: Start | None = Field(None, description="Up to here; the interval that it lies in is whole. Now.")
    interval: Literal["minute", "hour", "day"] | None = Field(
        None, description="Of the points in time; chosen by start and end unless given."
    )
    group_by: Grouping | None = Field(
        None, description="What calls are told apart by; metadata.<key>: by the values of that key."
    )
    limit: int = Field(10, ge=1, le=100, description="Groups; the calls of others are one group without a name.")
    order_by: Literal["calls", "cost", "errors", "tokens_in", "tokens_out"] = Field(
        "calls", description="Which groups come first: those that have the most of this."
    )
    gateway: Text | None = Field(None, description="Only calls of this gateway.")
    provider: Text | None = Field(None, description="Only calls of this provider.")
    model: Text | None = Field(None, description="Only calls of this model.")
    outcome: Text | None = Field(None, description="Only calls that ended so.")
    status_code: int | None = Field(None, ge=0, le=999)
    status_class: int | None = Field(None, ge=0, le=9, description="5: only calls that were answered 500 to 599.")
    cached: bool | None = Field(None, description="Only hits of the cache, or only other calls.")
    success: bool | None = None
    metadata: Pair | None = Field(None, description="Only calls with this value of a key, as user=u1.")


class Percentiles(BaseModel):
    """Milliseconds; null: there was no call to tell. Interpolated within buckets."""

    average: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class Sums(BaseModel):
    """What calls come to."""

    calls: int
    errors: int = Field(description="Calls without success.")
    refusals: int = Field(description="Of them, those that Penstock refused.")
    cached: int = Field(description="Calls that the cache answered.")
    unpriced: int = Field(description="Calls whose cost is not known.")
    tokens_in: int
    tokens_out: int
    cache_read: int = Field(description="Input tokens that providers read from their own caches.")
    cost: float = Field(description="US dollars.")
    charge: float = Field(description="US dollars that accounts were charged.")
    saved_tokens_in: int
    saved_tokens_out: int
    saved_cost: float = Field(description="US dollars that hits of the cache saved.")
    duration: Percentiles
    latency: Percentiles = Field(description="To the first byte of the answer.")


class TimePoint(Sums):
    """Sums of one interval."""

    time: str = Field(json_schema_extra={"format": "date-time"}, description="The beginning of the interval.")


class Group(BaseModel):
    """The calls of one group; an interval without calls has no point."""

    group: str | int | None = Field(description="null: calls of all other groups, or of all where there are no groups.")
    totals: Sums
    series: list[TimePoint]


class Analytics(BaseModel):
    """What was asked, as it was understood, and what it comes to."""

    start: str = Field(json_schema_extra={"format": "date-time"})
    end: str = Field(json_schema_extra={"format": "date-time"})
    interval: str
    group_by: str | None
    totals: Sums
    groups: list[Group]


Answer = dict[str, Any]
