"""Words that no row uses go; the others stay, whoever writes meanwhile."""

import threading
from contextlib import closing

from penstock.storage import opening
from penstock.storage.log import name_reap, reap, rollup_reap
from penstock.storage.log.name_reap import Sweep
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.client import PATIENCE
from tests.kit.logsink import a_gateway, a_record


def words(connection: Sql) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM log_names")}


def swept(connection: Sql) -> None:
    sweep = Sweep(connection)
    while sweep.step():
        pass


def test_what_no_row_uses_goes_and_what_one_uses_stays(connection: Sql, monkeypatch):
    monkeypatch.setattr(name_reap, "BLOCKS", 3)
    monkeypatch.setattr(name_reap, "WORDS", 7)
    table, beta = LogTable(connection), a_gateway(connection, "beta")
    for at in range(20):
        table.write([a_record(gateway=beta, model=f"gone-{at}", user_agent=f"agent-{at}")])
        table.write([a_record(model=f"kept-{at}", user_agent=None), a_record(gateway=0, model=f"stray-{at}")])
    table.write([a_record(model="last")])
    while reap.reap(connection, beta) or rollup_reap.reap(connection, beta):
        pass
    swept(connection)
    kept = {f"{kind}-{at}" for kind in ("kept", "stray") for at in range(20)}
    assert words(connection) == kept | {
        *("openai", "text-generation", "chat", "application/json", "OpenAI/Python 2.0", "answered", "last")
    }
    reader = LogReader(connection)
    assert {row.model for row in reader.list_rows(1)} == {f"kept-{at}" for at in range(20)} | {"last"}


def test_a_writer_that_remembers_a_word_that_is_gone_learns_it_anew(connection: Sql):
    table, beta = LogTable(connection), a_gateway(connection, "beta")
    table.write([a_record(gateway=beta, model="again", user_agent="agent")])
    table.write([a_record(model="last")])
    reap.reap(connection, beta)
    rollup_reap.reap(connection, beta)
    swept(connection)
    assert "again" not in words(connection)
    table.write([a_record(model="again", user_agent="other")])
    table.write([a_record(model="again", user_agent="agent")])
    assert [(row.model, row.user_agent) for row in LogReader(connection).list_rows(1)] == [
        ("again", "agent"),
        ("again", "other"),
        ("last", "OpenAI/Python 2.0"),
    ]


def test_a_word_that_comes_into_use_during_a_sweep_stays(connection: Sql):
    table = LogTable(connection)
    table.write([a_record(model="early")])
    connection.execute("INSERT INTO log_names (name) VALUES ('unused'), ('later'), ('last')")
    sweep = Sweep(connection)
    assert sweep.step()
    table.write([a_record(model="later")])
    while sweep.step():
        pass
    assert "later" in words(connection)
    assert "unused" not in words(connection)


def test_what_only_a_roll_up_uses_stays(connection: Sql, monkeypatch):
    monkeypatch.setattr(name_reap, "ROLLUPS", 2)
    table, beta = LogTable(connection), a_gateway(connection, "beta")
    for at in range(5):
        table.write([a_record(gateway=beta, model=f"old-{at}", metadata='{"user":"u9"}', rolled=("user",))])
        table.write([a_record(logged=False, model=f"unlogged-{at}")])
    while reap.reap(connection, beta):
        pass
    connection.execute("INSERT INTO log_names (name) VALUES ('unused'), ('later'), ('last')")
    swept(connection)
    used = {f"{kind}-{at}" for kind in ("old", "unlogged") for at in range(5)}
    assert words(connection) == used | {*("openai", "answered", "user", "u9")}


def test_a_word_that_a_roll_up_comes_to_use_during_a_sweep_stays(connection: Sql):
    table = LogTable(connection)
    table.write([a_record(gateway=0)])
    connection.execute("INSERT INTO log_names (name) VALUES ('unused'), ('later'), ('last')")
    sweep = Sweep(connection)
    steps = 0
    while sweep.step():
        steps += 1
        if steps == 2:  # the roll-ups are walked
            table.write([a_record(model="later", logged=False)])
    assert "later" in words(connection)
    assert "unused" not in words(connection)
    swept(connection)
    assert "later" in words(connection)


def test_no_row_is_written_with_a_word_that_is_just_being_taken_out(shared: str):
    with closing(opening.connect(shared)) as mine, closing(opening.connect(shared)) as other:
        a_gateway(mine)
        table = LogTable(other)
        table.write([a_record(gateway=1, model="word")])
        table.write([a_record(gateway=0, model="last")])
        reap.reap(mine, 1)
        writer = threading.Thread(target=table.write, args=([a_record(gateway=1, model="word")],))
        with mine.transaction():
            mine.lock_names(alone=True)
            writer.start()
            mine.execute("DELETE FROM log_names WHERE name = 'word'")
        writer.join(PATIENCE)
        assert [row.model for row in LogReader(mine).list_rows(1)] == ["word"]


def test_words_in_memory_have_a_bound(connection: Sql, monkeypatch):
    monkeypatch.setattr("penstock.storage.log.names._LIMIT", 10)
    table, reader = LogTable(connection), LogReader(connection)
    for at in range(30):
        table.write([a_record(model=f"m-{at}")])
        assert reader.list_rows(1, limit=1)[0].model == f"m-{at}"
    assert len(reader._words) <= 20
