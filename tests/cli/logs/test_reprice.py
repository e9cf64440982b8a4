"""``penstock logs reprice`` beside a running server: what differs is shown, and with --apply corrected everywhere."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from penstock.core import codec
from penstock.model.record import LogRecord
from penstock.storage import opening, schema
from penstock.storage.log import rollups
from penstock.storage.log.filters import Filter, Test
from penstock.storage.log.measures import OTHER
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.command import command, spawned
from tests.kit.databases import KINDS, database_of
from tests.kit.logsink import a_gateway, a_record

PRICES = """
[[prices]]
provider = "openai"
model = "new-model"
tokens = { input = 1.0, output = 2.0 }
"""


def priced(model: str, used: list[Any], **fields: Any) -> LogRecord:
    detail = codec.encode(
        {"method": "POST", "error": "kept", "priced": {"model": model, "used": used, "prices": "old"}}
    )
    return a_record(**({"model": model, "detail": detail} | fields))


@pytest.fixture(params=KINDS)
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path, Sql]]:
    """The URL of a database with a gateway, the folder of the server's settings, and a connection."""
    with database_of(request.param, tmp_path) as url:
        store = schema.open_store(url)
        with closing(opening.connect(url)) as connection:
            a_gateway(connection)
            yield url, tmp_path, connection
        store.close()


def reprice(there: tuple[str, Path, Sql], *words: str) -> list[dict[str, Any]]:
    url, folder, _ = there
    done = command("logs", "reprice", "--since", "7d", "--json", "--database-url", url, *words, cwd=folder)
    assert done.status == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def costs(connection: Sql) -> dict[str, set[tuple[int, int]]]:
    """Cost and calls without one of each model, by each span: one where all agree."""
    sql = (
        "SELECT n.name, sum(cost), sum(unpriced) FROM log_rollups r JOIN log_names n ON n.id = r.model WHERE r.key = 0"
        " GROUP BY n.name, span"
    )
    found: dict[str, set[tuple[int, int]]] = {}
    for name, cost, unpriced in connection.execute(sql):
        found.setdefault(name, set()).add((int(cost), int(unpriced)))
    return found


def test_what_differs_is_shown_and_then_corrected_everywhere(there: tuple[str, Path, Sql], monkeypatch):
    monkeypatch.setattr(rollups, "VALUES", 1)
    _, folder, connection = there
    tokens = [["input", 1_000_000], ["output", 1000]]
    used = {"metadata": '{"user":"u1"}', "rolled": ("user",)}
    records = [
        *(priced("gpt-4o", tokens, cost=5, **used) for _ in range(40)),
        priced("gpt-4o", tokens, cost=2_510_000_000),  # it is right
        priced("new-model", tokens, cost=None, metadata='{"user":"u2"}', rolled=("user",)),
        priced("unknown", tokens, cost=77),
        a_record(model="gpt-4o", cost=9, custom_cost=True),
    ]
    LogTable(connection).write(records)
    (folder / "prices.toml").write_text(PRICES)
    expected = [
        {"provider": "openai", "model": "gpt-4o", "rows": 41, "changed": 40, "unknown": 0},
        {"provider": "openai", "model": "new-model", "rows": 1, "changed": 1, "unknown": 0},
        {"provider": "openai", "model": "unknown", "rows": 1, "changed": 0, "unknown": 1},
    ]
    before = costs(connection)
    for words in ([], ["--apply"]):
        told = reprice(there, *words)
        assert [{n: line[n] for n in expected[0]} for line in told] == expected
        assert told[0]["after"] - told[0]["before"] == pytest.approx(40 * (2.51 - 5e-9))
        assert words or costs(connection) == before
    assert costs(connection) == {
        "gpt-4o": {(41 * 2_510_000_000 + 9, 0)},
        "new-model": {(1_002_000_000, 0)},
        "unknown": {(77, 0)},
    }
    reader = LogReader(connection)
    rows = reader.list_rows(1, Filter((Test("cost", "gte", (10**9,)),)))
    assert len(rows) == 42
    for row in rows:
        detail = codec.decode(row.detail)
        assert detail["error"] == "kept"
        assert detail["priced"]["prices"].startswith("genai-prices" if row.cost != 2_510_000_000 else ("genai", "old"))
    values = (
        "SELECT n.name, span, sum(cost) FROM log_rollups r JOIN log_names n ON n.id = r.value GROUP BY n.name, span"
    )
    assert {(name, span): int(cost) for name, span, cost in connection.execute(values)} == {
        (name, span): cost for name, cost in (("u1", 40 * 2_510_000_000), (OTHER, 1_002_000_000)) for span in (60, 1440)
    }
    assert [line["changed"] for line in reprice(there, "--apply")] == [0, 0, 0]


def test_a_row_that_changed_meanwhile_is_left_alone(there: tuple[str, Path, Sql]):
    from penstock.storage.log.reprice import Repriced, apply

    _, _, connection = there
    record = priced("gpt-4o", [["input", 10]], cost=5)
    LogTable(connection).write([record])
    (row,) = LogReader(connection).list_rows(1)
    assert apply(connection, 1, [Repriced(row, 7, b"{}")]) == 1
    assert apply(connection, 1, [Repriced(row, 9, b"{}")]) == 0
    assert costs(connection) == {"gpt-4o": {(7, 0)}}


def test_the_table_and_what_cannot_be_done(tmp_path: Path):
    with database_of("sqlite", tmp_path) as url, closing(opening.connect(url)) as connection:
        a_gateway(connection)
        LogTable(connection).write([priced("gpt-4o", [["input", 1_000_000]], cost=5)])
        done = spawned("logs", "reprice", "--since", "1d", "--database-url", url, cwd=tmp_path)
        assert done.out.splitlines()[2].split() == [
            "openai", "gpt-4o", "1", "1", "0", "0.000000", "2.500000", "+2.500000",
        ]  # fmt: skip
        assert "--apply" in done.out.splitlines()[-1]
        done = command("logs", "reprice", "--since", "1d", "--gateway", "no", "--database-url", url, cwd=tmp_path)
        assert (done.status, "no gateway no" in done.err) == (1, True)
