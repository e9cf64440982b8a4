"""What a search for a text finds, and how it stops and goes on."""

import json
import time
from typing import Any

import pytest

from penstock.core import ids
from penstock.model.record import LogRecord
from penstock.storage.log.filters import Filter, Test
from penstock.storage.log.listing import Asked
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.logsink import a_record

STREAM = b"".join(
    b"data: " + json.dumps({"choices": [{"delta": {"content": piece}}]}).encode() + b"\n\n"
    for piece in ("The lig", "htho", 'use of "', "Alexandria", '"')
)


def asking(text: str, **said: Any) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": text}]}, **said).encode()


RECORDS = {
    "plain": a_record(request=asking("Tell me of the sea")),
    "escaped": a_record(request=asking("Une baleine échouée"), metadata='{"user":"zoë","quote":"a \\"b\\""}'),
    "raw": a_record(response=asking("Une baleine Échouée 🐋", ensure_ascii=False)),
    "ascii": a_record(response=asking("50% of a/b 🐋 \\ path")),
    "stream": a_record(response=STREAM, response_content_type="text/event-stream"),
    "bare": a_record(request=None, response=None, model="special-model", path="v1/sea", user_agent="agent 7"),
    "named": a_record(event_id="my-event-42", provider="anthropic"),
    **{f"more-{at}": a_record(request=asking("nothing of the kind")) for at in range(40)},
}


def found(connection: Sql, text: str, **asked: Any) -> set[str]:
    page = LogReader(connection).page(1, Asked(search=text, **asked))
    assert (page.stopped, page.more) == (False, None)
    shown = {row.id for row in page.rows}
    return {name for name, record in RECORDS.items() if ids.text(record.id) in shown}


@pytest.fixture
def filled(connection: Sql) -> Sql:
    table = LogTable(connection, zone_rows=8)
    for record in RECORDS.values():
        table.write([record])
    return connection


TEXTS: list[tuple[str, set[str]]] = [
    ("of the sea", {"plain"}),
    ("OF THE SEA", {"plain"}),
    ("SEA", {"plain", "bare"}),
    ("échouée", {"escaped", "raw"}),
    ("ÉCHOUÉE", {"escaped", "raw"}),
    ("🐋", {"raw", "ascii"}),
    ("50% of", {"ascii"}),
    ("of a/b", {"ascii"}),
    ("🐋 \\ p", {"ascii"}),
    ("lighthouse", {"stream"}),
    ('house of "Alexandria"', {"stream"}),
    ("special-M", {"bare"}),
    ("agent 7", {"bare"}),
    ("anthropic", {"named"}),
    ("MY-EVENT-42", {"named"}),
    ("zoë", {"escaped"}),
    ('a "b"', {"escaped"}),
    ("no such text", set()),
    ("%", {"ascii"}),
    (ids.text(RECORDS["plain"].id), {"plain"}),
    (ids.text(RECORDS["plain"].id).upper(), {"plain"}),
    (ids.text(RECORDS["bare"].id)[10:], {"bare"}),
]


@pytest.mark.parametrize(("text", "names"), TEXTS, ids=range(len(TEXTS)))
def test_a_text_is_found_wherever_it_is(filled: Sql, text: str, names: set[str]):
    assert found(filled, text) == names


def test_in_the_order_of_time_and_page_by_page(filled: Sql):
    reader, wanted = LogReader(filled), [ids.text(RECORDS[f"more-{at}"].id) for at in range(40)]
    for ascending in (False, True):
        pages = [
            reader.page(1, Asked(search="of the kind", limit=15, offset=15 * at, ascending=ascending))
            for at in range(4)
        ]
        shown = [row.id for page in pages for row in page.rows]
        assert shown == (wanted if ascending else wanted[::-1])
        assert [len(page.rows) for page in pages] == [15, 15, 10, 0]


def test_other_filters_hold_too(filled: Sql):
    assert found(filled, "échouée", where=Filter((Test("metadata.user", "eq", ("zoë",)),))) == {"escaped"}
    assert found(filled, "sea", where=Filter((Test("model", "eq", ("special-model",)),))) == {"bare"}


def test_bodies_may_be_left_out(filled: Sql):
    assert found(filled, "sea", bodies=False) == {"bare"}
    assert found(filled, "échouée", bodies=False) == set()


def test_a_search_without_time_says_how_far_it_came_and_goes_on_from_there(filled: Sql):
    reader, asked, shown, stops = LogReader(filled), Asked(search="sea"), list[str](), 0
    while True:
        page = reader.page(1, asked, until=time.monotonic() - 1)
        shown += [row.id for row in page.rows]
        if page.more is None:
            break
        assert page.stopped
        stops += 1
        asked = Asked(search="sea", beyond=page.more)
    assert stops > 0
    assert shown == [ids.text(RECORDS[name].id) for name in ("bare", "plain")]


def test_a_damaged_block_hides_no_other(filled: Sql):
    filled.execute("UPDATE log_bodies SET bodies = ? WHERE ids = ?", (b"damaged", RECORDS["raw"].id))
    assert found(filled, "échouée") == {"escaped"}


def test_a_word_may_be_cut_by_any_dialect_of_streams(connection: Sql):
    pieces = {
        "anthropic": [{"type": "content_block_delta", "delta": {"type": "text_delta", "text": one}} for one in "whale"],
        "responses": [{"type": "response.output_text.delta", "delta": one} for one in ("wh", "ale")],
        "gemini": [{"candidates": [{"content": {"parts": [{"text": one}]}}]} for one in ("wha", "le")],
        "workers": [{"response": one, "p": "abc"} for one in ("w", "hale")],
        "cohere": [{"delta": {"message": {"content": {"text": one}}}} for one in ("whal", "e")],
    }
    records: dict[str, LogRecord] = {}
    for name, events in pieces.items():
        lines = [json.dumps(event).encode() for event in events]
        records[name] = a_record(response=b"".join(b"data: " + line + b"\n\n" for line in lines))
        records[f"{name} lines"] = a_record(response=b"\n".join(lines))
    LogTable(connection).write([*records.values()])
    page = LogReader(connection).page(1, Asked(search="whale"))
    assert {row.id for row in page.rows} == {ids.text(record.id) for record in records.values()}
