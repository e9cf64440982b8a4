"""The commands of ``penstock billing``, each in a module of its own."""

import typer

from penstock.cli.billing.audit import audit
from penstock.cli.billing.invoices import close, invoices
from penstock.cli.billing.ledger import balance, credit, ledger
from penstock.cli.billing.reconcile import reconcile
from penstock.cli.billing.topups import cancel, paid, topups

HELP = "The money of accounts: credit, the ledger, and proof that it agrees with the log and with providers."
app = typer.Typer(no_args_is_help=True, help=HELP)


@app.callback(help=HELP)
def billing() -> None:
    """Groups the commands below."""


app.command()(topups)
app.command()(paid)
app.command()(cancel)
app.command()(close)
app.command()(invoices)
app.command()(reconcile)
app.command()(balance)
app.command(context_settings={"ignore_unknown_options": True})(credit)  # amounts below 0
app.command()(ledger)
app.command()(audit)
