"""``penstock audit``: who changed what, read beside a running server or without one."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.store import Config, DatabaseUrl, DataDir
from penstock.control.audit.difference import changes
from penstock.core import codec

if TYPE_CHECKING:
    from penstock.storage.engine import Database

_STYLES = {"+": "green", "-": "red", " ": "yellow"}


def audit(
    count: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many of the newest changes.", metavar="NUMBER")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with every field.")] = False,
    account: Annotated[str | None, typer.Option(help="Only the account of this id.", metavar="ID")] = None,
    subject: Annotated[str, typer.Option(help="Only the gateway or the token of this id.", metavar="ID")] = "",
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Show the newest changes of tokens and gateways, oldest of them first: who, what, from what to what."""
    with store.failing("audit"):
        place = store.find(data_dir, database_url, config)
        owner = None if account is None else place.one(account)
        rows = store.run(place, lambda control: _newest(control.database, owner, subject, count))
        if as_json:
            for row in rows:
                sys.stdout.write(codec.encode(row).decode() + "\n")
        else:
            _show(rows, accounts=len(place.accounts) > 1)


async def _newest(database: "Database", account: str | None, subject: str, count: int) -> list[dict[str, Any]]:
    """Oldest first, as the API shows them."""
    from penstock.storage import audit as trail

    async with database.reading() as connection:
        rows, _ = await trail.page(connection, account, count, 0, subject=subject)
    return [trail.shown(row) for row in rows[::-1]]


def _show(rows: list[dict[str, Any]], *, accounts: bool) -> None:
    """A line for each change and, below it, one for each field. Colour only on a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for row in rows:
        when = row["created_at"][:19].replace("T", " ")
        where = f"  in {row['account']}" if accounts else ""
        what, who = f"{row['action']} {row['subject']}", f"  by {row['actor_name']} ({row['actor']}){where}"
        console.print(Text.assemble((when, "dim"), "  ", (store.printable(what), "bold"), store.printable(who)))
        for sign, line in changes(row["before"], row["after"]):
            console.print(Text(f"    {sign} {store.printable(line)}", style=_STYLES[sign]))
