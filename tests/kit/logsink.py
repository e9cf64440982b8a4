"""A log in memory, and records to fill logs with."""

from contextlib import closing
from typing import Any

from penstock.core import codec, ids
from penstock.model.record import LogRecord
from penstock.ports.logsink import LogSink
from penstock.storage import opening
from penstock.storage.sql import Sql

ACCOUNT = "0123456789abcdef" * 2


class MemoryLogSink(LogSink):
    """Keeps the records of rows in ``records``, others in ``unlogged``; each is written at once. Drafts are apart."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.unlogged: list[LogRecord] = []
        self.drafts: list[LogRecord] = []
        self.dropped_bodies = 0
        self.dropped_rows = 0
        self.written_rows = 0

    def offer(self, record: LogRecord) -> None:
        if record.draft:
            self.drafts.append(record)
            return
        (self.records if record.logged else self.unlogged).append(record)
        self.written_rows += 1

    def pending(self) -> int:
        return 0

    def stalled(self) -> float:
        return 0.0

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self, limit: float) -> None:
        """Nothing to stop."""

    async def settled(self) -> None:
        """Everything is written already."""


def a_gateway(connection: Sql, gateway: str = "default", *, account: str = ACCOUNT) -> int:
    """Puts a gateway of that id, and its account, into the database; returns its number."""
    connection.execute("INSERT INTO accounts (id, created_at) VALUES (?, 0) ON CONFLICT DO NOTHING", (account,))
    sql = "INSERT INTO gateways (account, id, settings, created_at, modified_at, version) VALUES (?, ?, '{}', 0, 0, 1)"
    ((number,),) = connection.execute(f"{sql} RETURNING number", (account, gateway))
    return number


def with_gateway(url: str) -> str:
    """The same database with one gateway, whose number is 1."""
    with closing(opening.connect(url)) as connection:
        assert a_gateway(connection) == 1
    return url


def delete_gateway(connection: Sql, number: int, at: int = 0) -> None:
    """Makes a gateway a tombstone, as the control plane does: in one transaction with the version."""
    with connection.transaction():
        connection.execute("UPDATE configuration SET version = version + 1")
        sql = "UPDATE gateways SET deleted_at = ?, version = (SELECT version FROM configuration) WHERE number = ?"
        connection.execute(sql, (at, number))


def set_gateway(connection: Sql, number: int, **settings: Any) -> None:
    """Gives a gateway these settings, as the control plane does: in one transaction with the version."""
    with connection.transaction():
        connection.execute("UPDATE configuration SET version = version + 1")
        sql = "UPDATE gateways SET settings = ?, version = (SELECT version FROM configuration) WHERE number = ?"
        connection.execute(sql, (codec.encode(settings).decode(), number))


def a_record(**fields: Any) -> LogRecord:
    """A record of an ordinary call, with a new id; ``fields`` replace its values."""
    log_id: bytes = fields.pop("id", None) or ids.new()
    record = LogRecord(
        id=log_id,
        gateway=1,
        logged=True,
        event_id=ids.text(log_id),
        created_at=ids.millis(log_id),
        duration=120,
        latency=80,
        provider="openai",
        model="gpt-4o-mini",
        model_type="text-generation",
        request_type="chat",
        path="chat/completions",
        status_code=200,
        success=True,
        cached=False,
        step=0,
        tokens_in=12,
        tokens_out=34,
        cost=22_200,
        custom_cost=False,
        metadata='{"user":"u1"}',
        request_content_type="application/json",
        response_content_type="application/json",
        request_size=16,
        response_size=17,
        user_agent="OpenAI/Python 2.0",
        outcome="answered",
        authentication=False,
        wholesale=False,
        compatibility_mode=False,
        dlp_action=None,
        detail=b'{"method":"POST","timings":{"total":120.0,"latency":80.0}}',
        request=b'{"model":"gpt4"}',
        response=b'{"choices":[{}]}\n',
    )
    for name, value in fields.items():
        setattr(record, name, value)
    return record
