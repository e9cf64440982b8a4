"""``penstock billing reconcile``: the log held against a provider's own usage export."""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli import store
from penstock.cli.billing.comparison import Compared, Figure, compare, days
from penstock.cli.billing.exports import EXPORTS, Said, read
from penstock.core import codec
from penstock.core.errors import Invalid
from penstock.model.money import NANO, dollars

if TYPE_CHECKING:
    from penstock.control.context import Control

_MOST = 200_000  # sums of the log that are held against it
_BAD = 400
_HEADS = {
    "calls": "calls",
    "tokens_in": "tokens in",
    "tokens_out": "tokens out",
    "cache_read": "cached",
    "cost": "cost",
}


def reconcile(
    provider: Annotated[str, typer.Option(help=f"Whose the files are: {' or '.join(EXPORTS)}.", metavar="NAME")],
    file: Annotated[
        list[str],
        typer.Option(help="Its export: CSV, or the JSON of its usage or cost API. Repeat for several.", metavar="FILE"),
    ],
    tolerance: Annotated[str, typer.Option(help="By how much the log may differ: 1%.", metavar="PERCENT")] = "1%",
    gateway: Annotated[
        list[str] | None, typer.Option(help="Only calls of this gateway. Repeat for several.", metavar="ID")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show what agrees, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All of it as one JSON object.")] = False,
    account: store.Account = None,
    data_dir: store.DataDir = None,
    database_url: store.DatabaseUrl = None,
    config: store.Config = None,
) -> None:
    """Hold what a provider says it served against the log, by day (UTC) and model.

    The exit status is 1 where they differ by more than the tolerance.
    """
    with store.failing("billing reconcile"):
        part = _part(tolerance)
        said = [*_read(provider, file)]
        place = store.find(data_dir, database_url, config)
        owner = place.one(account)
        logged = store.run(place, lambda control: _logged(control, owner, gateway, provider, said))
        compared = compare(said, logged, part)
        differing = [one for one in compared if one.differs]
        if as_json:
            typer.echo(codec.encode(_told(provider, compared)).decode())
        else:
            for line in _lines(compared if everything else differing, everything=everything):
                typer.echo(line)
            what = "day and model" if len(compared) == 1 else "days and models"
            typer.echo(f"{len(compared)} {what} compared, {len(differing)} differ by more than {tolerance}.")
    if differing:
        raise typer.Exit(1)


def _part(tolerance: str) -> Fraction:
    given = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%?", tolerance.strip())
    if given is None:
        raise Invalid("--tolerance: must be a percentage, as 1% or 0.5%")
    return Fraction(given[1]) / 100


def _read(provider: str, files: Iterable[str]) -> Iterator[Said]:
    """Summed by day and model within each file, whatever its size. Raises Invalid."""
    if (export := EXPORTS.get(provider)) is None:
        raise Invalid(f"--provider: exports of {' and '.join(EXPORTS)} can be read, not of {provider!r}")
    for name in files:
        sums: dict[tuple[int, str], dict[str, int]] = {}
        try:
            for day, model, figures in read(Path(name), export):
                there = sums.setdefault((day, model), {})
                for figure, value in figures.items():
                    there[figure] = there.get(figure, 0) + value
        except OSError as error:
            raise Invalid(f"--file: cannot read {name}: {error.strerror}") from None
        for (day, model), figures in sums.items():
            yield Said(day, model, figures)


async def _logged(
    control: "Control", account: str, gateways: list[str] | None, provider: str, said: list[Said]
) -> list[Said]:
    """What the roll-ups have of the days that the provider tells of: calls that it answered well, and what all came to,
    without those that the cache answered.
    """
    from penstock.storage import gateways as stored
    from penstock.storage.log.analytics import Question, Where
    from penstock.storage.log.measures import DAY

    for name in gateways or ():
        async with control.database.reading() as connection:
            if await stored.get(connection, account, name) is None:
                raise Invalid(f"--gateway: there is no gateway {name!r}")
    if (span := days(said)) is None:
        return []
    sums = ("calls", "tokens_in", "tokens_out", "cache_read", "cost")
    question = Question(
        account,
        DAY,
        span[0] * DAY,
        (span[1] + 1) * DAY,
        frozenset(gateways) if gateways else None,
        where=(Where("provider", "eq", (provider,)), Where("cached", "eq", (0,))),
        groups=("model", "status_code"),
        step=DAY,
        sums=sums,
        limit=_MOST,
    )
    points, names = await control.logs.rolled(question)
    if len(points) == _MOST:
        raise Invalid("--file: tells of too many days for one comparison; cut it up")
    found: list[Said] = []
    for point in points:
        model, status = point.group
        figures = dict(point.sums)
        if status is None or not status or status >= _BAD:
            figures["calls"] = 0
        found.append(Said(point.start // DAY, str(names["model"].get(model, "")), figures))
    return found


def _lines(compared: list[Compared], *, everything: bool) -> list[str]:
    """A line for each figure that differs; ``everything``: for each."""
    rows = [("day", "model", "figure", "provider", "log", "log is")]
    for one in compared:
        for name, figure in one.figures.items():
            if everything or figure.differs:
                model = store.printable(one.model) or "all"
                rows.append((one.date, model, _HEADS[name], *_pair(name, figure), _apart(figure)))
    return [*store.columns(rows)] if len(rows) > 1 else []


def _pair(name: str, figure: Figure) -> tuple[str, str]:
    if name == "cost":
        return dollars(figure.provider), dollars(figure.log)
    return f"{figure.provider:,}", f"{figure.log:,}"


def _apart(figure: Figure) -> str:
    if figure.provider == figure.log:
        return "the same"
    if not figure.provider:
        return "alone"
    return f"{(figure.log - figure.provider) / figure.provider:+.2%}"


def _told(provider: str, compared: list[Compared]) -> dict[str, object]:
    return {
        "provider": provider,
        "differs": any(one.differs for one in compared),
        "days": [
            {
                "day": one.date,
                "model": one.model or None,
                "differs": one.differs,
                "figures": {name: _shown(name, figure) for name, figure in one.figures.items()},
            }
            for one in compared
        ],
    }


def _shown(name: str, figure: Figure) -> dict[str, object]:
    unit = NANO if name == "cost" else 1
    values = {"provider": figure.provider, "log": figure.log, "difference": figure.log - figure.provider}
    return {**{key: value / unit if unit > 1 else value for key, value in values.items()}, "differs": figure.differs}
