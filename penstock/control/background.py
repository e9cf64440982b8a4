"""What goes on in the background of processes with upkeep, which share the work: each claims what is due."""

from penstock.control.alerts import watch as alerts
from penstock.control.alerts.deliver import Sender
from penstock.control.context import Control
from penstock.control.invoices import close as invoices
from penstock.control.topups import automatic as topups
from penstock.control.topups import invoiced
from penstock.core.tasks import Tasks


def start(tasks: Tasks, control: Control, sender: Sender) -> None:
    tasks.start("alerts", alerts.watch(control.database, sender))
    tasks.start("automatic top-ups", topups.watch(control))
    tasks.start("invoices", invoices.watch(control))
    if control.payments.charges:
        tasks.start("invoices of top-ups", invoiced.watch(control))
