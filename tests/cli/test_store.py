"""The commands on a PostgreSQL database."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import pytest

from penstock.control import first_start
from penstock.core import ids
from penstock.storage import opening
from penstock.storage.log.table import LogTable
from tests.kit.command import command
from tests.kit.databases import await_server, database_of, postgres_on
from tests.kit.logsink import a_gateway, a_record
from tests.kit.process import environment
from tests.kit.services import postgres

ACCOUNT = "0123456789abcdef" * 2
KEY = "0f" * 32


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """As the first start of a server left it."""
    with database_of("postgresql", tmp_path) as made:
        prepared(made, tmp_path)
        yield made


def prepared(url: str, folder: Path) -> None:
    given: dict[str, Any] = {"account_id": ACCOUNT, "api_token": "a-token-of-the-operators-own", "master_key": KEY}
    first_start.prepare(folder, database_url=url, **given)


def penstock(*words: str, **environ: str) -> str:
    """What it says; it needs no master key, which seals nothing that it reads."""
    done = command(*words, environ=environ)
    assert (done.status, done.err) == (0, "")
    return done.out


def test_tokens_are_made_listed_and_revoked_and_the_trail_says_so(url: str):
    penstock("token", "create", "--name", "ci", "--all", "--database-url", url)
    rows = [json.loads(line) for line in penstock("token", "list", "--json", PENSTOCK_DATABASE_URL=url).splitlines()]
    assert [row["name"] for row in rows] == ["PENSTOCK_API_TOKEN", "ci"]
    made = rows[1]
    penstock("token", "revoke", made["id"], "--database-url", url)
    assert len(penstock("token", "list", "--json", "--database-url", url).splitlines()) == 1
    trail = [json.loads(line) for line in penstock("audit", "--json", "--database-url", url).splitlines()]
    assert [(row["action"], row["subject"]) for row in trail] == [
        ("token.create", made["id"]),
        ("token.revoke", made["id"]),
    ]


def test_the_log_is_shown_and_followed(url: str):
    with closing(opening.connect(url)) as connection:
        number = a_gateway(connection)
        table, first = LogTable(connection), a_record(gateway=number)
        table.write([first])
        with following(url) as tail:
            for record in (first, a_record(gateway=number), a_record(gateway=number)):
                if record is not first:
                    table.write([record])
                assert json.loads(line(tail.stdout))["id"] == ids.text(record.id)
            tail.send_signal(signal.SIGINT)
            assert tail.wait(20) == 0


def line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def following(url: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "penstock", "logs", "tail", "-f", "--json"]
    environ = environment({"PENSTOCK_DATABASE_URL": url})
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)


def test_a_log_that_is_followed_goes_on_when_the_database_is_back(tmp_path: Path):
    with postgres() as server, postgres_on(server.url) as url:
        prepared(url, tmp_path)
        with closing(opening.connect(url)) as connection, following(url) as tail:
            number = a_gateway(connection)
            table, records = LogTable(connection), [a_record(gateway=number) for _ in range(2)]
            table.write(records[:1])
            assert json.loads(line(tail.stdout))["id"] == ids.text(records[0].id)
            server.stop()
            assert "It is waited for." in line(tail.stderr)
            server.start()
            await_server(server.url)
            table.write(records[1:])
            assert json.loads(line(tail.stdout))["id"] == ids.text(records[1].id)
            tail.send_signal(signal.SIGINT)
            assert tail.wait(20) == 0
