"""``penstock billing close`` and ``invoices``: months of usage, closed once, and their documents."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli import store
from penstock.cli.store import Account, Config, DatabaseUrl, DataDir
from penstock.core.errors import Invalid

if TYPE_CHECKING:
    from penstock.control.context import Control

_KINDS = ("html", "pdf", "csv", "json")


def close(
    month: Annotated[str, typer.Option(help="The month: 2026-11.", metavar="MONTH")],
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Close a month, and those before that are open: what was charged becomes an invoice, for good. Closing it again
    changes nothing. A server does so by itself a day after a month has ended.
    """
    from penstock.control.invoices.close import close as closed
    from penstock.control.invoices.documents import money
    from penstock.control.invoices.terms import terms_of
    from penstock.storage.charged_usage import spelt

    with store.failing("billing close"):
        last = _month(month)
        place = store.find(data_dir, database_url, config)
        owner = None if account is None else place.one(account)
        terms = terms_of(store.read(data_dir, database_url, config))
        made = store.run(place, lambda control: closed(replace(control, terms=terms), last, store.user(), owner))
        for row in made:
            typer.echo(f"{row.number}  {spelt(row.month)}  {row.account}  ${money(row.total)}, ${money(row.due)} due")
        if not made:
            typer.echo(f"Nothing is left to close until the end of {spelt(last)}.")


def invoices(
    month: Annotated[str | None, typer.Option(help="Only of this month: 2026-11.", metavar="MONTH")] = None,
    account: Account = None,
    kind: Annotated[str, typer.Option("--format", help="html, pdf, csv or json.", metavar="FORMAT")] = "csv",
    out: Annotated[
        Path | None, typer.Option(help="Where to write it; else to standard output.", metavar="FILE")
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Write invoices, newest first, as one document."""
    from penstock.control.invoices import service
    from penstock.control.invoices.documents import rendered

    with store.failing("billing invoices"):
        if kind not in _KINDS:
            raise Invalid(f"--format: must be one of {', '.join(_KINDS)}")
        if kind == "pdf" and out is None and sys.stdout.isatty():
            raise Invalid("--out: a PDF goes into a file")
        wanted = None if month is None else _month(month)
        place = store.find(data_dir, database_url, config)
        owners = place.accounts if account is None else (place.one(account),)

        async def within(control: "Control") -> bytes:
            return rendered(await service.documents(control, owners, wanted), kind)

        content = store.run(place, within)
        if out is not None:
            out.write_bytes(content)
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()


def _month(text: str) -> int:
    """The number of a month. Raises Invalid."""
    year, _, number = text.partition("-")
    digits = len(year) == 4 and len(number) == 2 and (year + number).isascii() and (year + number).isdigit()  # noqa: PLR2004
    if not digits or not 1 <= int(number) <= 12 or int(year) < 1:  # noqa: PLR2004
        raise Invalid("--month: must be a month such as 2026-11")
    return int(year) * 12 + int(number) - 1
