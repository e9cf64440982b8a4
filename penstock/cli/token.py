"""``penstock token``: API tokens, beside a running server, which notices within a second, or without one."""

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.store import Config, DatabaseUrl, DataDir
from penstock.core import codec
from penstock.core.errors import NotFound

if TYPE_CHECKING:
    from penstock.control.context import Control
    from penstock.control.tokens.service import Made

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API tokens.")

Account = Annotated[str | None, typer.Option(help="Id of the account, where there are several.", metavar="ID")]


@app.callback()
def token() -> None:
    """Make, list and revoke API tokens."""


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What it is for.", metavar="NAME")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it may do: read, metadata, write, run, workers, or a full name. Repeat for several.",
            metavar="SCOPE",
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="It may do everything.")] = False,
    email: Annotated[
        str | None, typer.Option(help="For clients that send X-Auth-Email and X-Auth-Key.", metavar="ADDRESS")
    ] = None,
    gateway: Annotated[
        list[str] | None, typer.Option(help="Id of a gateway it is limited to. Repeat for several.", metavar="ID")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(help="When it stops working: 2027-01-31 (UTC), or from now: 12h, 30d, 4w.", metavar="TIME"),
    ] = None,
    account: Account = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the token and nothing else.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Make a token. Its secret is shown this once."""
    from penstock.cli import token_flags
    from penstock.control.context import Context
    from penstock.control.tokens import service

    with store.failing("token create"):
        scopes = token_flags.scopes(scope or [], everything=everything)
        until = token_flags.expiry(expires)
        wish = token_flags.wish(name=name, scopes=scopes, email=email, gateways=gateway or None, expires_on=until)
        place = store.find(data_dir, database_url, config)
        owner = place.one(account)
        made = store.run(place, lambda control: service.create(Context(control, owner, store.user()), wish))
        for missing in made.missing:
            typer.echo(f"There is no gateway {missing!r} yet: the token will open it once there is.", err=True)
        _show_made(made, quiet=quiet)


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="Only the account of this id.", metavar="ID")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with every field.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """List the tokens, oldest first, without those that were revoked. Secrets are not kept, so none is shown."""
    with store.failing("token list"):
        place = store.find(data_dir, database_url, config)
        owners = place.accounts if account is None else (place.one(account),)
        found = store.run(place, lambda control: _all(control, owners))
        if as_json:
            for row in found:
                sys.stdout.write(codec.encode(row).decode() + "\n")
        else:
            _show(found, accounts=len(place.accounts) > 1)


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="Its id.", metavar="ID", hidden=True)],  # the usage line shows it
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Revoke the token of this id, as `penstock token list` shows it. A running server refuses it within a second."""
    with store.failing("token revoke"):
        place = store.find(data_dir, database_url, config)
        gone = store.run(place, lambda control: _revoke(control, place.accounts, token_id))
        typer.echo(f"Revoked {store.printable(gone['name'])!r} ({gone['id']}).")


def _show_made(made: "Made", *, quiet: bool) -> None:
    from penstock.control.tokens import schema

    if quiet:
        typer.echo(made.value)
        return
    told = schema.traits(made.token)
    typer.echo(f"Token {store.printable(told['name'])!r} of account {made.token.account}:\n\n    {made.value}\n")
    typer.echo("It is shown this once. A running server knows it within a second.\n")
    rows = [("id", made.token.id), ("scopes", ", ".join(told["scopes"])), ("gateways", _joined(told["gateways"]))]
    rows += [("e-mail", _plain(told["email"])), ("expires", _minute(told["expires_on"]))]
    typer.echo("\n".join(store.columns(rows)))


def _show(rows: list[dict[str, Any]], *, accounts: bool) -> None:
    """A table. Colour only on a terminal."""
    from rich.console import Console
    from rich.text import Text

    heading = ("id", *(["account"] if accounts else []), "name", "created", "expires", "e-mail", "gateways", "scopes")
    console = Console(highlight=False, soft_wrap=True)
    first, *lines = store.columns([heading, *(_cells(row, accounts=accounts) for row in rows)])
    console.print(Text(first, style="bold"))
    for row, line in zip(rows, lines, strict=True):
        console.print(Text(line, style="dim" if row["status"] == "expired" else ""))


def _cells(row: dict[str, Any], *, accounts: bool) -> list[str]:
    from penstock.cli.token_flags import abridged

    return [
        *(row["id"], *([row["account"]] if accounts else []), store.printable(row["name"])),
        *(_minute(row["created_at"]), _minute(row["expires_on"]), _plain(row["email"])),
        *(_joined(row["gateways"]), abridged(row["scopes"])),
    ]


def _plain(value: str | None) -> str:
    return value or "-"


def _joined(names: list[str] | None) -> str:
    return "all" if names is None else ", ".join(names)


def _minute(value: str | None) -> str:
    return "never" if value is None else value[:16].replace("T", " ")


async def _all(control: "Control", owners: tuple[str, ...]) -> list[dict[str, Any]]:
    from penstock.control.context import Context
    from penstock.control.tokens import service

    found: list[dict[str, Any]] = []
    for owner in owners:
        context = Context(control, owner, store.user())
        found += [{"account": owner, **row} for row in await store.every(partial(service.page, context))]
    return found


async def _revoke(control: "Control", owners: tuple[str, ...], token_id: str) -> dict[str, Any]:
    from penstock.control.context import Context
    from penstock.control.tokens import service

    for owner in owners:
        try:
            return await service.revoke(Context(control, owner, store.user()), token_id)
        except NotFound:
            continue
    raise NotFound(f"there is no token of the id {store.printable(token_id)}; `penstock token list` shows them.")
