"""One call in the terminal. Rows have the members of the API, and ``gateway``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from penstock.cli.logs.table import dollars, number, style_of
from penstock.cli.store import printable
from penstock.core import codec

if TYPE_CHECKING:
    from rich.text import Text

    from penstock.control.logs.service import Body

Bodies = dict[str, "Body | None"]  # by side: request, response

_FIGURES = ("total", "upstream", "overhead", "latency")
_WORDS = {"upstream": "provider", "overhead": "Penstock", "latency": "to the first byte"}
_ROLES = {"user": "bold cyan", "assistant": "bold green", "tool": "bold magenta"}


def lines(row: dict[str, Any], bodies: Bodies, longest: int | None) -> "Iterator[Text]":
    """``longest``: characters of a turn that are shown."""
    from rich.text import Text

    yield Text.assemble(
        (f"{row['status_code']} {row['outcome']}", f"bold {style_of(row)}"),
        f"  {printable(row['provider'] or '-')}  {printable(row['model'] or '-')}  ",
        (f"{row['created_at']}  {row['id']}", "dim"),
    )
    for name, value in _facts(row):
        yield Text.assemble((f"  {name:<11} ", "dim"), printable(value))
    yield from _times(row)
    for name, value in [*row["decisions"].items(), *(("attempt", one) for one in row["attempts"])]:
        yield Text.assemble((f"  {name:<11} ", "dim"), printable(_members(value)))
    for warning in row["warnings"]:
        yield Text.assemble(("  warning     ", "dim"), (printable(warning), "yellow"))
    if row["error"]:
        yield Text.assemble(("  error       ", "dim"), (printable(row["error"]), "red"))
    yield from _conversation(row, bodies, longest)


def _facts(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "gateway", row["gateway"]
    yield "path", f"{row['method']} {row['path']}"
    cached = " (cached)" if row["cached"] else ""
    yield "tokens", f"{number(row['tokens_in'])} in, {number(row['tokens_out'])} out{cached}"
    yield "cost", f"$ {dollars(row['cost'])}" + (f" ({row['cost_source']})" if row["cost_source"] else "")
    yield "bytes", f"{row['request_size']} sent, {row['response_size']} received"
    for name in ("metadata", "user_agent", "feedback", "score"):
        if row[name] is not None:
            yield name.replace("_", " "), str(row[name])
    if row["event_id"] != row["id"]:
        yield "event", row["event_id"]


def _times(row: dict[str, Any]) -> "Iterator[Text]":
    from rich.text import Text

    told: dict[str, float] = row["timings"]
    figures = [f"{told[name]:.1f} ms {_WORDS.get(name, 'in all')}" for name in _FIGURES if name in told]
    if figures:
        yield Text.assemble(("  time        ", "dim"), ", ".join(figures))


def _members(value: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_word(one)}" for name, one in value.items())


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.1f}" if isinstance(value, float) else codec.encode(value).decode()


def _conversation(row: dict[str, Any], bodies: Bodies, longest: int | None) -> "Iterator[Text]":
    from rich.text import Text

    from penstock.cli.logs import conversation

    for side, body in bodies.items():
        if body is None:
            yield Text(f"\nThe log has no {side} body.", style="dim")
            continue
        if side == "request":
            said = conversation.asked(row["path"], body.content)
        else:
            said = conversation.answered(row["path"], body.content, row["response_content_type"])
        for role, text in said or [(f"{side} ({body.kind})", body.content.decode("utf-8", "replace"))]:
            more = longest is not None and len(text) > longest
            yield Text(f"\n{role}", style=_ROLES.get(role, "bold"))
            yield Text("\n".join(map(printable, text[:longest].split("\n"))))
            if more:
                yield Text(f"… {len(text) - (longest or 0)} characters more: --full", style="dim")
