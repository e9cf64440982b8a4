from contextlib import closing

import pytest

from penstock.storage import opening
from penstock.storage.log import drafts
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.worker.lost import settle
from tests.kit.databases import sqlite_in
from tests.kit.logsink import a_record, with_gateway
from tests.kit.writer import writing

SENDER = b"s" * 16


def a_draft(**fields):
    return a_record(outcome="lost", draft=True, spends=(("token:t", 0, 0, 5),), **fields)


def told(url):
    """Outcomes of rows, and what is spent."""
    with closing(opening.connect(url)) as connection:
        rows = [row.outcome for row in LogReader(connection).newest(10_000)]
        return rows, int(connection.execute("SELECT coalesce(sum(amount), 0) FROM spent")[0][0])


def test_one_draft_that_cannot_be_written_costs_no_other(url):
    said = []
    with closing(opening.connect(url)) as connection:
        table = LogTable(connection, sender=SENDER)
        bad = a_draft(tokens_in=2**63)
        table.write([a_draft(), bad, a_draft()])
        connection.execute(
            "INSERT INTO log_drafts (id, sender, at, record) VALUES (?, ?, 0, ?)", (b"", SENDER, b"\xc1")
        )
        settle(table, drafts.of(SENDER), lambda event, **about: said.append((event, about.get("id"))))
    assert told(url) == (["lost"] * 2, 10)
    assert [log_id for event, log_id in said if event == "log.rejected"] == ["", bad.id.hex()]


@pytest.mark.parametrize("count", [1, 700])
def test_at_the_end_of_the_input_drafts_become_rows(url, count):
    with writing(url, SENDER) as writer:
        assert writer.answer() == 0
        writer.send([*(a_draft() for _ in range(count)), a_record()])
        assert writer.end() == 0
    rows, spent = told(url)
    assert (sorted(rows), spent) == (["answered", *["lost"] * count], 5 * count)


def test_a_killed_writer_leaves_its_drafts_to_the_next_one_of_the_sender(url):
    draft = a_draft()
    with writing(url, SENDER) as writer:
        assert writer.answer() == 0
        writer.send([draft])
        writer.until(1)
        writer.process.kill()
    with writing(url, SENDER, 1) as writer:
        assert writer.answer() == 1
        writer.send([a_record(id=draft.id, spends=(("token:t", 0, 0, 3),))])
        assert writer.end() == 0
    assert told(url) == (["answered"], 3)


def test_the_next_server_of_a_file_settles_what_a_killed_one_left(tmp_path):
    url = with_gateway(sqlite_in(tmp_path))
    with writing(url, SENDER) as writer:
        assert writer.answer() == 0
        writer.send([a_draft()])
        writer.until(1)
        writer.process.kill()
    with writing(url) as writer:
        assert writer.answer() == 0
        assert "log.settled" in writer.line()
        assert told(url) == (["lost"], 5)
