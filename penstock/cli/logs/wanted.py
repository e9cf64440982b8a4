"""Which calls a command is about: flags, as the filters of the API."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from penstock.cli.since import moment
from penstock.core import instants
from penstock.core.errors import Invalid

if TYPE_CHECKING:
    from penstock.storage.log.filters import Test

_Told = tuple[str, str, str, list[str]]  # a flag, and key, operator and values of a filter
_FILTER = re.compile(r"\s*([\w.]+)\s*(>=|<=|!=|=|>|<|~)\s*(.*?)\s*", re.DOTALL)
_OPERATORS = {"=": "eq", "!=": "neq", ">": "gt", "<": "lt", ">=": "gte", "<=": "lte", "~": "contains"}
_CLASS = re.compile(r"([1-5])xx", re.IGNORECASE)

Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        help="A field, one of = != > < >= <= ~ (contains), and a value: 'cost>0.01', 'provider=openai,groq'.",
        metavar="TEST",
    ),
]
Metadata = Annotated[list[str] | None, typer.Option(help="An entry of the metadata.", metavar="KEY=VALUE")]
Provider = Annotated[str | None, typer.Option(help="Id of the provider.", metavar="ID")]
Model = Annotated[str | None, typer.Option(help="Name of the model.", metavar="NAME")]
Status = Annotated[str | None, typer.Option(help="As 429, or 5xx.", metavar="STATUS")]
Success = Annotated[bool | None, typer.Option("--success/--failed", help="Those that were answered well, or not.")]
Cached = Annotated[bool | None, typer.Option("--cached/--not-cached", help="Those that the cache answered, or not.")]
Since = Annotated[str | None, typer.Option(help="A time ago, as 90m, 24h, 7d, or ISO 8601.", metavar="WHEN")]
Until = Annotated[str | None, typer.Option(help="The same; a day alone is included.", metavar="WHEN")]


class Wanted(NamedTuple):
    """What the flags said. Every one of them must hold."""

    filters: list[str] | None = None
    metadata: list[str] | None = None
    provider: str | None = None
    model: str | None = None
    status: str | None = None
    success: bool | None = None
    cached: bool | None = None
    since: str | None = None
    until: str | None = None

    def tests(self) -> "tuple[Test, ...]":
        """Raises Invalid, which names the flag."""
        from penstock.control.logs import filters

        made: list[Test] = []
        for flag, key, operator, values in self._told():
            if any("\ud800" <= sign <= "\udfff" for text in (key, *values) for sign in text):
                raise Invalid(f"{flag}: is not in the encoding of this terminal")
            pairs = [("filters.key", key), ("filters.operator", operator)]
            try:
                made += filters.tests([*pairs, *(("filters.value", value) for value in values)])
            except Invalid as error:
                raise Invalid(f"{flag}: {error.message.partition(': ')[2]}") from None
        return tuple(made)

    def _told(self) -> Iterator[_Told]:
        """What each flag said."""
        for text in self.filters or ():
            yield "--filter", *_split(text)
        for text in self.metadata or ():
            key, sign, value = text.partition("=")
            if not (key and sign):
                raise Invalid("--metadata: must be KEY=VALUE, as user=alice")
            yield "--metadata", f"metadata.{key}", "eq", [value]
        for name in ("provider", "model", "success", "cached"):
            if (value := getattr(self, name)) is not None:
                yield f"--{name}", name, "eq", [str(value)]
        if self.status is not None:
            yield from _status(self.status)
        if self.since is not None:
            yield "--since", "created_at", "gte", [instants.text(moment(self.since, "--since"))]
        if self.until is not None:
            yield "--until", "created_at", "lte", [instants.text(_end(self.until))]


def _status(text: str) -> Iterator[_Told]:
    if found := _CLASS.fullmatch(text):
        yield "--status", "status_code", "gte", [f"{found[1]}00"]
        yield "--status", "status_code", "lte", [f"{found[1]}99"]
    else:
        yield "--status", "status_code", "eq", [text]


def _split(text: str) -> tuple[str, str, list[str]]:
    found = _FILTER.fullmatch(text)
    if found is None:
        raise Invalid(f"--filter: {text!r} is none: write a field, one of {' '.join(_OPERATORS)}, and a value")
    return found[1], _OPERATORS[found[2]], found[3].split(",")


def _end(text: str) -> int:
    """A date alone stands for its last millisecond."""
    try:
        after = date.fromisoformat(text.strip()) + timedelta(days=1)
    except (ValueError, OverflowError):
        return moment(text, "--until")
    return moment(after.isoformat(), "--until") - 1
