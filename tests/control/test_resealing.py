"""Everything that is sealed is sealed anew, in either database, whatever interrupts it or changes a row meanwhile."""

import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing

import pytest
from sqlalchemy import select, update

from penstock.control.alerts import secret as alert_secrets
from penstock.control.custom_providers import headers
from penstock.control.gateways import masking
from penstock.control.gateways.compile_settings import key_place
from penstock.control.gateways.schema import secrets
from penstock.control.resealing import PASSES, Tally, reseal
from penstock.core.sealing import NotOpened, Vault
from penstock.model.credential import StoredKey
from penstock.storage import accounts, alerts, custom_providers, definitions, gateways, health, opening, sealed, tables
from penstock.storage.alerts import AlertRow
from penstock.storage.custom_providers import CustomRow
from penstock.storage.definitions import Definition
from penstock.storage.engine import Database, Handle
from tests.kit.databases import KINDS, database_of
from tests.kit.store import ACCOUNT, MASTER_KEY, furnish

OLD, NEW = Vault(MASTER_KEY), Vault(bytes(32))
BOTH = Vault(bytes(32), MASTER_KEY)
COLLECTOR = {"url": "https://collector.example/v1", "headers": {}, "authorization": "of the collector"}
SETTINGS = {"otel": [COLLECTOR], "stripe": {"authorization": "of stripe", "usage_events": []}}
ALL = Counter(["of openai", "of groq", "of a header", "of an alert", *["of the collector", "of stripe"] * 2])
SEALED = re.compile(r"v1\.[\w=-]{20,}")


@pytest.fixture(params=KINDS)
async def database(request, tmp_path):
    """All that can be sealed, by the old key: of two gateways, two stored keys, a custom provider and an alert."""
    with database_of(request.param, tmp_path) as url:
        keys = [StoredKey("", name, "default", True, f"of {name}", 7) for name in ("openai", "groq")]
        await furnish(tmp_path, {"a": {}}, (), keys=keys, url=url)
        with closing(opening.connect(url)) as connection:
            accounts.set_key_check(connection, OLD.seal("penstock", *health.KEY_CHECK))
        database = Meddled(url)
        async with database.writing() as connection:
            await gateways.insert(connection, ACCOUNT, "b", {}, 1, 1)
            for row in await gateways.changed_since(connection, 0):
                settings = masking.sealed(OLD, (ACCOUNT, row.id), row.settings | SETTINGS, {})
                await gateways.change(connection, ACCOUNT, row.number, settings, 1, row.version)
            kept = {"X-Key": OLD.seal("of a header", *headers.place(ACCOUNT, "an id", "X-Key"))}
            row = CustomRow("an id", ACCOUNT, "mine", {"base_url": "https://a.example", "headers": kept}, 3, 1, 1)
            await custom_providers.add(connection, row)
            secret = alert_secrets.sealed(OLD, ACCOUNT, "an alert", "of an alert")
            await alerts.add(connection, AlertRow("an alert", ACCOUNT, None, None, "kind", {}, secret, None, 1, 1))
        yield database
        await database.close()


class Meddled(Database):
    """``meddle`` is what another process does just before each transaction that writes."""

    meddle: Callable[[Handle], Awaitable[object]] | None = None

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Handle]:
        if self.meddle is not None:
            async with super().writing() as connection:
                await self.meddle(connection)
        async with super().writing() as connection:
            yield connection


async def stored(database: Database) -> list[Definition]:
    async with database.reading() as connection:
        return await definitions.changed_since(connection, 0)


