"""``penstock keys test``: asks providers whether they accept the stored keys of a gateway."""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.keys import known_id
from penstock.cli.store import Account, Config, DatabaseUrl, DataDir, Gateway
from penstock.core import codec
from penstock.core.errors import Invalid, NotFound

if TYPE_CHECKING:
    from penstock.control.provider_configs.asking import Tested
    from penstock.core.sealing import Vault
    from penstock.core.settings import Settings
    from penstock.gateway.config import GatewayConfig
    from penstock.storage.engine import Database

_STATUS = {"refused": 1, "unreachable": 3, "unclear": 3, "not testable": 4}  # the first that there is counts


def try_keys(
    provider: Annotated[
        str | None, typer.Argument(help="Id of the provider; all keys of the gateway unless given.", metavar="PROVIDER")
    ] = None,
    alias: Annotated[str | None, typer.Option(help="The key's name; all unless given.", metavar="NAME")] = None,
    gateway: Gateway = "default",
    path: Annotated[
        str | None,
        typer.Option(help="What to GET below the provider, in the place of what Penstock knows.", metavar="PATH"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each key.")] = False,
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Ask providers whether they accept the stored keys, by a request that costs nothing.

    The exit status is 0 if all keys are accepted, 1 if one is refused, 3 if a provider could not be reached or its
    answer does not tell, 4 if nothing is known to test a key with, and 2 if the command is wrong.
    """
    with store.failing("keys test"):
        place, settings = store.find(data_dir, database_url, config), store.read(data_dir, database_url, config)
        owner, vault = place.one(account), store.vault(data_dir, database_url, config)
        if path is not None and provider is None:
            raise Invalid("--path: name the provider whose keys are to be tested with it")
        compiled = store.run(place, lambda control: _compiled(control.database, vault, owner, gateway))
        found = _examined(compiled, settings, provider, alias, path)
        if as_json:
            for one in found:
                sys.stdout.write(codec.encode(_row(one)).decode() + "\n")
        else:
            heading = ("provider", "alias", "outcome", "status", "message")
            typer.echo("\n".join(store.columns([heading, *map(_cells, found)])))
        outcomes = {one.verdict.outcome for one in found}
        status = next((status for outcome, status in _STATUS.items() if outcome in outcomes), 0)
    raise typer.Exit(status)


async def _compiled(database: "Database", vault: "Vault", account: str, gateway: str) -> "GatewayConfig":
    """Raises NotFound."""
    from penstock.control.custom_providers.compile_settings import customs
    from penstock.control.gateways.compile_settings import config
    from penstock.storage import definitions

    async with database.reading() as connection:
        definition = await definitions.of(connection, account, gateway)
    if definition is None:
        raise NotFound(f"there is no gateway {store.printable(gateway)}")
    return config(definition, vault, customs(definition.customs, vault))


def _examined(
    compiled: "GatewayConfig", settings: "Settings", provider: str | None, alias: str | None, path: str | None
) -> "list[Tested]":
    """Raises NotFound where there is no such key, and Invalid for settings that no server would start with."""
    import asyncio

    from penstock.doctor.stored_key import examine

    wanted = None if provider is None else known_id(provider)
    keys = [key for key in compiled.keys if wanted in (None, key.provider) and alias in (None, key.alias)]
    if not keys:
        named = f" {store.printable(alias)}" if alias is not None else ""
        whose = f" of {store.printable(provider)}" if provider is not None else ""
        raise NotFound(
            f"the gateway {store.printable(compiled.id)} has no key{named}{whose}; `penstock keys list` shows them."
        )
    try:
        return asyncio.run(examine(keys, compiled.customs, settings, os.environ, path=path))
    except ValueError as error:
        raise Invalid(str(error)) from None


def _row(tested: "Tested") -> dict[str, Any]:
    key, (outcome, status, message) = tested.key, tested.verdict
    said = {"outcome": outcome, "status": status, "message": message, "request": tested.request}
    return {"provider_slug": key.provider, "alias": key.alias, **said}


def _cells(tested: "Tested") -> list[str]:
    row = _row(tested)
    status = "-" if row["status"] is None else str(row["status"])
    cells = [row["provider_slug"], row["alias"], row["outcome"], status, row["message"]]
    return [store.printable(cell) for cell in cells]
