"""What an address asks of the log: the fields of its form, as the API's own parameters. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode

from penstock.control.logs import filters
from penstock.control.logs.schema import LogQuery
from penstock.core import codec, instants
from penstock.core.errors import Invalid
from penstock.dashboard.forms import Faults, Form, Wrong, checked
from penstock.dashboard.logs.columns import USUAL, Column, chosen
from penstock.storage.log.filters import Test

HOUR = 3_600_000  # milliseconds
SPANS = {
    "": ("any time", 0),
    "15m": ("15 minutes", HOUR // 4),
    "1h": ("hour", HOUR),
    "24h": ("24 hours", 24 * HOUR),
    "7d": ("7 days", 168 * HOUR),
    "30d": ("30 days", 720 * HOUR),
}
RANGES = ("cost", "duration", "tokens_in", "tokens_out", "total_tokens")
_ENDS = tuple(f"{end}_{name}" for name in RANGES for end in ("min", "max"))
_WORDS = ("provider", "model", "model_type", "request_content_type", "response_content_type")
_CHOICES = ("success", "cached", "feedback")
_ORDER = ("order_by", "order_by_direction", "per_page")
_API = ("start_date", "end_date", "search", *_WORDS, *_CHOICES, *_ENDS, *_ORDER)
_PLACE = ("page", "cursor", "meta_info")
_OWN = ("gateway", "span", "status", "metadata_key", "metadata_value")
FOLDED = (
    *("start_date", "end_date", "metadata_key", "metadata_value", "filters", "feedback"),
    *("model_type", "request_content_type", "response_content_type", *_ENDS),
)
EMPTY_ROWS = 2  # of filters, that are offered
_STATUS = re.compile(r"([1-5])xx|[0-9]{1,3}")

ADDRESS = "/ui/logs"


@dataclass(frozen=True, slots=True)
class Row:
    """A filter of the form: a column, an operator, and values, one a line."""

    key: str = ""
    operator: str = "eq"
    value: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """``kept``: the fields that say something, without the place in the list; what a saved view is made of."""

    form: Form
    kept: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    query: LogQuery
    tests: tuple[Test, ...]
    faults: Faults

    def text(self, name: str) -> str:
        """A field as it came."""
        return self.form.text(name)

    @property
    def follows(self) -> bool:
        """Whether new calls are to appear by themselves: those of the newest page."""
        return self.form.text("follow") == "true" and self.may_follow

    @property
    def may_follow(self) -> bool:
        newest = self.query.order_by == "created_at" and not self.query.ascending
        return newest and not self.query.search and not self.query.cursor and self.query.page == 1

    @property
    def filtered(self) -> bool:
        """Whether there are rows that are not asked for."""
        listed = self.query.listed(self.tests)
        return bool(listed.where.tests or listed.search or listed.where.since or listed.where.until)

    @property
    def folds_open(self) -> bool:
        return bool(self.rows) or "rows" in self.form or any(self.text(name) for name in FOLDED)

    def at(self, address: str = ADDRESS, **changes: object) -> str:
        """An address that asks the same but for the changes; None leaves a field out."""
        pairs = [(name, value) for name, value in self.kept if name not in changes]
        pairs += [(name, str(value)) for name, value in changes.items() if value is not None]
        return f"{address}?{spelt(pairs)}" if pairs else address

    def ordered(self, column: Column) -> str:
        """The address of the list ordered by that column; the other way round where it is already."""
        again = self.query.order_by == column.order and not self.query.ascending
        order = None if column.order == "created_at" else column.order
        return self.at(order_by=order, order_by_direction="asc" if again else None)

    def way(self, column: Column) -> str:
        """As ``aria-sort`` says it."""
        if not column.order or self.query.order_by != column.order:
            return ""
        return "ascending" if self.query.ascending else "descending"


def spelt(pairs: Sequence[tuple[str, str]]) -> str:
    return urlencode(pairs, quote_via=quote, safe="[],:", errors="replace")


def read(form: Form, now: int) -> Asked:
    """``now``: milliseconds since the epoch."""
    told: list[tuple[str, str]] = []
    rows = ()
    wanted = chosen(name for value in form.all("columns") for name in value.split(","))
    query, tests = LogQuery.model_validate({}), tuple[Test, ...]()
    try:
        query = checked(LogQuery, _parameters(form, now))
    except Wrong as wrong:
        told += wrong.faults.told
    try:
        rows = tuple(_rows(form))
        tests = (*_status(form.text("status")), *_metadata(form), *filters.tests(list(_spread(rows))))
    except Invalid as error:
        told.append((".".join(map(str, error.path[1:])), error.message))
    kept = tuple(_kept(form, rows, wanted))
    return Asked(form, kept, rows, tuple(wanted), query, tests, Faults(told))


def _parameters(form: Form, now: int) -> dict[str, str]:
    given = {name: text for name in (*_API, *_PLACE) if (text := form.text(name))}
    _, length = SPANS.get(form.text("span"), SPANS[""])
    if length and "start_date" not in given:
        given["start_date"] = instants.text(now - length)
    if "cursor" in given and given.get("order_by", "created_at") != "created_at":
        del given["cursor"]
    return given


def _rows(form: Form) -> Iterator[Row]:
    """The rows of the form, and those of ``filters`` as JSON, which an address for the API has. Raises Invalid."""
    if text := form.text("filters"):
        filters.tests([("filters", text)])  # what is wrong with it is told as the API does
        told = cast("list[dict[str, Any]] | dict[str, Any]", codec.decode(text.encode()))
        for one in told if isinstance(told, list) else [told]:
            values = cast("list[Any]", one["value"] if isinstance(one["value"], list) else [one["value"]])
            lines = [value if isinstance(value, str) else codec.encode(value).decode() for value in values]
            yield Row(one["key"], one["operator"], "\n".join(lines))
    for number in range(filters.MOST):
        name = f"filters[{number}]"
        row = Row(
            form.text(f"{name}[key]"),
            form.text(f"{name}[operator]") or "eq",
            "\n".join(line for text in form.all(f"{name}[value]") for line in text.splitlines() if line.strip()),
        )
        if row.key or row.value:
            yield row


def _spread(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """As the API takes them."""
    for number, row in enumerate(rows):
        yield f"filters[{number}][key]", row.key
        yield f"filters[{number}][operator]", row.operator
        for value in row.value.splitlines():
            yield f"filters[{number}][value]", value.strip()


def _kept(form: Form, rows: Sequence[Row], wanted: Sequence[Column]) -> Iterator[tuple[str, str]]:
    for name in (*_OWN, *_API):
        if text := form.text(name):
            yield name, text
    yield from _spread(rows)
    names = [column.name for column in wanted]
    if names != list(USUAL):
        yield "columns", ",".join(names)
    if form.text("follow") == "true":
        yield "follow", "true"


def _status(text: str) -> Iterator[Test]:
    """Raises Invalid."""
    found = _STATUS.fullmatch(text)
    if found is None:
        if text:
            raise Invalid("status: must be a status, as 429, or a class of them, as 4xx", path=("query", "status"))
    elif found[1]:
        yield Test("status_code", "gte", (int(found[1]) * 100,))
        yield Test("status_code", "lte", (int(found[1]) * 100 + 99,))
    else:
        yield Test("status_code", "eq", (int(text),))


def _metadata(form: Form) -> Iterator[Test]:
    """Raises Invalid."""
    key, value = form.text("metadata_key"), form.text("metadata_value")
    if value and not key:
        raise Invalid("metadata: say under which key that value is", path=("query", "metadata_key"))
    if key and value:
        pairs = (("key", f"metadata.{key}"), ("operator", "eq"), ("value", value))
    elif key:
        pairs = (("key", "metadata.key"), ("operator", "eq"), ("value", key))
    else:
        return
    try:
        yield from filters.tests([(f"filters[0][{name}]", text) for name, text in pairs])
    except Invalid as error:
        raise Invalid(error.message, path=("query", "metadata_key")) from None
