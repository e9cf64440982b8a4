"""A log of three calls, and the commands that read it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from penstock.core import ids
from penstock.core.codec import encode
from penstock.model.record import LogRecord
from penstock.storage import opening, schema
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.command import Done, command
from tests.kit.logsink import a_gateway, a_record

ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Tell me of the sea."}]}
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "It is deep."}, "finish_reason": "stop"}],
}
DETAIL = {
    "method": "POST",
    "timings": {"total": 120.0, "latency": 80.0, "overhead": 3.25, "upstream": 116.75},
    "decisions": {"cache": {"status": "MISS", "key": "abc", "ttl": 60}},
    "attempts": [{"provider": "openai", "host": "api.openai.com", "began": 1.0, "duration": 80.123, "status": 200}],
    "warnings": ["cf-aig-cache-ttl ignored: 'x' is no number"],
}


class World(NamedTuple):
    """``records``: cheap, dear and failed, of which the last two are alice's."""

    connection: Sql
    records: list[LogRecord]
    run: Callable[..., Done]

    def id(self, place: int) -> str:
        return ids.text(self.records[place].id)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = schema.open_store(opening.url_in(tmp_path))
    connection = opening.connect(store.url)
    a_gateway(connection)
    made = [
        a_record(cost=1_000, provider="groq"),
        a_record(
            cost=2_000_000,
            metadata='{"user":"alice"}',
            detail=encode(DETAIL),
            request=encode(ASKED),
            response=encode(ANSWER),
        ),
        a_record(cost=None, success=False, status_code=503, metadata='{"user":"alice"}', request=None, response=None),
    ]
    LogTable(connection).write(made)

    def run(*words: str) -> Done:
        return command("logs", *words, "--data-dir", str(tmp_path))

    yield World(connection, made, run)
    connection.close()
    store.close()
