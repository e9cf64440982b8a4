"""A provider's figures beside those of the log, by day and model. Pure."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from typing import NamedTuple

from penstock.cli.billing.exports import Said
from penstock.model.money import CENT

FIGURES = ("calls", "tokens_in", "tokens_out", "cache_read", "cost")
# A version behind a model's name: a client may call the model without it, and the provider tells it.
_VERSION = re.compile(r"(?:[-@ ](?:\d{4}-\d{2}-\d{2}|\d{8}|[01]\d[0-3]\d)|-latest)$")


class Figure(NamedTuple):
    provider: int
    log: int
    differs: bool


class Compared(NamedTuple):
    """``model`` empty: all models together. ``figures``: those that the provider tells."""

    day: int
    model: str
    figures: dict[str, Figure]

    @property
    def differs(self) -> bool:
        return any(figure.differs for figure in self.figures.values())

    @property
    def date(self) -> str:
        return datetime.fromtimestamp(self.day * 86_400, UTC).date().isoformat()


class _Side:
    def __init__(self, said: Iterable[Said]) -> None:
        self.sums: dict[tuple[int, str], dict[str, int]] = {}
        self.names: dict[str, str] = {}
        for day, model, figures in said:
            name = called(model)
            self.names[name] = _shorter(model, self.names.get(name, model))
            sums = self.sums.setdefault((day, name), {})
            for figure, value in figures.items():
                sums[figure] = sums.get(figure, 0) + value


def called(model: str) -> str:
    """The model's name without its version and as all spell it: ``claudesonnet45`` of ``Claude Sonnet 4.5``."""
    return re.sub(r"[ ._-]", "", _VERSION.sub("", model.strip().lower()))


def _shorter(one: str, other: str) -> str:
    return min(one, other, key=lambda name: (len(name), name))


def days(provider: Iterable[Said]) -> tuple[int, int] | None:
    """The first day and the last."""
    found = [said.day for said in provider]
    return (min(found), max(found)) if found else None


def compare(provider: Iterable[Said], log: Iterable[Said], tolerance: Fraction) -> list[Compared]:
    """In order. A figure differs where the log's is further from the provider's than that part of it; a cost also by a
    cent at least, to which providers round. Where the provider tells no models, those of the log are summed.
    """
    theirs = _Side(provider)
    apart = set(theirs.names) != {""}
    ours = _Side(log if apart else [said._replace(model="") for said in log])
    told = [figure for figure in FIGURES if any(figure in sums for sums in theirs.sums.values())]
    names = {name: _shorter(model, ours.names.get(name, model)) for name, model in (ours.names | theirs.names).items()}
    compared: list[Compared] = []
    for day, name in sorted({*theirs.sums, *ours.sums}):
        said, logged = theirs.sums.get((day, name), {}), ours.sums.get((day, name), {})
        figures = {one: _figure(one, said.get(one, 0), logged.get(one, 0), tolerance) for one in told}
        if any(figure.provider or figure.log for figure in figures.values()):
            compared.append(Compared(day, names[name], figures))
    return compared


def _figure(name: str, provider: int, log: int, tolerance: Fraction) -> Figure:
    apart = abs(provider - log)
    return Figure(provider, log, apart > tolerance * provider and (name != "cost" or apart >= CENT))
