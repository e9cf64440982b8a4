"""``penstock keys``: stored keys of providers, beside a running server, which notices a change within a second."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli import rotate, store
from penstock.cli.store import Account, Config, DatabaseUrl, DataDir, Gateway
from penstock.core import codec
from penstock.core.errors import Invalid, NotFound

if TYPE_CHECKING:
    from penstock.control.context import Context, Control

app = typer.Typer(
    no_args_is_help=True, help="List, set, test and delete the stored keys of a gateway, and seal all secrets anew."
)

Provider = Annotated[str, typer.Argument(help="Id of the provider.", metavar="PROVIDER", hidden=True)]
Alias = Annotated[str, typer.Option(help="The key's name.", metavar="NAME")]

app.command("rotate-master")(rotate.rotate_master)


@app.callback()
def keys() -> None:
    """List, set, test and delete the stored keys of a gateway, and seal all secrets anew."""


@app.command("list")
def list_(
    gateway: Gateway = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with every field.")] = False,
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """List a gateway's keys, oldest first. Secrets are not shown."""
    with store.failing("keys list"):
        place = store.find(data_dir, database_url, config)
        owner = place.one(account)
        found = store.run(place, lambda control: _all(_context(control, owner), gateway))
        if as_json:
            for row in found:
                sys.stdout.write(codec.encode(row).decode() + "\n")
        else:
            heading = ("provider", "alias", "default", "key", "limit", "used", "refused")
            typer.echo("\n".join(store.columns([heading, *map(_cells, found)])))


@app.command("set")
def set_(
    provider: Provider,
    alias: Alias = "default",
    gateway: Gateway = "default",
    secret_file: Annotated[
        Path | None,
        typer.Option(
            "--from", help="A file that holds the key; without one it is read from standard input.", metavar="FILE"
        ),
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="Calls that name no alias use it.")] = False,
    rate_limit: Annotated[int | None, typer.Option(help="Attempts within the period.", metavar="N")] = None,
    rate_limit_period: Annotated[int | None, typer.Option(help="The period.", metavar="SECONDS")] = None,
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Store a key, or another secret of one that is there. The first key of a provider is its default.

    The secret is read from standard input, and asked for at a terminal; it is never a part of the command line, which
    other users can see.
    """
    with store.failing("keys set"):
        place = store.find(data_dir, database_url, config)
        owner, vault = place.one(account), store.vault(data_dir, database_url, config)
        limits = {"rate_limit": rate_limit, "rate_limit_period": rate_limit_period}
        wish = {name: value for name, value in limits.items() if value is not None}
        wish |= {"alias": alias, "secret": _secret(secret_file)} | ({"default_config": True} if default else {})
        made, done = store.run(place, lambda control: _set(_context(control, owner), gateway, provider, wish), vault)
        typer.echo(f"{done} the key {made['alias']!r} of {made['provider_slug']} ({made['id']}).")


@app.command()
def delete(
    provider: Provider,
    alias: Alias = "default",
    gateway: Gateway = "default",
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Delete a key. A running server stops to use it within a second."""
    with store.failing("keys delete"):
        place = store.find(data_dir, database_url, config)
        owner = place.one(account)
        gone = store.run(place, lambda control: _delete(_context(control, owner), gateway, provider, alias))
        typer.echo(f"Deleted the key {gone['alias']!r} of {gone['provider_slug']} ({gone['id']}).")


def _context(control: "Control", account: str) -> "Context":
    from penstock.control.context import Context

    return Context(control, account, store.user())


def _secret(file: Path | None) -> str:
    """Raises Invalid."""
    if file is not None:
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"--from: {file} cannot be read: {error}") from None
    elif sys.stdin.isatty():
        text = typer.prompt("Key", hide_input=True)
    else:
        text = sys.stdin.read()
    return text.strip()


async def _all(context: "Context", gateway: str) -> list[dict[str, Any]]:
    from penstock.control.provider_configs import service

    try:
        return await store.every(lambda asked: service.page(context, gateway, asked))
    except NotFound:
        raise NotFound(f"there is no gateway {store.printable(gateway)}") from None


async def _set(context: "Context", gateway: str, provider: str, wish: dict[str, Any]) -> tuple[dict[str, Any], str]:
    from penstock.control.gateways.schema import DEFAULT
    from penstock.control.gateways.service import ensure_default
    from penstock.control.provider_configs import schema, service

    if gateway == DEFAULT:
        await ensure_default(context)
    known = [key for key in await _all(context, gateway) if key["provider_slug"] == known_id(provider)]
    old = next((key for key in known if key["alias"] == wish["alias"]), None)
    if old is not None:
        body = schema.checked(schema.ProviderConfigUpdate, wish)
        return await service.update(context, gateway, old["id"], body), "Changed"
    given = {"provider_slug": provider, "default_config": not known} | wish
    new = schema.checked(schema.ProviderConfigCreate, given)
    return await service.create(context, gateway, new), "Stored"


async def _delete(context: "Context", gateway: str, provider: str, alias: str) -> dict[str, Any]:
    from penstock.control.provider_configs import service

    for key in await _all(context, gateway):
        if (key["provider_slug"], key["alias"]) == (known_id(provider), alias):
            return await service.delete(context, gateway, key["id"])
    told = f"{store.printable(provider)} has no key {store.printable(alias)} in the gateway {store.printable(gateway)}"
    raise NotFound(f"{told}; `penstock keys list` shows them.")


def known_id(provider: str) -> str:
    from penstock.providers import catalog

    row = catalog.load().get(provider)
    return provider if row is None else row.id


def _cells(key: dict[str, Any]) -> list[str]:
    refused = (
        "-" if key["last_refused_at"] is None else f"{_minute(key['last_refused_at'])} ({key['last_refused_status']})"
    )
    limit = f"{key['rate_limit']}/{key['rate_limit_period']}s" if key.get("rate_limit") else "-"
    preview = f"…{store.printable(key['secret_preview'])}" if key["secret_preview"] else "-"
    flag = "yes" if key["default_config"] else "no"
    return [
        key["provider_slug"],
        store.printable(key["alias"]),
        flag,
        preview,
        limit,
        _minute(key["last_used_at"]),
        refused,
    ]


def _minute(value: str | None) -> str:
    return "never" if value is None else value[:16].replace("T", " ")
