"""The token that stands for somebody whom an identity provider knows."""

from typing import Any

import msgspec
import pytest

from penstock.control.context import Control
from penstock.control.oidc.grants import Rights
from penstock.control.oidc.users import admitted, turned_away, user_of
from penstock.core.sealing import Vault
from penstock.core.telemetry import Telemetry
from penstock.features.auth import Keyring
from penstock.model.money import NANO, Budget, Window
from penstock.model.token import Scope
from penstock.storage import audit, configuration, tokens
from penstock.storage.engine import Database
from tests.kit.databases import KINDS, database_of
from tests.kit.store import ACCOUNT, MASTER_KEY, furnish

NOTHING: Any = None
ISSUER = "https://id.example.com"
MIA = user_of(ACCOUNT, ISSUER, {"sub": "mia", "email": "mia@example.org", "email_verified": True})
ALL = Rights(frozenset({Scope.READ, Scope.RUN}), None)
LESS = Rights(frozenset({Scope.RUN}), frozenset({"main"}))


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"sub": "x1", "email": "mia@example.org"}, "mia@example.org (single sign-on)"),
        ({"sub": "x1", "email": "mia@example.org", "email_verified": False}, "x1 (single sign-on)"),
        ({"sub": "x1", "email": " "}, "x1 (single sign-on)"),
        ({"sub": "x1", "email": ["a"]}, "x1 (single sign-on)"),
        ({"sub": "a\x00\n\x7fb"}, "ab (single sign-on)"),
        ({"sub": "x" * 255}, f"{'x' * 100} (single sign-on)"),
    ],
)
def test_a_user_is_called_by_an_address_or_else_by_the_subject(claims, name):
    assert user_of(ACCOUNT, ISSUER, claims).name == name


def test_the_subject_at_the_provider_alone_tells_users_apart():
    assert user_of(ACCOUNT, ISSUER, {"sub": "mia"}).id == MIA.id
    others = [
        user_of(ACCOUNT, ISSUER, {"sub": "mia2", "email": "mia@example.org"}),
        user_of(ACCOUNT, "https://other.example.com", {"sub": "mia"}),
        user_of("f" * 32, ISSUER, {"sub": "mia"}),
    ]
    assert len({user.id for user in [MIA, *others]}) == 4


class World:
    """A control plane on a database of its own."""

    def __init__(self, database: Database):
        self.refreshed = 0
        self.database = database
        keyring = Keyring(Telemetry())
        self.control = Control(database, keyring, Vault(MASTER_KEY), self._refresh, NOTHING, NOTHING)

    async def _refresh(self):
        self.refreshed += 1

    async def now(self):
        async with self.database.reading() as connection:
            return await tokens.get(connection, ACCOUNT, MIA.id)

    async def told(self):
        async with self.database.reading() as connection:
            rows, _ = await audit.page(connection, ACCOUNT, 100, 0)
        return [(row.action, row.actor, row.actor_name, row.subject) for row in reversed(rows)]


@pytest.fixture(params=KINDS)
async def world(request, tmp_path):
    with database_of(request.param, tmp_path) as url:
        await furnish(tmp_path, {}, (), url=url)
        database = Database(url)
        yield World(database)
        await database.close()


async def test_a_user_has_one_token_that_says_what_the_last_sign_in_granted(world):
    first = await admitted(world.control, MIA, ALL)
    assert (first.name, first.scopes, first.gateways) == (MIA.name, ALL.scopes, None)
    assert (first.expires_at, first.email, len(first.hash)) == (None, "", 32)
    assert await admitted(world.control, MIA, ALL) == first == await world.now()
    assert world.refreshed == 1
    less = await admitted(world.control, MIA, LESS)
    assert less == await world.now() == msgspec.structs.replace(first, scopes=LESS.scopes, gateways=LESS.gateways)
    assert world.refreshed == 2
    who = (MIA.id, MIA.name, MIA.id)
    assert await world.told() == [("token.create", *who), ("token.update", *who)]


async def test_limits_that_were_set_on_it_stay(world):
    token = await admitted(world.control, MIA, ALL)
    limited = msgspec.structs.replace(token, budget=Budget(f"token:{token.id}", 5 * NANO, Window("fixed", "month")))
    async with world.database.writing() as connection:
        version = await configuration.raise_version(connection)
        await tokens.change(connection, limited, version)
        await tokens.revoke(connection, ACCOUNT, token.id, 1, version)
    assert await world.now() is None
    assert await admitted(world.control, MIA, ALL) == limited == await world.now()


async def test_whoever_is_granted_nothing_any_more_has_no_token(world):
    await turned_away(world.control, MIA)
    token = await admitted(world.control, MIA, ALL)
    await turned_away(world.control, MIA)
    assert await world.now() is None
    assert await admitted(world.control, MIA, ALL) == token
    assert [action for action, *_ in await world.told()] == ["token.create", "token.revoke", "token.create"]
