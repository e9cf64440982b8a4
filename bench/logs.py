"""The log at its full size: what filling it costs, and how soon it answers. Takes a long time; only by --rows."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from bench.figures import Budget, median, verdict
from bench.session import Session
from bench.table import Table
from penstock.core import instants
from penstock.model.record import LogRecord
from penstock.storage import opening, schema
from penstock.storage.log.filters import ANY, Filter, Test
from penstock.storage.log.query import id_range
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from tests.kit import services
from tests.kit.logsink import a_gateway, a_record

BATCH = 1024  # rows of a transaction, as of a log writer that is behind
DAYS = 30
DAY = 24 * 3600 * 1000
TIMES = 3  # each question is asked; the median counts
FIRST = Budget("≤", 100, "ms")
WHOLE = Budget("≤", 1000, "ms")
HEADING = ("log", "rows found", "ms", "budget", "")

Question = tuple[str, Callable[[LogReader], int], Budget]


def measure(session: Session) -> Table:
    """Both databases, each filled once and asked all questions."""
    table = Table(f"A log of {session.log_rows:,} rows in one gateway", HEADING)
    _ask_all(session, table, "SQLite", opening.url_in(session.folder), lambda: _size_of(session.folder))
    with services.postgres("shared_buffers=1GB", "fsync=off") as server, closing(opening.connect(server.url)) as asked:
        size = "SELECT pg_database_size(current_database())"
        _ask_all(session, table, "PostgreSQL", server.url, lambda: asked.execute(size)[0][0])
    return table


def _ask_all(session: Session, table: Table, engine: str, url: str, size: Callable[[], int]) -> None:
    schema.upgrade(url)
    with closing(opening.connect(url)) as connection:
        gateway, began = a_gateway(connection), time.monotonic()
        writer = LogTable(connection)
        for at, batch in enumerate(batches(gateway, session.log_rows)):
            writer.write(batch)
            if not at % 500:
                session.say(f"  {engine}: {at * BATCH:,} rows after {time.monotonic() - began:.0f} s")
        took = time.monotonic() - began
        connection.execute("ANALYZE")
    rate, each = session.log_rows / took, size() / session.log_rows
    table.notes.append(
        f"{engine}: {rate:,.0f} rows a second written, {each:,.0f} bytes a row with bodies and roll-ups."
    )
    with closing(LogReader(opening.connect_reader(url))) as reader:
        for name, ask, budget in questions(gateway):
            found, spent = _timed(reader, ask)
            verdict_ = verdict((budget, spent))
            table.add(f"{engine}: {name}", f"{found:,}", f"{spent:.1f}", budget.text(), verdict_)


def _timed(reader: LogReader, ask: Callable[[LogReader], int]) -> tuple[int, float]:
    """What was found, and the milliseconds that it took."""
    took: list[float] = []
    found = 0
    for _ in range(TIMES):
        began = time.monotonic()
        found = ask(reader)
        took.append((time.monotonic() - began) * 1000)
    return found, median(took)


def questions(gateway: int) -> Iterator[Question]:
    """A first page of each kind of filter, a deep page, and what all that match come to."""

    def page(*tests: Test, order: str = "created_at", offset: int = 0) -> Callable[[LogReader], int]:
        return lambda reader: len(reader.list_rows(gateway, Filter(tests), order=order, offset=offset))

    def summary(*tests: Test) -> Callable[[LogReader], int]:
        return lambda reader: reader.summary(gateway, Filter(tests) if tests else ANY).count

    for test in FILTERS:
        shown = ", ".join(str(value) for value in test.values)
        yield f"first page, {test.column} {test.operator} {shown}", page(test), FIRST
    user = Test("metadata.user", "eq", ("user-77",))
    yield "first page, no filter", page(), FIRST
    yield "the dearest of one user", page(user, order="cost"), FIRST
    yield "page 1,000", page(offset=999 * 50), WHOLE
    yield "page 1,000 of a model of 1 in 20", page(Test("model", "eq", ("model-7",)), offset=999 * 50), WHOLE
    yield "count and ranges of all", summary(), WHOLE
    yield "count and ranges of a model of 1 in 20", summary(Test("model", "eq", ("model-7",))), WHOLE


FILTERS = (
    Test("provider", "eq", ("rare",)),
    Test("model", "eq", ("model-7",)),
    Test("model", "contains", ("rare",)),
    Test("success", "eq", (False,)),
    Test("cached", "eq", (True,)),
    Test("status_code", "eq", (503,)),
    Test("cost", "gt", (900_000_000,)),
    Test("total_tokens", "gt", (199_990,)),
    Test("duration", "gt", (59_990,)),
    Test("user_agent", "eq", ("rare/1.0",)),
    Test("request_content_type", "eq", ("audio/mpeg",)),
    Test("event_id", "eq", ("an event of one call",)),
    Test("feedback", "eq", (1,)),
    Test("metadata.user", "eq", ("user-77",)),
    Test("metadata.key", "eq", ("rare",)),
    Test("metadata.value", "eq", ("user-77",)),
)


def batches(gateway: int, rows: int) -> Iterator[list[LogRecord]]:
    """Records of the last 30 days, oldest first: most alike, some rare, one in a thousand failed."""
    draw, now = random.Random(7), instants.now()  # noqa: S311  figures, no secrets
    text = [draw.choice(_WORDS) for _ in range(4096)]
    batch: list[LogRecord] = []
    for at in range(rows):
        moment = now - DAYS * DAY + DAYS * DAY * at // rows
        batch.append(_record(gateway, at, moment, draw, text))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _record(gateway: int, at: int, moment: int, draw: random.Random, text: list[str]) -> LogRecord:
    log_id = id_range(moment)[0][:6] + b"\x70" + at.to_bytes(9, "big")
    rare, failed, start = at % 100_000 == 99_999, at % 1000 == 999, draw.randrange(4000)  # noqa: PLR2004
    said = " ".join(text[start : start + 90])
    more = ',"rare":1' if rare else ""
    told = f'{{"user":"user-{draw.randrange(20_000)}","team":"team-{at % 12}"{more}}}'
    return a_record(
        id=log_id,
        gateway=gateway,
        created_at=moment,
        event_id="an event of one call" if at == 4242 else f"call-{at}",  # noqa: PLR2004
        provider="rare" if rare else f"provider-{at % 4}",
        model="a-rare-model" if rare else f"model-{draw.randrange(20)}",
        success=not failed,
        status_code=503 if at % 50_000 == 999 else 500 if failed else 200,  # noqa: PLR2004
        cached=at % 10_000 == 5,  # noqa: PLR2004
        cost=draw.randrange(1_000_000_000) if rare else draw.randrange(90_000_000),
        tokens_in=draw.randrange(100_000),
        tokens_out=draw.randrange(100_000),
        duration=draw.randrange(60_000),
        latency=draw.randrange(5_000),
        user_agent="rare/1.0" if rare else f"agent/{at % 7}",
        request_content_type="audio/mpeg" if rare else "application/json",
        metadata=told,
        request=f'{{"messages":[{{"role":"user","content":"{said}"}}]}}'.encode(),
        response=f'{{"choices":[{{"message":{{"role":"assistant","content":"{said[::-1]}"}}}}]}}'.encode(),
    )


_WORDS = [f"{first}{last}" for first in ("al", "be", "cor", "den", "fi") for last in ("ma", "ta", "ro", "lin", "ves")]


def _size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("penstock.db*"))
