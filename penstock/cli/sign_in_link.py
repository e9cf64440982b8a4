"""``penstock sign-in-link``: whoever may read the master key may sign in to the dashboard."""

from contextlib import closing
from typing import Annotated

import typer

from penstock.cli import store
from penstock.cli.store import Account, Config, DatabaseUrl, DataDir


def sign_in_link(
    token: Annotated[
        str | None,
        typer.Option(help="Id of the token to sign in with; else the first that may do everything.", metavar="ID"),
    ] = None,
    account: Account = None,
    url: Annotated[
        str | None, typer.Option(help="Where browsers reach the server, if the settings say nothing.", metavar="URL")
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Print a link that signs in to the dashboard once, within an hour."""
    from penstock.control.sessions import link
    from penstock.core import instants
    from penstock.core.errors import Invalid, NotFound
    from penstock.core.options import url as checked
    from penstock.storage import accounts, opening

    with store.failing("sign-in-link"):
        place = store.find(data_dir, database_url, config)
        try:
            base = checked(url) if url else store.read(data_dir, database_url, config).public_url
        except ValueError as error:
            raise Invalid(f"--url: {error}") from None
        now = instants.now()
        with closing(opening.connect_reader(place.url)) as connection:
            if token:
                owner, chosen = accounts.owner(connection, token, now), token
            else:
                owner = place.one(account)
                chosen = accounts.operator_token(connection, owner)
        if chosen is None:
            raise NotFound("no token may do everything for ever; name one with --token: `penstock token list`.")
        if owner is None:
            raise NotFound(f"there is no token of the id {store.printable(chosen)}; `penstock token list` shows them.")
        vault = store.vault(data_dir, database_url, config)
        typer.echo(link.address(base, link.new(vault, owner, chosen, now)))
