"""The commands of ``penstock billing``, each in a module of its own."""

import typer

from penstock.cli.billing.reconcile import reconcile
from penstock.cli.billing.topups import cancel, paid, topups

HELP = "What accounts pay for credit, and the log held against what providers say."
app = typer.Typer(no_args_is_help=True, help=HELP)


@app.callback(help=HELP)
def billing() -> None:
    """Groups the commands below."""


app.command()(topups)
app.command()(paid)
app.command()(cancel)
app.command()(reconcile)
