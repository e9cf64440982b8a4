"""What the log looks like on the wire, and what can be asked of it."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from penstock.control.envelope import Envelope, ResultInfo
from penstock.control.logs.filters import is_member, whole
from penstock.control.values import STORABLE, WHOLE
from penstock.core import ids, instants
from penstock.core.codec import encode, json_schema
from penstock.core.errors import Invalid
from penstock.model.decision import Decisions
from penstock.storage.log.columns import BY_NAME, ORDERS
from penstock.storage.log.filters import LATEST, Filter, Operator, Test
from penstock.storage.log.listing import CREATED, Asked
from penstock.wire import metadata
from penstock.wire.headers import like_ours

PER_PAGE = 50
SEARCH = 500  # characters of a text
DELETED, MOST_DELETED = 10_000, 100_000  # rows that one call deletes: unless it says how many, and at most
HEAD = 4096  # characters of a body in a row's details
DAY = 24 * 3600 * 1000
_RANGES = ("cost", "duration", "tokens_in", "tokens_out", "total_tokens")
_WORDS = ("provider", "model", "model_type", "request_content_type", "response_content_type", "success", "cached")
_FEEDBACK = {0: -1, 1: 1}


def _moment(value: object) -> int:
    """Milliseconds of a text; those of a date alone are those of its first."""
    try:
        return min(max(instants.parse(str(value).upper()), 0), LATEST)
    except ValueError:
        sentence = "must be ISO 8601, as 2024-01-31 or 2024-01-31T12:00:00Z (a + in it must be sent as %2B)"
        raise PydanticCustomError("moment", "{sentence}", {"sentence": sentence}) from None


def _end(value: object) -> int:
    """A date alone stands for its last millisecond."""
    first = _moment(value)
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return first
    return min(first + DAY - 1, LATEST)


_DATED: dict[str, Any] = {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}
Start = Annotated[int, BeforeValidator(_moment), WithJsonSchema(_DATED)]
End = Annotated[int, BeforeValidator(_end), WithJsonSchema(_DATED)]
Number = Annotated[float, Field(allow_inf_nan=False)]


def _order(name: str) -> str:
    if name not in ORDERS:
        raise PydanticCustomError("order", "must be one of {orders}", {"orders": ", ".join(ORDERS)})
    return name


def _cursor(value: object) -> bytes:
    try:
        return ids.parse(str(value))
    except ValueError:
        raise PydanticCustomError("cursor", "must be a cursor of result_info, or the id of a row") from None


Cursor = Annotated[bytes, BeforeValidator(_cursor), WithJsonSchema({"type": "string", "format": "uuid"})]
Searched = Annotated[str, Field(min_length=2, max_length=SEARCH), *STORABLE]  # limits first: their sentences say more
Order = Annotated[str, AfterValidator(_order), WithJsonSchema({"type": "string", "enum": [*ORDERS]})]
Way = Literal["asc", "desc"]
_KIND = "Without parameters."
_SEARCH = "What a call has in its ids, names, metadata or bodies. Bodies: for who may read them."
_FILTERS = (
    'JSON: [{"key": …, "operator": …, "value": […]}]. Each must hold, by any of its values. Also as filters.key, '
    "filters.operator and filters.value, one after the other, or numbered: filters[0][key]."
)


def _may(description: str | None = None) -> Any:
    """A parameter that may be left out; in a query there is no way to write null."""
    return Field(None, description=description, json_schema_extra=_never_null)


def _never_null(schema: dict[str, Any]) -> None:
    schema.pop("default", None)
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    schema.update(*kinds)


def _without_members(given: object) -> object:
    """Single members of ``filters`` are read from the query itself: their order counts."""
    if not isinstance(given, dict):
        return given
    return {name: value for name, value in cast("dict[str, Any]", given).items() if not is_member(name)}


class LogQuery(BaseModel):
    """Query parameters of a list of logs. A row whose value is not known lies in no range."""

    model_config = ConfigDict(extra="forbid")

    page: int = Field(1, ge=1, le=10_000_000, description="Page, from 1.")
    per_page: int = Field(20, ge=1, le=PER_PAGE, description="Rows a page.")
    order_by: Order = Field("created_at", description="Rows that have no such value come last.")
    order_by_direction: Way | None = _may("The greatest or newest first (desc) unless said otherwise.")
    direction: Way | None = _may("Another name of order_by_direction, which counts if both come.")
    start_date: Start | None = _may("Rows from here on; without an offset it is UTC.")
    end_date: End | None = _may("Rows up to here; a date alone includes that day.")
    provider: str | None = _may()
    model: str | None = _may()
    model_type: str | None = _may()
    request_content_type: str | None = _may(_KIND)
    response_content_type: str | None = _may(_KIND)
    success: bool | None = _may()
    cached: bool | None = _may()
    feedback: Annotated[int, Field(json_schema_extra={"enum": [0, 1]}, ge=0, le=1)] | None = _may("0: down, 1: up.")
    filters: str | None = _may(_FILTERS)
    search: Searched | None = _may(_SEARCH)
    cursor: Cursor | None = _may("Of result_info: the page that goes on from there, whatever page says.")
    min_cost: Number | None = _may("US dollars.")
    max_cost: Number | None = _may("US dollars.")
    min_duration: Number | None = _may("Milliseconds.")
    max_duration: Number | None = _may("Milliseconds.")
    min_tokens_in: Number | None = _may()
    max_tokens_in: Number | None = _may()
    min_tokens_out: Number | None = _may()
    max_tokens_out: Number | None = _may()
    min_total_tokens: Number | None = _may()
    max_total_tokens: Number | None = _may()
    meta_info: bool = Field(default=False, description="Also count all rows that match, and tell their ranges.")

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page

    @property
    def ascending(self) -> bool:
        return (self.order_by_direction or self.direction) == "asc"

    @model_validator(mode="before")
    @classmethod
    def _without_members(cls, given: object) -> object:
        return _without_members(given)

    def listed(self, tests: tuple[Test, ...] = (), *, bodies: bool = True) -> Asked:
        """Its first page, or the one from the cursor on. ``bodies``: whether they may be searched. Raises Invalid."""
        if self.order_by != CREATED and (self.search or self.cursor):
            name = "search" if self.search else "cursor"
            raise Invalid(f"{name}: goes with the order of created_at alone", path=("query", name))
        return Asked(
            where=self.filter(tests),
            limit=self.per_page,
            ascending=self.ascending,
            order=self.order_by,
            beyond=self.cursor,
            search=self.search or "",
            bodies=bodies,
        )

    def filter(self, tests: tuple[Test, ...] = ()) -> Filter:
        """``tests``: what else must hold, of ``filters``."""
        own = [Test(name, "eq", (value,)) for name in _WORDS if (value := getattr(self, name)) is not None]
        if self.feedback is not None:
            own.append(Test("feedback", "eq", (_FEEDBACK[self.feedback],)))
        for name in _RANGES:
            own += _range(name, getattr(self, f"min_{name}"), getattr(self, f"max_{name}"))
        return Filter((*own, *tests), self.start_date, self.end_date)


def _range(name: str, least: float | None, most: float | None) -> list[Test]:
    """In whole units; dollars are compared as they are written, not as the nearest binary fraction."""
    ends: tuple[tuple[Operator, float | None], ...] = (("gte", least), ("lte", most))
    unit = BY_NAME[name].unit
    return [
        Test(name, operator, (whole(operator, Decimal(str(end)), unit),)) for operator, end in ends if end is not None
    ]


class LogDelete(BaseModel):
    """Query parameters of a deletion."""

    model_config = ConfigDict(extra="forbid")

    filters: str | None = _may(_FILTERS)
    before: Start | None = _may("Rows older than that; without an offset it is UTC.")
    limit: int = Field(DELETED, ge=1, le=MOST_DELETED, description="Rows that go, at most.")
    order_by: Order = Field("created_at", description="Which rows go where there are more. Those without a value last.")
    order_by_direction: Way | None = _may("The least or oldest first (asc) unless said otherwise.")

    @model_validator(mode="before")
    @classmethod
    def _without_members(cls, given: object) -> object:
        return _without_members(given)

    def deleted(self, tests: tuple[Test, ...] = ()) -> Asked:
        """Which rows go. ``tests``: of ``filters``."""
        where = Filter(tests, None, None if self.before is None else self.before - 1)
        return Asked(where, self.limit, ascending=self.order_by_direction != "desc", order=self.order_by)


# What people say of a row


def _vote(value: object) -> object:
    if isinstance(value, bool) or value not in (-1, 1, None):
        raise PydanticCustomError("vote", "must be 1, -1 or null")
    return value


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    """What the header ``cf-aig-metadata`` would lose is refused here."""
    try:
        sent = encode(value)
    except UnicodeEncodeError:
        lost = ["half of a character"]
    else:
        _, lost = metadata.read(sent)
        if like_ours(sent):
            lost = ["it holds what looks like a token of this gateway"]
    if lost:
        raise PydanticCustomError("metadata", "{sentence}", {"sentence": lost[0]})
    return value


_ENTRIES: dict[str, Any] = {
    "type": "object",
    "maxProperties": metadata.ENTRIES,
    "propertyNames": {"maxLength": metadata.KEY_LIMIT},
    "additionalProperties": {
        "anyOf": [{"type": "string", "maxLength": metadata.VALUE_LIMIT}, {"type": "number"}, {"type": "boolean"}]
    },
}
Metadata = Annotated[dict[str, Any], AfterValidator(_metadata), WithJsonSchema(_ENTRIES)]
Vote = Annotated[int, BeforeValidator(_vote), WHOLE, WithJsonSchema({"enum": [-1, 1]})]
_SCORE = BY_NAME["score"].unit


class LogEdit(BaseModel):
    """What people say of a call. What is left out stays; null takes it back."""

    model_config = ConfigDict(extra="forbid", strict=True)

    feedback: Vote | None = Field(None, description="1: thumbs up; -1: down.")
    score: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = Field(
        None, description=f"Kept to 1/{_SCORE}."
    )
    metadata: Metadata | None = Field(None, description="In the place of what the row has; rules of cf-aig-metadata.")

    def values(self) -> dict[str, Any]:
        """What was sent, as the log stores it."""
        sent = self.model_dump(include=self.model_fields_set)
        if sent.get("score") is not None:
            sent["score"] = round(sent["score"] * _SCORE)
        if sent.get("metadata") is not None:
            sent["metadata"], _ = metadata.read(encode(sent["metadata"]))
        return sent


# What comes back


class Nothing(BaseModel):
    """It is done."""


class DeletedInfo(BaseModel):
    """What a deletion did."""

    count: int = Field(description="Rows that were deleted.")
    more: bool = Field(description="Whether there may be more that match.")


class LogsDeleted(Envelope):
    """The answer of a deletion."""

    result: None
    result_info: DeletedInfo


class UsageMetadata(BaseModel):
    """Tokens, as the provider reported them. What it did not say is left out."""

    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    output_reasoning_tokens: int | None = None
    input_cached_tokens: int | None = None


class LogEntry(BaseModel):
    """A row of the log."""

    id: str
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    timestamp: str = Field(json_schema_extra={"format": "date-time"}, description="The same as created_at.")
    provider: str
    model: str
    model_type: str | None
    request_type: str | None
    path: str
    duration: int = Field(description="Milliseconds.")
    duration_ms: int = Field(description="The same as duration.")
    status_code: int = Field(description="What the client saw; 0 where it left before there was anything to see.")
    success: bool
    cached: bool
    step: int
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None = Field(description="US dollars; null where it is not known.")
    cost_source: str | None
    custom_cost: bool
    charge: float | None = Field(description="US dollars that the account was charged; null: it was not.")
    metadata: str | None = Field(description="A JSON object, as text.")
    request_content_type: str | None
    response_content_type: str | None
    user_agent: str | None
    outcome: str
    event_id: str
    usage_metadata: UsageMetadata
    timings: dict[str, float]
    authentication: bool = Field(description="Whether a token of this gateway let the call in.")
    wholesale: bool = Field(description="Whether a key of the configuration travelled with it.")
    byok: bool = Field(description="Whether a key that is stored in the gateway travelled with it.")
    compatibilityMode: bool = Field(description="Whether it came by the unified API.")  # noqa: N815  the API's name
    dlp_action: str | None
    feedback: int | None
    score: float | None


class Part(BaseModel):
    """A thing that was paid for by the price list."""

    kind: str = Field(description="A kind of tokens or a fee, as input, output, cache_read.")
    amount: int
    terms: list[str] = Field(description="What sets another price than the kind's own, as name=value.")


class LogDetail(LogEntry):
    """A row with all that is known of the call. Heads are there for who may read bodies, and where they were kept."""

    method: str
    request_size: int
    response_size: int
    attempts: list[dict[str, Any]]
    prices: str | None = Field(description="By which price list the cost was computed; null: by none.")
    parts: list[Part] = Field(description="What the cost by the list was computed from.")
    error: str | None
    warnings: list[str]
    decisions: Annotated[dict[str, Any], WithJsonSchema(json_schema(Decisions))] = Field(
        description="What features decided about the step. A feature that was not in effect has no member."
    )
    request_head: str | None = Field(None, description=f"The first {HEAD} characters.")
    request_head_complete: bool | None = None
    response_head: str | None = Field(None, description=f"The first {HEAD} characters.")
    response_head_complete: bool | None = None


class LogsInfo(ResultInfo):
    """Where a page stands; counts and ranges with meta_info only."""

    cursor: str | None = Field(None, description="Where the next page begins; left out where there is none.")

    min_cost: float | None = None
    max_cost: float | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    min_tokens_in: int | None = None
    max_tokens_in: int | None = None
    min_tokens_out: int | None = None
    max_tokens_out: int | None = None
    min_total_tokens: int | None = None
    max_total_tokens: int | None = None


class LogsAnswer(Envelope):
    """A page of rows."""

    result: list[LogEntry]
    result_info: LogsInfo
