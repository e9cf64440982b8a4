"""``penstock billing topups``, ``paid`` and ``cancel``: what accounts pay for credit."""

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.store import Account, Config, DatabaseUrl, DataDir
from penstock.core import codec
from penstock.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from penstock.control.context import Context, Control

_HEADING = ("id", "account", "created", "method", "state", "amount", "paid", "back", "reason")
Topup = Annotated[str, typer.Argument(help="Its id.", metavar="ID", hidden=True)]  # the usage line shows it


def topups(
    account: Account = None,
    state: Annotated[
        str | None, typer.Option(help="Only those that are pending, completed, failed or canceled.", metavar="STATE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with every field.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """List top-ups, newest first."""
    with store.failing("billing topups"):
        place = store.find(data_dir, database_url, config)
        owners = place.accounts if account is None else (place.one(account),)
        rows = [row for row in store.run(place, lambda control: _all(control, owners)) if state in {None, row["state"]}]
        if as_json:
            for row in rows:
                sys.stdout.write(codec.encode(row).decode() + "\n")
        else:
            typer.echo("\n".join(store.columns([_HEADING, *map(_cells, rows)])))


def paid(topup: Topup, data_dir: DataDir = None, database_url: DatabaseUrl = None, config: Config = None) -> None:
    """Mark a top-up paid: its account gets the credit, once. For the method manual; Stripe tells this itself."""
    from penstock.control.topups import service

    with store.failing("billing paid"):
        row = _do(service.paid, topup, data_dir, database_url, config)
        credited = f"account {row['account']} was credited ${_dollars(row['paid'])}, once"
        typer.echo(f"Top-up {row['id']} is {row['state']}: {credited}.")


def cancel(topup: Topup, data_dir: DataDir = None, database_url: DatabaseUrl = None, config: Config = None) -> None:
    """Cancel a top-up that waits."""
    from penstock.control.topups import service

    with store.failing("billing cancel"):
        row = _do(service.cancel, topup, data_dir, database_url, config)
        typer.echo(f"Top-up {row['id']} is {row['state']}.")


def _do(
    deed: "Callable[[Context, str], Awaitable[dict[str, Any]]]",
    topup: str,
    data_dir: str | None,
    database_url: str | None,
    config: str | None,
) -> dict[str, Any]:
    """With the account that it belongs to."""
    from penstock.control.context import Context

    place = store.find(data_dir, database_url, config)

    async def within(control: "Control") -> dict[str, Any]:
        for owner in place.accounts:
            try:
                return {"account": owner} | await deed(Context(control, owner, store.user()), topup)
            except NotFound:
                continue
        raise NotFound(f"there is no top-up {store.printable(topup)}; `penstock billing topups` shows them.")

    return store.run(place, within)


async def _all(control: "Control", owners: tuple[str, ...]) -> list[dict[str, Any]]:
    from penstock.control.context import Context
    from penstock.control.topups import service

    found: list[dict[str, Any]] = []
    for owner in owners:
        context = Context(control, owner, store.user())
        found += [{"account": owner, **row} for row in await store.every(partial(service.page, context))]
    return sorted(found, key=lambda row: row["id"], reverse=True)


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        *(row["id"], row["account"], row["created_at"][:16].replace("T", " "), row["method"], row["state"]),
        *(_dollars(row["amount"]), _dollars(row["paid"]), _dollars(row["refunded"])),
        store.printable(row["reason"] or "-"),
    ]


def _dollars(cents: int) -> str:
    return f"{cents / 100:.2f}"