async def texts(database: Database) -> list[tuple[str, tuple[str, ...]]]:
    """All sealed texts that are in use, each with its place."""
    found = await stored(database)
    async with database.reading() as connection:
        check = await sealed.key_check(connection)
        alert = await alerts.get(connection, ACCOUNT, "an alert")
    keys = [
        (key.secret or "", key_place(ACCOUNT, key.gateway, key.provider, key.alias))
        for one in found
        for key in one.keys
    ]
    settings = [
        (secret.value, masking.setting_place((ACCOUNT, one.gateway.id), secret))
        for one in found
        for secret in secrets(one.gateway.settings)
    ]
    (custom,) = found[0].customs
    own = [(text, headers.place(ACCOUNT, custom.id, name)) for name, text in custom.settings["headers"].items()]
    assert alert is not None
    told = (alert.secret, alert_secrets.place(ACCOUNT, alert.id))
    return [*keys, *settings, *own, told, (check or "", health.KEY_CHECK)]


async def opened(database: Database, vault: Vault) -> Counter[str]:
    found: list[str] = []
    for text, place in await texts(database):
        try:
            found.append(vault.open(text, *place))
        except NotOpened:
            continue
    return Counter(found)


async def run(database: Database, batch: int = 100) -> Tally:
    return [tally async for tally in reseal(database, BOTH, batch)][-1]


WORD = Counter(["penstock"])


async def test_all_that_is_secretopens_with_the_new_key_alone_and_nothing_else_has_changed(database):
    before = await stored(database)
    tally = await run(database)
    assert (tally.renewed, tally.good, tally.unopened, tally.done) == (ALL.total(), ALL.total(), [], True)
    assert await opened(database, NEW) == ALL + WORD
    assert await opened(database, OLD) == Counter()
    assert SEALED.sub("", repr(await stored(database))) == SEALED.sub("", repr(before))
    again = await run(database)
    assert (again.renewed, again.good, again.done) == (0, ALL.total(), True)


@pytest.mark.parametrize("batches", range(1, 5))
async def test_what_is_interrupted_goes_on_where_it_was(database, batches):
    done = 0
    passed = reseal(database, BOTH, 1)
    async for tally in passed:
        done = tally.renewed
        if not (batches := batches - 1):
            break
    await passed.aclose()
    assert 0 < done < ALL.total()
    assert (await opened(database, NEW)).total() == done
    assert await opened(database, BOTH) == ALL + WORD
    assert "penstock" in await opened(database, OLD)  # the old key alone is still what a start needs
    assert (await run(database, 1)).renewed == ALL.total() - done
    assert await opened(database, NEW) == ALL + WORD


async def test_a_row_that_is_changed_meanwhile_keeps_the_change(database):
    keys = tables.provider_keys

    async def another_secret(connection: Handle) -> None:
        database.meddle = None
        rows = await connection.execute(select(keys.c.id, keys.c.gateway).where(keys.c.provider == "groq"))
        ((key, gateway),) = rows
        text = OLD.seal("another", *key_place(ACCOUNT, gateway, "groq", "default"))
        await connection.execute(update(keys).where(keys.c.id == key).values(secret=text, generation=8))

    database.meddle = another_secret
    assert (await run(database)).done
    assert await opened(database, NEW) == ALL + WORD - Counter(["of groq"]) + Counter(["another"])


async def test_while_somebody_seals_with_the_old_key_it_may_not_go(database):
    before, told = (await stored(database))[0].gateway, list[Tally]()
    async for tally in reseal(database, BOTH):
        told.append(tally)
        async with database.writing() as connection:
            await gateways.change(connection, ACCOUNT, before.number, before.settings, 1, before.version)
    assert (told[-1].done, told[-1].old) == (False, 2)
    assert told[-1].renewed == ALL.total() + (PASSES - 1) * 2
    assert "penstock" in await opened(database, OLD)


async def test_what_no_key_opens_is_named_and_stays(database):
    place = key_place(ACCOUNT, 1, "groq", "default")
    text = Vault(bytes(31) + b"1").seal("lost", *place)
    async with database.writing() as connection:
        keys = tables.provider_keys
        await connection.execute(update(keys).where(keys.c.provider == "groq").values(secret=text))
    tally = await run(database)
    assert (tally.unopened, tally.done) == (["/".join(place)], True)
    assert text in [held for held, _ in await texts(database)]
    assert await opened(database, NEW) == ALL + WORD - Counter(["of groq"])
