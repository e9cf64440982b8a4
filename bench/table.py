"""Tables as data, and their two renderings: for the terminal and for the document."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Table:
    """A title, a heading, rows of cells (as many as the heading), and sentences that belong to it.

    The first column is text, all others are set to the right.
    """

    title: str
    heading: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list[Sequence[str]])
    notes: list[str] = field(default_factory=list[str])

    def add(self, *cells: str) -> None:
        """Appends a row. Raises ValueError when the number of cells is not that of the heading."""
        if len(cells) != len(self.heading):
            raise ValueError(f"{self.title}: {len(cells)} cells under {len(self.heading)} headings")
        self.rows.append(cells)

    def failed(self, what: str, reason: str) -> None:
        """A row that could not be measured stays visible, with the reason."""
        self.add(what, *[""] * (len(self.heading) - 2), "NOT MEASURED")
        self.notes.append(f"{what}: not measured. {reason}")


def plain(table: Table) -> str:
    """For the terminal: columns aligned by spaces."""
    lines = [list(table.heading), *[list(row) for row in table.rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.heading))]

    def laid_out(line: Sequence[str]) -> str:
        first = line[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        return "  ".join([first, *rest]).rstrip()

    rule = "  ".join("-" * width for width in widths)
    body = [laid_out(lines[0]), rule, *[laid_out(line) for line in lines[1:]]]
    return "\n".join([table.title, "", *body, *[f"  {note}" for note in table.notes]]) + "\n"


def markdown(table: Table) -> str:
    """For the document: a level two heading, the table, the notes as a list."""

    def cells(line: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"

    align = "| --- |" + " --: |" * (len(table.heading) - 1)
    lines = [f"## {table.title}", "", cells(table.heading), align, *[cells(row) for row in table.rows]]
    if table.notes:
        lines += ["", *[f"- {note}" for note in table.notes]]
    return "\n".join(lines) + "\n"
