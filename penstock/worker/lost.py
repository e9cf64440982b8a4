"""Drafts whose calls were lost with their process become the final records of these calls."""

from collections.abc import Callable

from penstock.storage.errors import Unwritable
from penstock.storage.log import drafts
from penstock.storage.log.drafts import Whose
from penstock.storage.log.table import LogTable


def settle(table: LogTable, whose: Whose, say: Callable[..., None]) -> None:
    """Returns when there is none left of these. Raises StoreUnavailable."""
    most = drafts.ROWS
    while True:
        try:
            found = table.settle(whose, most)
        except Unwritable as error:
            if most == 1:
                say("log.rejected", error=str(error), id=table.leave_out(whose).hex())
            most = 1  # one draft that no column can hold must not cost its neighbours
        else:
            if not found:
                return
            say("log.settled", rows=found, remedy="none: what these calls had reserved is spent")
