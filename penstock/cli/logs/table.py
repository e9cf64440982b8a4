"""Calls as lines of a table. Rows have the members of the API, and ``gateway``."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from penstock.cli.store import printable

if TYPE_CHECKING:
    from rich.text import Text

Row = Mapping[str, Any]

_MICRO = 1e-6
_REFUSED, _FAILED = 400, 500  # statuses
_COLUMNS = (
    *(("time", 23), ("gateway", 12), ("provider", 10), ("model", 24), ("status", 6), ("outcome", 11), ("cache", 5)),
    *(("in", 7), ("out", 7), ("cost $", 11), ("ms", 7), ("id", 36)),
)
_RIGHT = frozenset({"status", "in", "out", "cost $", "ms"})
_STYLES = {"time": "dim", "id": "dim", "cost $": "magenta"}


def table() -> Callable[[Iterable[Row]], None]:
    """Prints rows under a heading; fixed widths, because rows keep coming. Colours only on a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text("  ".join(_fitted(name, name) for name, _ in _COLUMNS).rstrip(), style="bold"))

    def show(rows: Iterable[Row]) -> None:
        for row in rows:
            line = Text("  ").join(_painted(row))
            line.rstrip()
            console.print(line)

    return show


def style_of(row: Row) -> str:
    """The colour of how a call ended."""
    if row["success"]:
        return "green"
    return "yellow" if _REFUSED <= row["status_code"] < _FAILED else "red"


def _painted(row: Row) -> "list[Text]":
    from rich.text import Text

    ended = style_of(row)
    styles = _STYLES | {"status": ended, "outcome": ended, "cache": "cyan" if row["cached"] else "dim"}
    cells = zip(_COLUMNS, _cells(row), strict=True)
    return [Text(_fitted(name, text), style=styles.get(name, "")) for (name, _), text in cells]


def _cells(row: Row) -> list[str]:
    return [
        *(row["created_at"][:-1].replace("T", " "), row["gateway"], row["provider"], row["model"]),
        *(str(row["status_code"]), row["outcome"], "hit" if row["cached"] else "-"),
        *(number(row["tokens_in"]), number(row["tokens_out"]), dollars(row["cost"]), str(row["duration"]), row["id"]),
    ]


_WIDTHS = dict(_COLUMNS)


def _fitted(name: str, text: str) -> str:
    return (str.rjust if name in _RIGHT else str.ljust)(printable(text), _WIDTHS[name])


def dollars(amount: float | None) -> str:
    """To the micro-dollar; to the last digit where that would be less than one."""
    if amount is None:
        return "-"
    return f"{amount:.{9 if 0 < amount < _MICRO else 6}f}"


def number(value: int | None) -> str:
    return "-" if value is None else str(value)
