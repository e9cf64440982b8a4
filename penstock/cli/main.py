"""The ``penstock`` command: its subcommands, each in a module of its own that imports what is heavy when it runs."""

from typing import Annotated

import typer

from penstock import __version__
from penstock.cli import keys, prices, route_files, route_simulate, routes, token
from penstock.cli.audit import audit
from penstock.cli.billing.app import app as billing
from penstock.cli.doctor import doctor
from penstock.cli.logs.app import app as logs
from penstock.cli.migrate import migrate
from penstock.cli.mock import mock
from penstock.cli.serve import serve
from penstock.cli.sign_in_link import sign_in_link
from penstock.cli.stats import stats
from penstock.cli.try_keys import try_keys

app = typer.Typer(
    name="penstock", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)
app.command()(serve)
app.command()(mock)
app.command()(migrate)
app.command()(audit)
app.command()(stats)
app.command("sign-in-link")(sign_in_link)
app.command()(doctor)
keys.app.command("test")(try_keys)
app.add_typer(keys.app, name="keys")
app.add_typer(billing, name="billing")
app.add_typer(logs, name="logs")
routes.app.command("export")(route_files.export)
routes.app.command("import")(route_files.import_)
routes.app.command("simulate")(route_simulate.simulate)
app.add_typer(routes.app, name="routes")
app.add_typer(token.app, name="token")
app.add_typer(prices.app, name="prices")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"penstock {__version__}")
        raise typer.Exit


@app.callback()
def penstock(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """A self-hosted AI gateway."""


def main() -> None:
    """Runs the command line of this process; ends in SystemExit."""
    app()
