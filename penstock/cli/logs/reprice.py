"""``penstock logs reprice``: what logged calls cost by the prices of now, and correcting the log."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from penstock.cli import store
from penstock.cli.since import moment
from penstock.core import codec, ids, instants
from penstock.core.errors import NotFound
from penstock.model.record import Priced
from penstock.storage import opening
from penstock.storage.log import reprice as log
from penstock.storage.log.query import id_range
from penstock.storage.log.reader import LogReader, LogRow
from penstock.storage.sql import Sql

if TYPE_CHECKING:
    from penstock.providers.prices import PriceBook

ROWS = 200  # of a transaction: others wait for it
_NANO = 10**9
_decode = codec.decoder(dict[str, codec.Raw]).decode
_priced = codec.decoder(Priced).decode


class Sums(msgspec.Struct):
    """Of one model: rows that were looked at, those whose cost differs, and what all cost before and after."""

    provider: str
    model: str
    rows: int = 0
    changed: int = 0
    unknown: int = 0  # that have no price any more, or no usage to compute from
    before: int = 0
    after: int = 0

    def order(self) -> tuple[int, str, str]:
        """The greatest difference first."""
        return -abs(self.after - self.before), self.provider, self.model


def reprice(
    since: Annotated[str, typer.Option(help="A time ago, as 90m, 24h, 7d, or ISO 8601.")],
    until: Annotated[str | None, typer.Option(help="The same; by default now.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Correct the log and its roll-ups.")] = False,
    gateway: Annotated[str | None, typer.Option(help="Only the gateway of this id.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each model.")] = False,
    account: Annotated[str | None, typer.Option(help="Which account, if there are several.")] = None,
    data_dir: store.DataDir = None,
    database_url: store.DatabaseUrl = None,
    config: store.Config = None,
) -> None:
    """Compute anew what calls cost, from the usage that the log keeps, and show what differs for each model."""
    with store.failing("logs reprice"):
        place = store.find(data_dir, database_url, config)
        owner = place.one(account)
        ends = moment(since, "--since"), instants.now() if until is None else moment(until, "--until")
        prices = _prices(data_dir, database_url, config)
        with closing(opening.connect(place.url) if apply else opening.connect_reader(place.url)) as connection:
            found = sorted(
                _all(connection, owner, gateway, ends, prices, apply=apply), key=lambda s: -abs(s.after - s.before)
            )
        for line in map(_json, found) if as_json else _table(found, prices.version, applied=apply):
            typer.echo(line)


def _prices(data_dir: str | None, database_url: str | None, config: str | None) -> "PriceBook":
    from penstock.core.errors import Invalid
    from penstock.gateway.compile import own_prices
    from penstock.providers import catalog
    from penstock.providers.prices import PriceBook

    try:
        return PriceBook(catalog.load(), own_prices(store.read(data_dir, database_url, config)))
    except ValueError as error:
        raise Invalid(str(error)) from error


def _all(
    connection: Sql, account: str, gateway: str | None, ends: tuple[int, int], prices: "PriceBook", *, apply: bool
) -> Iterable[Sums]:
    sql = "SELECT number FROM gateways WHERE account = ? AND deleted_at IS NULL"
    values = [account]
    if gateway is not None:
        sql, values = f"{sql} AND id = ?", [account, gateway]
    numbers = [number for (number,) in connection.execute(f"{sql} ORDER BY number", values)]
    if gateway is not None and not numbers:
        raise NotFound(f"there is no gateway {gateway}")
    sums: dict[tuple[str, str], Sums] = {}
    for number in numbers:
        for rows in _batches(connection, number, ends):
            changes = [change for row in rows if (change := _change(row, prices, sums)) is not None]
            if changes and apply:
                log.apply(connection, number, changes)
    return sums.values()


def _batches(connection: Sql, number: int, ends: tuple[int, int]) -> Iterator[list[LogRow]]:
    reader, at = LogReader(connection), id_range(ends[0])[0]
    while rows := reader.after(number, at, id_range(ends[1])[1], ROWS):
        yield rows
        at = ids.parse(rows[-1].id)


def _change(row: LogRow, prices: "PriceBook", sums: dict[tuple[str, str], Sums]) -> log.Repriced | None:
    """Notes a row; None: nothing is to be changed about it."""
    from penstock.providers.charge import by_list

    detail = _decode(bytes(row.detail))
    if "priced" not in detail:
        return None  # a hit, a refusal, or of a price that is not the list's
    priced = _priced(detail["priced"])
    of = sums.setdefault((row.provider, row.model), Sums(row.provider, row.model))
    of.rows += 1
    cost, _ = by_list(prices, row.provider, priced.model, priced.used, priced.terms, ids.parse(row.id))
    of.before += row.cost or 0
    of.after += (row.cost or 0) if cost is None else cost
    of.unknown += cost is None
    if cost is None or cost == row.cost:
        return None
    of.changed += 1
    priced.prices = prices.version
    detail["priced"] = codec.Raw(codec.encode(priced))
    return log.Repriced(row, cost, codec.encode(detail))


def _json(sums: Sums) -> str:
    told: dict[str, Any] = msgspec.structs.asdict(sums)
    return codec.encode(told | {"before": sums.before / _NANO, "after": sums.after / _NANO}).decode()


def _table(found: list[Sums], version: str, *, applied: bool) -> Iterator[str]:
    yield f"prices: {version}"
    rows = [["provider", "model", "rows", "changed", "no price", "before $", "after $", "difference $"]]
    names = ("rows", "changed", "unknown", "before", "after")
    whole = Sums("all", "", *[sum([getattr(sums, name) for sums in found]) for name in names])
    for sums in (*found, whole):
        counts = [f"{value:,}" for value in (sums.rows, sums.changed, sums.unknown)]
        dollars = [f"{value / _NANO:,.6f}" for value in (sums.before, sums.after)]
        more = f"{(sums.after - sums.before) / _NANO:+,.6f}"
        rows.append([store.printable(sums.provider), store.printable(sums.model), *counts, *dollars, more])
    yield from store.columns(rows)
    if not applied and whole.changed:
        yield "Nothing is changed: --apply corrects the log and its roll-ups."
