"""A gateway's definition: its settings and all that belongs to it. A change of a part raises the gateway's version."""

from collections.abc import Sequence
from typing import NamedTuple

from penstock.storage import custom_providers, gateways, ledger, provider_keys, routes, spending_limits
from penstock.storage.custom_providers import CustomRow
from penstock.storage.engine import Handle, within
from penstock.storage.gateways import GatewayRow, store_of
from penstock.storage.provider_keys import KeyRow
from penstock.storage.routes import DeployedRoute
from penstock.storage.spending_limits import LimitRow


class Definition(NamedTuple):
    """What a gateway is compiled from; ``customs`` and ``spending_limit`` are those of its account, ``credit`` all that
    it was ever given.

    ``shared``: the keys of its store, for each provider those of one gateway. ``routes``: those that are deployed.
    """

    gateway: GatewayRow
    keys: list[KeyRow]
    customs: list[CustomRow]
    shared: Sequence[KeyRow] = ()
    routes: Sequence[DeployedRoute] = ()
    spending_limit: LimitRow | None = None
    credit: int = 0


async def changed_since(connection: Handle, version: int) -> list[Definition]:
    """What is newer than ``version``, of all accounts, deleted gateways too, in order of the changes."""
    rows = await gateways.changed_since(connection, version)
    keys = await provider_keys.of_changed(connection, version) if rows else {}
    customs = await custom_providers.of_changed(connection, version) if rows else {}
    shared = await provider_keys.of_stores(connection, version) if any(store_of(row.settings) for row in rows) else {}
    deployed = await routes.of_changed(connection, version) if rows else {}
    limits = await spending_limits.of_changed(connection, version) if rows else {}
    credited = await within(connection, ledger.all_credited) if rows else {}
    return [
        Definition(
            row,
            keys.get(row.number, []),
            customs.get(row.account, []),
            shared.get((row.account, store_of(row.settings)), []),
            deployed.get(row.number, []),
            limits.get(row.account),
            credit=credited.get(row.account, 0),
        )
        for row in rows
    ]


async def of(connection: Handle, account: str, gateway_id: str) -> Definition | None:
    """That of one live gateway."""
    row = await gateways.get(connection, account, gateway_id)
    if row is None:
        return None
    keys = await provider_keys.of(connection, row.number)
    store = store_of(row.settings)
    shared = await provider_keys.of_stores(connection, row.version - 1) if store else {}
    return Definition(
        row,
        keys,
        await custom_providers.of(connection, account),
        shared.get((account, store), []),
        await routes.of(connection, row.number),
        await spending_limits.get(connection, account),
        credit=(await within(connection, ledger.all_credited)).get(account, 0),
    )
