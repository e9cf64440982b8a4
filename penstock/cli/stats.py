"""``penstock stats``: analytics in the terminal, beside a running server or without one."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.since import moment
from penstock.core import codec, instants
from penstock.core.errors import Invalid

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 30  # of a spark line, at most
_BY = ("gateway", "provider", "model", "outcome", "status_code", "status_class", "metadata.")
_HEADS = ("calls", "", "errors", "cached", "tokens in", "tokens out", "cost $", "saved $", "p50 ms", "p95 ms")
_PER_CENT = 100


def stats(
    since: Annotated[str, typer.Option(help="A time ago, as 90m, 24h, 7d, or ISO 8601.")] = "24h",
    until: Annotated[str | None, typer.Option(help="The same; by default now.")] = None,
    by: Annotated[
        str, typer.Option(help="gateway, provider, model, outcome, status_code, status_class or metadata.KEY.")
    ] = "model",
    interval: Annotated[str | None, typer.Option(help="minute, hour or day.")] = None,
    order: Annotated[
        str, typer.Option(help="What comes first: most calls, cost, errors, tokens_in or tokens_out.")
    ] = "calls",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="Groups.")] = 20,
    gateway: Annotated[str | None, typer.Option(help="Only the gateway of this id.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As the API answers it.")] = False,
    account: Annotated[str | None, typer.Option(help="Which account, if there are several.")] = None,
    data_dir: store.DataDir = None,
    database_url: store.DatabaseUrl = None,
    config: store.Config = None,
) -> None:
    """Show what calls came to: how many, tokens, cost and times, by model, provider, gateway and more."""
    with store.failing("stats"):
        place = store.find(data_dir, database_url, config)
        owner = place.one(account)
        values = {
            "start": instants.text(moment(since, "--since")),
            "end": None if until is None else instants.text(moment(until, "--until")),
            "group_by": _group(by),
            "interval": interval,
            "order_by": order,
            "limit": limit,
        }
        told = _ask(place, owner, gateway, {name: value for name, value in values.items() if value is not None})
        typer.echo(codec.encode(told).decode() if as_json else "\n".join(table(told, by)))


def _group(by: str) -> str:
    if by not in _BY[:-1] and not (by.startswith(_BY[-1]) and by != _BY[-1]):
        raise Invalid(f"--by: must be one of {', '.join(_BY[:-1])}, or metadata. and a key")
    return by


def _ask(place: store.Place, account: str, gateway: str | None, values: dict[str, Any]) -> dict[str, Any]:
    from pydantic import ValidationError

    from penstock.control.analytics import service
    from penstock.control.analytics.schema import AnalyticsQuery
    from penstock.control.context import Context

    try:
        asked = AnalyticsQuery.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(f"--{str(first['loc'][0]).removesuffix('_by')}: {first['msg']}") from None
    return store.run(place, lambda control: service.analytics(Context(control, account, store.user()), asked, gateway))


def table(told: dict[str, Any], by: str) -> list[str]:
    """The answer of the API as lines of text."""
    begins, ends = told["start"][:16].replace("T", " "), told["end"][:16].replace("T", " ")
    lines = [f"{begins} to {ends} UTC, each mark {_marks(told)}"]
    if not told["groups"]:
        key = by.removeprefix("metadata.")
        hint = f" counted by {key}: analytics_metadata_keys of a gateway has to name it first" if key != by else ""
        return [*lines, f"no calls{hint}"]
    rows: list[list[str]] = [[by, *_HEADS]]
    for group in told["groups"]:
        name = "(others)" if group["group"] is None else store.printable(str(group["group"])) or "-"
        rows.append([name, *_cells(group["totals"], spark(_calls(told, group["series"])))])
    rows.append(["all", *_cells(told["totals"], "")])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, calls, line, *numbers in rows:
        first, second, third, *others = widths
        cells = [name.ljust(first), calls.rjust(second), line.ljust(third)]
        cells += [number.rjust(width) for number, width in zip(numbers, others, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def _cells(sums: dict[str, Any], line: str) -> list[str]:
    calls = sums["calls"] or 1
    return [
        *(f"{sums['calls']:,}", line),
        *(f"{sums[name] / calls * _PER_CENT:.1f}%" if sums[name] else "-" for name in ("errors", "cached")),
        *(f"{sums[name]:,}" for name in ("tokens_in", "tokens_out")),
        *(f"{sums['cost']:,.4f}", f"{sums['saved_cost']:,.4f}" if sums["saved_cost"] else "-"),
        *("-" if (value := sums["duration"][name]) is None else f"{value:,.0f}" for name in ("p50", "p95")),
    ]


def _times(told: dict[str, Any]) -> tuple[int, int, int]:
    """Minutes: the start, the interval, and of how many intervals each mark is."""
    start, end = (instants.parse(told[side]) // 60_000 for side in ("start", "end"))
    span = {"minute": 1, "hour": 60, "day": 1440}[told["interval"]]
    return start, span, max(1, -(-(end - start) // (span * WIDTH)))


def _marks(told: dict[str, Any]) -> str:
    _, _, each = _times(told)
    return f"{each} {told['interval']}s" if each > 1 else f"1 {told['interval']}"


def _calls(told: dict[str, Any], series: list[dict[str, Any]]) -> list[int]:
    start, span, each = _times(told)
    count = -(-(instants.parse(told["end"]) // 60_000 - start) // (span * each))
    calls = [0] * count
    for point in series:
        calls[(instants.parse(point["time"]) // 60_000 - start) // (span * each)] += point["calls"]
    return calls


def spark(values: Sequence[int]) -> str:
    """A line of bars; what is more than nothing is seen."""
    most = max(values, default=0)
    return "".join(" " if not value else BARS[min(7, value * 8 // (most + 1))] for value in values)
