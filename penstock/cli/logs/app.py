"""The commands of ``penstock logs``, each in a module of its own."""

import typer

from penstock.cli.logs.search import search
from penstock.cli.logs.show import show
from penstock.cli.logs.tail import tail

HELP = "Follow, search and show the log."
app = typer.Typer(no_args_is_help=True, help=HELP)


@app.callback(help=HELP)
def logs() -> None:
    """Groups the commands below."""


app.command()(tail)
app.command()(search)
app.command()(show)
