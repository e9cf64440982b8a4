"""``penstock keys rotate-master``: another master key takes the place of the one before, beside a running server."""

from typing import TYPE_CHECKING

import typer

from penstock.cli import store
from penstock.cli.store import Config, DatabaseUrl, DataDir
from penstock.core.errors import Invalid

if TYPE_CHECKING:
    from penstock.control.resealing import Tally
    from penstock.storage.engine import Database

_NAMED = 20  # places that are named


def rotate_master(data_dir: DataDir = None, database_url: DatabaseUrl = None, config: Config = None) -> None:
    """Seal all stored secrets anew with the master key, and say when the previous one may go.

    Every server must have been started with both keys (master_key_previous, or the file master.key.previous). It may be
    interrupted, and started again.
    """
    with store.failing("keys rotate-master"):
        place, keys = store.find(data_dir, database_url, config), store.master_keys(data_dir, database_url, config)
        if len(keys) == 1:
            raise Invalid(
                "master_key_previous: is not set, and there is no master.key.previous: restart the servers with a new "
                "master key, and the one that they have now as the previous one, then run this again"
            )
        tally = store.run(place, lambda control: _reseal(control.database, keys))
        for name in tally.unopened[:_NAMED]:
            typer.echo(f"Neither key opens {store.printable(name)}; store it again.", err=True)
        if (more := len(tally.unopened) - _NAMED) > 0:
            typer.echo(f"Neither key opens {more} others.", err=True)
        typer.echo(f"Sealed anew: {tally.renewed}. Sealed with the master key: {tally.good}.")
        if not tally.done:
            typer.echo(
                f"At the last look, {tally.old} were sealed with the previous key: a server still seals with it. "
                "Restart all servers with both keys, then run this again.",
                err=True,
            )
            raise typer.Exit(1)
        typer.echo("Nothing is sealed with the previous key any more: it may go.")


async def _reseal(database: "Database", keys: tuple[bytes, ...]) -> "Tally":
    from penstock.control.resealing import reseal
    from penstock.core.sealing import Vault

    return [tally async for tally in reseal(database, Vault(*keys))][-1]
