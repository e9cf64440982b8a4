"""What an answer used, as its dialect and a row have it."""

from penstock.model.usage import Reported, Usage
from penstock.providers.accounting import Accounting, UsageRow
from penstock.providers.dialects import Dialect

PLAIN = UsageRow()


def used(dialect: Dialect, reported: Reported, row: UsageRow = PLAIN) -> tuple[Usage | None, dict[str, int], list[str]]:
    """The usage, how much of each kind, and the notes."""
    notes: list[str] = []
    usage = Accounting(dialect.figures, row).read(reported, notes)
    return usage, {part.kind: part.amount for part in usage.used} if usage else {}, notes
