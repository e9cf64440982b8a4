"""``penstock token``: API tokens, beside a running server, which notices within a second, or without one."""

import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.store import Config, DatabaseUrl, DataDir
from penstock.core import codec
from penstock.core.errors import NotFound

if TYPE_CHECKING:
    from penstock.control.context import Context, Control

app = typer.Typer(no_args_is_help=True, help="Make, list, change and revoke API tokens.")

Account = Annotated[str | None, typer.Option(help="Id of the account, where there are several.", metavar="ID")]
TokenId = Annotated[str, typer.Argument(help="Its id.", metavar="ID", hidden=True)]  # the usage line shows it
Budget = Annotated[
    str | None,
    typer.Option(
        help="US dollars that calls with it may cost: 50/month, 10/day, 5/week, 2/3600s, or 100 for ever; with "
        "`sliding` behind it for any interval of that length.",
        metavar="AMOUNT",
    ),
]
Rate = Annotated[
    str | None,
    typer.Option(help="Calls that may be made with it: 60/min, 2/s, 1000/h, 5000/day, 10/90s.", metavar="CALLS"),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        help="The only models that it calls: provider/model, where * stands for any characters. Repeat for several.",
        metavar="PATTERN",
    ),
]


@app.callback()
def token() -> None:
    """Make, list, change and revoke API tokens."""


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What it is for.", metavar="NAME")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it may do: read, metadata, write, run, billing, workers, or a full name. Repeat for several.",
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
    budget: Budget = None,
    rate: Rate = None,
    models: Models = None,
    account: Account = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the token and nothing else.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Make a token. Its secret is shown this once."""
    from penstock.cli import token_flags, token_shown
    from penstock.control.context import Context
    from penstock.control.tokens import service

    with store.failing("token create"):
        scopes = token_flags.scopes(scope or [], everything=everything)
        until = token_flags.expiry(expires)
        wish = token_flags.wish(
            name=name,
            scopes=scopes,
            email=email,
            gateways=gateway or None,
            expires_on=until,
            budget=token_flags.budget(budget),
            rate_limit=token_flags.rate(rate),
            models=models or None,
        )
        place = store.find(data_dir, database_url, config)
        owner = place.one(account)
        made = store.run(place, lambda control: service.create(Context(control, owner, store.user()), wish))
        for missing in made.missing:
            typer.echo(f"There is no gateway {missing!r} yet: the token will open it once there is.", err=True)
        token_shown.made(made, quiet=quiet)


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="Only the account of this id.", metavar="ID")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with every field.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """List the tokens, oldest first, without those that were revoked. Secrets are not kept, so none is shown."""
    from penstock.cli import token_shown

    with store.failing("token list"):
        place = store.find(data_dir, database_url, config)
        owners = place.accounts if account is None else (place.one(account),)
        found = store.run(place, lambda control: _all(control, owners))
        if as_json:
            for row in found:
                sys.stdout.write(codec.encode(row).decode() + "\n")
        else:
            token_shown.table(found, accounts=len(place.accounts) > 1)


@app.command()
def show(
    token_id: TokenId,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Show the token of this id, and what its holder may spend and call."""
    from penstock.cli import token_shown
    from penstock.control.tokens import service

    with store.failing("token show"):
        place = store.find(data_dir, database_url, config)
        found = store.run(place, lambda control: _one(control, place.accounts, token_id, service.get))
        typer.echo(codec.indented(found) if as_json else token_shown.card(found), nl=not as_json)


@app.command()
def edit(
    token_id: TokenId,
    name: Annotated[str | None, typer.Option(help="What it is for.", metavar="NAME")] = None,
    budget: Budget = None,
    rate: Rate = None,
    models: Models = None,
    expires: Annotated[
        str | None, typer.Option(help="When it stops working: 2027-01-31 (UTC), or from now: 30d.", metavar="TIME")
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Change what the holder of a token may spend and call: its secret stays. `none` takes a limit away.

    A running server knows it within a second.
    """
    from penstock.cli import token_flags, token_shown
    from penstock.control.tokens import service

    with store.failing("token edit"):
        body = token_flags.change(name=name, budget=budget, rate_limit=rate, models=models, expires_on=expires)
        place = store.find(data_dir, database_url, config)

        async def change(context: "Context", found: str) -> dict[str, Any]:
            return await service.update(context, found, body)

        typer.echo(token_shown.card(store.run(place, lambda control: _one(control, place.accounts, token_id, change))))


@app.command()
def revoke(
    token_id: TokenId,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Revoke the token of this id, as `penstock token list` shows it. A running server refuses it within a second."""
    from penstock.control.tokens import service

    with store.failing("token revoke"):
        place = store.find(data_dir, database_url, config)
        gone = store.run(place, lambda control: _one(control, place.accounts, token_id, service.revoke))
        typer.echo(f"Revoked {store.printable(gone['name'])!r} ({gone['id']}).")


async def _all(control: "Control", owners: tuple[str, ...]) -> list[dict[str, Any]]:
    from penstock.control.context import Context
    from penstock.control.tokens import service

    found: list[dict[str, Any]] = []
    for owner in owners:
        context = Context(control, owner, store.user())
        found += [{"account": owner, **row} for row in await store.every(partial(service.page, context))]
    return found


async def _one(
    control: "Control",
    owners: tuple[str, ...],
    token_id: str,
    act: Callable[["Context", str], Awaitable[dict[str, Any]]],
) -> dict[str, Any]:
    """What an action on the token answers, in whichever account it is. Raises NotFound."""
    from penstock.control.context import Context

    for owner in owners:
        try:
            return await act(Context(control, owner, store.user()), token_id)
        except NotFound:
            continue
    raise NotFound(f"there is no token of the id {store.printable(token_id)}; `penstock token list` shows them.")
