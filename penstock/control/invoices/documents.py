"""An invoice, or the receipt of a top-up, as a document: HTML, PDF, CSV, or JSON. Pure.

What callers chose, the names of models, is shown and nothing else: escaped in HTML, drawn as text in PDF, and never a
formula in CSV.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, cast

from penstock.core import codec, instants
from penstock.core.errors import Conflict
from penstock.model.money import CENT, NANO

FORMATS = {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = ("number", "account", "date", "provider", "model", "calls", "tokens_in", "tokens_out", "amount", "billed")


class Item(NamedTuple):
    """A line. ``amount``: nano-dollars, exactly; ``cents``: of the document's net."""

    description: str
    provider: str
    model: str
    calls: int
    tokens_in: int
    tokens_out: int
    amount: int
    cents: int


class Document(NamedTuple):
    """Amounts are cents, times milliseconds since the epoch. ``kind``: Invoice, or Receipt."""

    kind: str
    id: str
    number: str
    account: str
    issuer: str
    date: int
    period: str
    status: str
    items: tuple[Item, ...]
    net: int
    tax: int
    tax_name: str
    tax_percent: str
    credits: int
    due: int


def rendered(documents: Sequence[Document], kind: str) -> bytes:
    """Of one of FORMATS, or ``json``. Raises Conflict where the library is missing."""
    return {"html": html, "pdf": pdf, "csv": csv_of, "json": json_of}[kind](documents)


def money(cents: int) -> str:
    """``1,234.50``."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02}"


def exact(nano: int) -> str:
    """Dollars as a program reads them: ``0.000012``."""
    whole, rest = divmod(abs(nano), NANO)
    return f"{'-' if nano < 0 else ''}{whole}.{f'{rest:09}'.rstrip('0').ljust(2, '0')}"


def html(documents: Sequence[Document]) -> bytes:
    return _template().render(documents=documents).encode()


@lru_cache(1)
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  by need

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    cast("dict[str, object]", environment.filters).update(money=money, day=day)  # pyright: ignore[reportUnknownMemberType]
    return environment.from_string(Path(__file__).with_name("invoice.html").read_text("utf-8"))


def day(millis: int) -> str:
    return instants.text(millis)[:10]


def csv_of(documents: Sequence[Document]) -> bytes:
    """A row for each line, and one for the tax. ``amount`` is exact, in dollars; ``billed`` in dollars and cents."""
    return csv_text(_COLUMNS, (row for document in documents for row in _rows(document))).encode()


def csv_text(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heading)
    for row in rows:
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in row])
    return out.getvalue()


def _rows(document: Document) -> Iterable[Sequence[object]]:
    head = (document.number, document.account, day(document.date))
    for item in document.items:
        used = (item.provider, item.model or item.description, item.calls, item.tokens_in, item.tokens_out)
        yield (*head, *used, exact(item.amount), f"{item.cents / 100:.2f}")
    if document.tax:
        yield (*head, "", document.tax_name, "", "", "", exact(document.tax * CENT), f"{document.tax / 100:.2f}")


def json_of(documents: Sequence[Document]) -> bytes:
    told = [document._asdict() | {"items": [item._asdict() for item in document.items]} for document in documents]
    return codec.encode(told) + b"\n"


def pdf(documents: Sequence[Document]) -> bytes:
    if find_spec("reportlab") is None:
        raise Conflict("A PDF needs a library that is not installed: install penstock[pdf]; HTML and CSV say the same.")
    from penstock.control.invoices.pdf import draw  # noqa: PLC0415  by need

    return draw(documents)
