"""The document: prose from ``template.md`` and ``notes.md``, figures from the run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.table import Table, markdown

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "benchmarks.md"


def missed(tables: Sequence[Table]) -> list[str]:
    """``table: row`` of every budget missed and every row not measured."""
    bad = ("MISSED", "NOT MEASURED")
    return [f"{table.title}: {row[0]} ({row[-1]})" for table in tables for row in table.rows if row[-1] in bad]


def document(tables: Sequence[Table], machine: Mapping[str, str], quiet: str, notes: str | None) -> str:
    """The whole document. ``notes``: hand-written, what was tried where a budget is missed."""
    facts = "\n".join(f"| {name} | {value} |" for name, value in machine.items())
    misses = missed(tables)
    summary = "\n".join(f"- {line}" for line in misses) if misses else "Every budget was met in this run."
    parts = {
        "machine": f"| | |\n| --- | --- |\n{facts}",
        "quiet": quiet,
        "tables": "\n".join(markdown(table) for table in tables).rstrip(),
        "missed": summary + (f"\n\n{notes.strip()}" if notes else ""),
    }
    text = (HERE / "template.md").read_text()
    for name, value in parts.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def write(tables: Sequence[Table], machine: Mapping[str, str], quiet: str) -> Path:
    """Writes ``docs/benchmarks.md``."""
    notes = HERE / "notes.md"
    text = document(tables, machine, quiet, notes.read_text() if notes.exists() else None)
    DOCUMENT.write_text(text)
    return DOCUMENT
