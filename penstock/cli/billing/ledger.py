"""``penstock billing balance``, ``credit`` and ``ledger``."""

import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.since import moment
from penstock.cli.store import Account, Config, DatabaseUrl, DataDir
from penstock.core import codec, ids, instants
from penstock.core.errors import Invalid
from penstock.model.money import NANO, dollars
from penstock.storage import ledger as books
from penstock.storage.ledger import KINDS, Entry

if TYPE_CHECKING:
    from penstock.control.context import Control

_AMOUNT = re.compile(r"[-+]?\d{1,10}(\.\d{1,9})?", re.ASCII)
_HEADING = ("id", "account", "time", "kind", "credit", "other books", "note")
Amount = Annotated[str, typer.Argument(help="US dollars, as 25 or 0.5; below 0 they are taken back.", hidden=True)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, exact to the nano-dollar.")]


def balance(
    account: Account = None,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Show what accounts have: credit, and where it came from and went."""
    with store.failing("billing balance"):
        place = store.find(data_dir, database_url, config)
        owners = place.accounts if account is None else (place.one(account),)
        found = store.run(place, lambda control: _balances(control, owners))
        if as_json:
            for owner, amounts in found.items():
                sys.stdout.write(codec.encode({"account": owner, **amounts}).decode() + "\n")
        else:
            rows = [[owner, *map(dollars, amounts.values())] for owner, amounts in found.items()]
            typer.echo("\n".join(store.columns([["account", *books.BOOKS], *rows])))


def credit(
    amount: Amount,
    note: Annotated[str, typer.Option(help="Why; it stands in the ledger and in the audit trail.", metavar="TEXT")],
    adjustment: Annotated[
        bool, typer.Option("--adjustment", help="A correction, and no grant; below 0 it always is one.")
    ] = False,
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Give an account credit, or take some back. Servers that run know it within a second."""
    from penstock.control.billing import service

    with store.failing("billing credit"):
        nano = _nano(amount)
        entry = store.act(
            *(data_dir, database_url, config, account),
            lambda context: service.credit(context, nano, note, adjustment=adjustment),
        )
        typer.echo(f"{entry.kind} {ids.text(entry.id)}: {dollars(nano)} for account {entry.account}.")


def ledger(
    count: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the newest entries.")] = 50,
    kind: Annotated[
        list[str] | None, typer.Option(help=f"Only entries of this kind: {', '.join(KINDS)}.", metavar="KIND")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only from then on: 2h, 7d, a day or a time.", metavar="TIME")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only before then.", metavar="TIME")] = None,
    account: Account = None,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """List the entries of an account's ledger, newest first."""
    with store.failing("billing ledger"):
        if unknown := set(kind or ()) - set(KINDS):
            raise Invalid(f"--kind: there is none {min(unknown)!r}; there are {', '.join(KINDS)}")
        place = store.find(data_dir, database_url, config)
        times = (moment(since, "--since") if since else 0, moment(until, "--until") if until else 2**47)
        owner = place.one(account)
        rows = store.run(place, lambda control: _entries(control, owner, kind or KINDS, times, count))
        if as_json:
            for entry in rows:
                sys.stdout.write(codec.encode(_told(entry)).decode() + "\n")
        else:
            typer.echo("\n".join(store.columns([_HEADING, *map(_cells, rows)])))


async def _balances(control: "Control", owners: tuple[str, ...]) -> dict[str, dict[str, int]]:
    from penstock.storage.engine import within

    async with control.database.reading() as connection:
        return {
            owner: await within(connection, lambda sql, owner=owner: books.balances(sql, owner)) for owner in owners
        }


async def _entries(
    control: "Control", owner: str, kinds: "list[str] | tuple[str, ...]", times: tuple[int, int], count: int
) -> list[Entry]:
    from penstock.storage.engine import within

    async with control.database.reading() as connection:
        return await within(connection, lambda sql: books.page(sql, owner, count, kinds=kinds, times=times))


def _nano(amount: str) -> int:
    if not _AMOUNT.fullmatch(amount):
        raise Invalid("AMOUNT: must be dollars such as 25 or -0.5, with nine digits after the point at most")
    return int(Decimal(amount) * NANO)


def _told(entry: Entry) -> dict[str, Any]:
    """Amounts in nano-dollars."""
    return entry._asdict() | {
        "id": ids.text(entry.id),
        "at": instants.text(entry.at),
        "lines": dict(entry.lines),
    }


def _cells(entry: Entry) -> list[str]:
    lines = dict(entry.lines)
    return [
        *(ids.text(entry.id), entry.account, instants.text(entry.at)[:19].replace("T", " "), entry.kind),
        *(dollars(lines.get(books.CREDIT, 0)), ", ".join(_others(entry)), store.printable(entry.note or "-")),
    ]


def _others(entry: Entry) -> Iterator[str]:
    return (f"{book} {dollars(amount)}" for book, amount in entry.lines if book != books.CREDIT)
