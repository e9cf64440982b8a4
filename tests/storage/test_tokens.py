from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from penstock.model.limits import RateLimit
from penstock.model.money import FOREVER, Budget, Window
from penstock.model.token import Scope
from penstock.storage import configuration, tokens
from penstock.storage.engine import Database
from tests.kit.store import ACCOUNT, a_token, furnish

OTHER = "f" * 32


@pytest.fixture
async def database(tmp_path: Path, url: str) -> AsyncIterator[Database]:
    place = await furnish(tmp_path, {"alpha": {}, "beta": {}}, (), [OTHER], url=url)
    opened = Database(place.url)
    yield opened
    await opened.close()


async def added(database: Database, *found) -> int:
    async with database.writing() as connection:
        version = await configuration.raise_version(connection)
        for token in found:
            await tokens.add(connection, token, version)
    return version


async def test_a_token_comes_back_as_it_was_given(database: Database):
    plain = a_token("one")
    limited = a_token(
        "two",
        scopes=frozenset({Scope.RUN}),
        email="mia@example.org",
        gateways=frozenset({"beta", "alpha"}),
        expires_at=1_900_000_000_000,
        budget=Budget("token:two", 50, Window("sliding", "second", 60)),
        rate_limit=RateLimit(60, 5, "fixed"),
        models=("openai/*", "anthropic/a-*"),
    )
    await added(database, plain, limited)
    async with database.reading() as connection:
        assert await tokens.get(connection, ACCOUNT, plain.id) == plain
        assert await tokens.get(connection, ACCOUNT, limited.id) == limited


async def test_a_page_of_those_that_have_a_budget(database: Database):
    spends = a_token("spends", budget=Budget("token:spends", 1, FOREVER))
    await added(database, a_token("free"), spends)
    async with database.reading() as connection:
        assert await tokens.page(connection, ACCOUNT, 5, 0, budgeted=True) == ([spends], 1)


async def test_a_change_is_of_that_token_alone_and_newer_than_it_was(database: Database):
    token, stays = a_token("changes"), a_token("stays")
    version = await added(database, token, stays)
    changed = msgspec.structs.replace(token, name="other", budget=Budget("token:x", 1, FOREVER), models=None)
    async with database.writing() as connection:
        await tokens.change(connection, changed, version + 1)
        assert await tokens.get(connection, ACCOUNT, token.id) == changed
        assert await tokens.get(connection, ACCOUNT, stays.id) == stays
        assert await tokens.changed_since(connection, version) == ([changed], [])


async def test_pages_are_oldest_first_and_know_how_many_there_are(database: Database):
    made = [a_token(f"token {number}", created_at=1000 + number) for number in range(5)]
    await added(database, *made[::-1], a_token("not ours", account=OTHER))
    async with database.reading() as connection:
        assert await tokens.page(connection, ACCOUNT, 2, 0) == (made[:2], 5)
        assert await tokens.page(connection, ACCOUNT, 2, 4) == (made[4:], 5)
        assert await tokens.page(connection, ACCOUNT, 2, 6) == ([], 5)


async def test_a_revoked_token_is_gone_once(database: Database):
    token, stays = a_token("goes"), a_token("stays")
    await added(database, token, stays)
    async with database.writing() as connection:
        assert await tokens.revoke(connection, ACCOUNT, token.id, 5, 9)
        assert not await tokens.revoke(connection, ACCOUNT, token.id, 6, 10)
        assert await tokens.get(connection, ACCOUNT, token.id) is None
        assert await tokens.page(connection, ACCOUNT, 10, 0) == ([stays], 1)


async def test_nothing_of_another_account_is_shown_or_revoked(database: Database):
    theirs = a_token("theirs", account=OTHER)
    await added(database, theirs)
    async with database.writing() as connection:
        assert await tokens.get(connection, ACCOUNT, theirs.id) is None
        assert not await tokens.revoke(connection, ACCOUNT, theirs.id, 5, 9)
        assert await tokens.get(connection, OTHER, theirs.id) == theirs


async def test_what_is_newer_than_a_version_is_told_of_all_accounts(database: Database):
    old, goes, theirs, lapsed = (
        a_token("old"),
        a_token("goes"),
        a_token("theirs", account=OTHER),
        a_token("lapsed", expires_at=1),
    )
    before = await added(database, old, goes)
    await added(database, theirs, lapsed)
    async with database.writing() as connection:
        await tokens.revoke(connection, ACCOUNT, goes.id, 5, await configuration.raise_version(connection))
    async with database.reading() as connection:
        live, revoked = await tokens.changed_since(connection, before)
        assert sorted(live, key=lambda token: token.name) == [lapsed, theirs]
        assert revoked == [goes.hash]
        everything, _ = await tokens.changed_since(connection, 0)
        assert {token.name for token in everything} == {"old", "theirs", "lapsed"}
        assert await tokens.changed_since(connection, await configuration.version(connection)) == ([], [])


async def test_gateways_that_do_not_exist_are_told(database: Database):
    async with database.reading() as connection:
        asked = frozenset({"alpha", "gamma", "delta"})
        assert await tokens.unknown_gateways(connection, ACCOUNT, asked) == ("delta", "gamma")
        assert await tokens.unknown_gateways(connection, OTHER, asked) == ("alpha", "delta", "gamma")
        assert await tokens.unknown_gateways(connection, ACCOUNT, frozenset()) == ()


async def test_the_tokens_that_are_limited_to_a_gateway_by_its_whole_name(database: Database):
    def limited(name, *gateways, **more):
        return a_token(name, gateways=frozenset(gateways), **more)

    mine = [limited("one", "alpha"), limited("two", "beta", "alpha"), limited("late", "alpha", expires_at=1)]
    others = [a_token("all"), limited("longer", "alpha-2", "a_pha"), limited("theirs", "alpha", account=OTHER)]
    gone = limited("gone", "alpha")
    await added(database, *mine, *others, gone)
    async with database.writing() as connection:
        await tokens.revoke(connection, ACCOUNT, gone.id, 2, await configuration.raise_version(connection))
        assert sorted(await tokens.limited_to(connection, ACCOUNT, "alpha")) == sorted(token.id for token in mine)
        assert await tokens.limited_to(connection, ACCOUNT, "a_pha") == [others[1].id]
        assert await tokens.limited_to(connection, ACCOUNT, "alph") == []
        assert await tokens.limited_to(connection, OTHER, "alpha") == [others[2].id]


async def test_a_token_that_was_revoked_can_be_restored_as_it_is_to_be(database: Database):
    token, stays = a_token("back"), a_token("stays")
    version = await added(database, token, stays)
    async with database.writing() as connection:
        assert await tokens.ever(connection, ACCOUNT, token.id) == (token, False)
        await tokens.revoke(connection, ACCOUNT, token.id, 1, version + 1)
        assert await tokens.ever(connection, ACCOUNT, token.id) == (token, True)
        changed = msgspec.structs.replace(token, name="other")
        await tokens.restore(connection, changed, version + 2)
        assert await tokens.get(connection, ACCOUNT, token.id) == changed
        assert await tokens.changed_since(connection, version + 1) == ([changed], [])
        assert await tokens.ever(connection, OTHER, token.id) is None
