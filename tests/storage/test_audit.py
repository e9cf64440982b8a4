from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock.core import ids
from penstock.storage import audit
from penstock.storage.engine import Database
from tests.kit.store import ACCOUNT, a_token, furnish

OTHER = "f" * 32


@pytest.fixture
async def database(tmp_path: Path, url: str) -> AsyncIterator[Database]:
    place = await furnish(tmp_path, {}, (), [OTHER], url=url)
    opened = Database(place.url)
    yield opened
    await opened.close()


async def test_the_newest_change_comes_first_with_who_what_before_and_after(database: Database):
    token = a_token("mine", name="the pipeline")
    async with database.writing() as connection:
        await audit.add(connection, ACCOUNT, token, "gateway.update", "alpha", {"cache_ttl": 0}, {"cache_ttl": 300})
        await audit.add(connection, ACCOUNT, "mia", "token.revoke", "beta", {"name": "x"}, None)
    async with database.reading() as connection:
        rows, total = await audit.page(connection, ACCOUNT, 10, 0)
    assert total == 2
    assert [(row.actor, row.actor_name, row.action, row.subject) for row in rows] == [
        ("command line", "mia", "token.revoke", "beta"),
        (token.id, "the pipeline", "gateway.update", "alpha"),
    ]
    assert [(row.before, row.after) for row in rows] == [
        ({"name": "x"}, None),
        ({"cache_ttl": 0}, {"cache_ttl": 300}),
    ]
    assert rows[0].id > rows[1].id


async def test_only_one_account_or_one_subject(database: Database):
    async with database.writing() as connection:
        for account, subject in ((ACCOUNT, "a"), (ACCOUNT, "b"), (OTHER, "a"), (ACCOUNT, "a")):
            await audit.add(connection, account, "mia", "gateway.delete", subject, {}, None)
    async with database.reading() as connection:
        assert (await audit.page(connection, None, 10, 0))[1] == 4
        assert (await audit.page(connection, ACCOUNT, 1, 0))[1] == 3
        assert len((await audit.page(connection, ACCOUNT, 2, 2))[0]) == 1
        rows, total = await audit.page(connection, ACCOUNT, 10, 0, subject="a")
        assert ({row.subject for row in rows}, total) == ({"a"}, 2)


async def test_only_some_actions_or_what_somebody_did(database: Database):
    token = a_token("mine", name="the pipeline")
    async with database.writing() as connection:
        await audit.add(connection, ACCOUNT, "mia", "token.create", "a", None, {})
        await audit.add(connection, ACCOUNT, token, "token.revoke", "a", {}, None)
        await audit.add(connection, ACCOUNT, token, "tokens.other", "a", {}, None)

    async def found(**wanted: str) -> list[str]:
        async with database.reading() as connection:
            rows, total = await audit.page(connection, ACCOUNT, 10, 0, **wanted)
        assert total == len(rows)
        return [row.action for row in rows]

    assert await found(action="token") == ["token.revoke", "token.create"]
    assert await found(action="token.revoke") == ["token.revoke"]
    assert await found(action="%") == await found(action="token_") == []
    assert await found(actor="mia") == ["token.create"]
    assert await found(actor=token.id) == await found(actor="the pipeline") == ["tokens.other", "token.revoke"]
    assert await found(actor="mia", action="tokens") == []


async def test_a_change_that_is_undone_leaves_no_trace(database: Database):
    with pytest.raises(KeyError):
        async with database.writing() as connection:
            await audit.add(connection, ACCOUNT, "mia", "gateway.delete", "a", {}, None)
            raise KeyError
    async with database.reading() as connection:
        assert await audit.page(connection, None, 10, 0) == ([], 0)


def test_shown_it_says_its_time():
    row = audit.AuditRow(ids.new(lambda: 1_700_000_000_123_000_000), ACCOUNT, "x", "y", "token.create", "z", None, {})
    told = audit.shown(row)
    assert told["id"] == ids.text(row.id)
    assert set(told) == {*audit.AuditRow.__struct_fields__, "created_at"}
    assert told["created_at"].endswith("Z")
