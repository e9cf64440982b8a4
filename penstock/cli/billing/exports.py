"""What providers say of their usage, in the files that they export: CSV, and the JSON of their usage and cost APIs.

A file is read line by line, so it may be of any size; JSON that is one value is read in one go.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple, TextIO, cast

from penstock.core import codec
from penstock.core.errors import Invalid
from penstock.model.money import NANO

_MOST = 10**15  # of anything; nobody has used so much
WHOLE = 256 << 20  # bytes of JSON that is one value
_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
_ITEM = re.compile(r", [^,]*$")  # of an item of an invoice: what of the model it is for


class Said(NamedTuple):
    """A line of an export: figures of a day (since the epoch) and a model (empty: of all). Costs are nano-dollars."""

    day: int
    model: str
    figures: dict[str, int]


class Export(NamedTuple):
    """The names of columns, and of members of JSON, below others with a dot. Of several days and models the first that
    is there counts; a figure is the sum of its columns. ``costs``: what is to be multiplied to make it dollars.
    """

    day: tuple[str, ...]
    model: tuple[str, ...]
    counts: Mapping[str, tuple[str, ...]]
    costs: Mapping[str, Decimal]

    @property
    def known(self) -> frozenset[str]:
        """All columns with a figure."""
        return frozenset(self.costs).union(*self.counts.values())


EXPORTS = {
    "openai": Export(
        day=("start_time", "start_time_iso"),
        model=("model", "line_item"),
        counts={
            "calls": ("num_model_requests",),
            "tokens_in": ("input_tokens",),
            "tokens_out": ("output_tokens",),
            "cache_read": ("input_cached_tokens",),
        },
        costs={"amount_value": Decimal(1), "amount.value": Decimal(1)},
    ),
    "anthropic": Export(
        day=("usage_date_utc", "starting_at"),
        model=("model_version", "model"),
        counts={
            "tokens_in": ("usage_input_tokens_no_cache", "uncached_input_tokens"),
            "tokens_out": ("usage_output_tokens", "output_tokens"),
            "cache_read": ("usage_input_tokens_cache_read", "cache_read_input_tokens"),
        },
        costs={"cost_usd": Decimal(1), "amount": Decimal("0.01")},  # its API tells cents
    ),
}


def read(path: Path, export: Export) -> Iterator[Said]:
    """Lines without figures are left out. Raises Invalid with the place of what is wrong, and OSError."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            start = file.read(4096).lstrip()[:1]
            file.seek(0)
            yield from _json(path, file, export) if start in ("{", "[") else _csv(path, file, export)
        except UnicodeDecodeError:
            raise Invalid(f"{path.name}: is no text in UTF-8") from None


def _csv(path: Path, file: TextIO, export: Export) -> Iterator[Said]:
    heading = file.readline()
    tab = "\t" if "\t" in heading else ","
    columns = [column.strip() for row in csv.reader([heading], delimiter=tab) for column in row]
    if not set(export.day) & set(columns) or not export.known & set(columns):
        raise Invalid(
            f"{path.name}:1: is no heading of such an export: it must have {' or '.join(export.day)}, and one of "
            f"{', '.join(sorted(name for name in export.known if '.' not in name))}"
        )
    rows = csv.reader(file, delimiter=tab)
    try:
        for row in rows:
            place = f"{path.name}:{rows.line_num + 1}"
            if row and len(row) != len(columns):
                raise Invalid(f"{place}: has {len(row)} columns, and the heading has {len(columns)}")
            if (said := _said(place, dict(zip(columns, row, strict=False)), export)) is not None:
                yield said
    except csv.Error as error:
        raise Invalid(f"{path.name}:{rows.line_num + 1}: is no CSV: {error}") from None


def _json(path: Path, file: TextIO, export: Export) -> Iterator[Said]:
    first = file.readline()
    try:
        values: Iterable[tuple[str, Any]] = [(f"{path.name}:1", codec.decode(first))]
        values = _lines(path, file, values)
    except codec.DecodeError:
        text = first + file.read(WHOLE)
        if file.read(1):
            raise Invalid(f"{path.name}: is larger than {WHOLE >> 20} MiB; write one page of it a line") from None
        try:
            values = [(path.name, codec.decode(text))]
        except codec.DecodeError as error:
            raise Invalid(f"{path.name}: is no JSON: {error}") from None
    for place, value in values:
        for number, (day, result) in enumerate(_results(place, value, export)):
            if (said := _said(f"{place}: result {number + 1}", day | result, export)) is not None:
                yield said


def _lines(path: Path, file: TextIO, first: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    yield from first
    for number, line in enumerate(file, 2):
        if line.strip():
            try:
                yield f"{path.name}:{number}", codec.decode(line)
            except codec.DecodeError as error:
                raise Invalid(f"{path.name}:{number}: is no JSON: {error}") from None


def _results(place: str, value: Any, export: Export) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Of pages, of one page, and of a bucket: when it began, and each of its results."""
    if isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from _results(place, one, export)
        return
    told = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if isinstance(results := told.get("results"), list):
        day = {name: told[name] for name in export.day if name in told}
        for result in cast("list[Any]", results):
            yield day, dict(_flat(result))
    elif "data" in told:
        yield from _results(place, told["data"], export)
    else:
        raise Invalid(f"{place}: is no page of a usage or cost report: it has neither data nor results")


def _flat(value: Any, within: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in cast("dict[str, Any]", value).items():
            yield from _flat(part, f"{within}.{name}" if within else name)
    else:
        yield within, value


def _said(place: str, row: Mapping[str, Any], export: Export) -> Said | None:
    figures: dict[str, int] = {}
    for figure, columns in export.counts.items():
        for column in columns:
            if (number := _number(place, column, row.get(column))) is not None:
                if number < 0 or number != int(number):
                    raise Invalid(f"{place}: {column}: must be a whole number, not {number}")
                figures[figure] = figures.get(figure, 0) + int(number)
    for column, factor in export.costs.items():
        if (number := _number(place, column, row.get(column))) is not None:
            figures["cost"] = figures.get("cost", 0) + round(number * factor * NANO)
    if not figures:
        return None
    model = next((str(row[name]) for name in export.model if row.get(name)), "")
    return Said(_day(place, row, export), _ITEM.sub("", model).strip(), figures)


def _number(place: str, column: str, value: Any) -> Decimal | None:
    """None: nothing is told."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > _MOST:
        raise Invalid(f"{place}: {column}: is no number: {str(value)[:40]!r}")
    return number


def _day(place: str, row: Mapping[str, Any], export: Export) -> int:
    name, value = next(((name, row[name]) for name in export.day if row.get(name) not in (None, "")), ("", ""))
    text = str(value).strip()
    try:
        if text.replace(".", "", 1).isdecimal():
            return int(float(text)) // _DAY
        return date.fromisoformat(text[:10]).toordinal() - _EPOCH
    except ValueError:
        raise Invalid(f"{place}: {name or export.day[0]}: is no day: {text[:40]!r}") from None
