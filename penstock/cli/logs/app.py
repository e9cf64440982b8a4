"""The commands of ``penstock logs``, each in a module of its own."""

import typer

from penstock.cli.logs.delete import delete
from penstock.cli.logs.export import export
from penstock.cli.logs.forget import forget
from penstock.cli.logs.reprice import reprice
from penstock.cli.logs.search import search
from penstock.cli.logs.show import show
from penstock.cli.logs.tail import tail

HELP = "Follow, search, show and export the log, price it anew, and forget what is to be forgotten."
app = typer.Typer(no_args_is_help=True, help=HELP)


@app.callback(help=HELP)
def logs() -> None:
    """Groups the commands below."""


app.command()(tail)
app.command()(search)
app.command()(show)
app.command()(export)
app.command()(delete)
app.command()(reprice)
app.command()(forget)
